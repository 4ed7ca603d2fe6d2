#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,8,H,W]) -> (y: float[N,8,H,W]) {";
const std::string kNumbers =
    " zero: float[] = {0}\n one: float[] = {1}\n three: float[] = {3}\n six: float[] = {6}\n"
    " sixth: float[] = {0.16666667}\n half: float[] = {0.5}\n";
const std::string kClip = " a = Add(x, three)\n c = Clip(a, zero, six)\n";

void expect_hard_swish(const std::string& formula) {
  SCOPED_TRACE(formula);
  expect_rewrite(kFuseHardSwish, kHead + kNumbers + formula + " }", kHead + " y = HardSwish(x) }");
}

TEST(FuseHardSwish, ClippedLineInEveryOrder) {
  expect_hard_swish(kClip + " m = Mul(x, c)\n y = Div(m, six)");    // Paddle
  expect_hard_swish(kClip + " d = Div(c, six)\n y = Mul(x, d)");    // torch.onnx.export
  expect_hard_swish(kClip + " d = Mul(c, sixth)\n y = Mul(d, x)");  // Keras
  expect_hard_swish(
      " a = Add(x, three)\n r = Relu(a)\n c = Min(r, six)\n m = Mul(c, x)\n y = Mul(sixth, m)");
  expect_hard_swish(
      " a = Add(x, three)\n r = Max(zero, a)\n c = Min(six, r)\n m = Mul(c, x)\n y = Div(m, six)");
  expect_hard_swish(
      " s = Mul(x, sixth)\n a = Add(s, half)\n c = Clip(a, zero, one)\n y = Mul(x, c)");
  expect_hard_swish(" c = HardSigmoid[alpha=0.16666667, beta=0.5](x)\n y = Mul(c, x)");
  expect_hard_swish(" c = HardSigmoid[alpha=0.16666667](x)\n y = Mul(x, c)");
}

TEST(FuseHardSwish, LeavesOtherLines) {
  const auto kept = [](const std::string& formula) {
    SCOPED_TRACE(formula);
    expect_no_rewrite(kFuseHardSwish, kHead + kNumbers + formula + " }");
  };
  kept(kClip + " y = Mul(x, c)");
  kept(kClip + " d = Div(c, three)\n y = Mul(x, d)");
  kept(" a = Add(x, half)\n c = Clip(a, zero, six)\n d = Div(c, six)\n y = Mul(x, d)");
  kept(" a = Add(x, three)\n c = Clip(a, one, six)\n d = Div(c, six)\n y = Mul(x, d)");
  kept(" a = Add(x, three)\n c = Clip(a, _, six)\n d = Div(c, six)\n y = Mul(x, d)");
  kept(" c = HardSigmoid(x)\n y = Mul(c, x)");  // alpha is 0.2
  kept(" c = HardSigmoid[alpha=0.16666667, beta=0.25](x)\n y = Mul(c, x)");
  kept(" c = HardSigmoid[alpha=0.16666667](x)\n d = Mul(c, half)\n y = Mul(d, x)");
  kept(" n = Neg(x)\n c = HardSigmoid[alpha=0.16666667](n)\n y = Mul(c, x)");
  kept(" c = HardSigmoid[alpha=0.16666667](x)\n y = Mul(c, c)");
  kept(" a = Add(x, three)\n r = Relu(a)\n c = Min(r, six, six)\n d = Div(c, six)\n y = Mul(x, d)");
  kept(" a = Add(x, three)\n r = Max(a, one)\n c = Min(r, six)\n d = Div(c, six)\n y = Mul(x, d)");
  kept(" a = Add(x, three)\n r = Relu(a)\n c = Min(r, three)\n d = Div(c, six)\n y = Mul(x, d)");
  kept(" a = Add(x, three)\n c = Clip(a, zero, zero)\n d = Div(c, six)\n y = Mul(x, d)");
  for (const char* power : {"s = Mul(x, x)", "s = Pow(x, three)"})
    kept(std::string(power) +
         "\n b = Add(x, s)\n a = Add(b, three)\n c = Clip(a, zero, six)\n d = Div(c, six)\n y = "
         "Mul(x, d)");
  kept(kClip + " d = Div(six, c)\n y = Mul(x, d)");
  expect_no_rewrite(kFuseHardSwish, "graph (x: float[N,8], z: float[N,8]) -> (y) {" + kNumbers +
                                        kClip + " d = Div(c, six)\n y = Mul(z, d) }");
  expect_no_rewrite(kFuseHardSwish, "graph (x: float[N,8]) -> (y, c) {" + kNumbers + kClip +
                                        " d = Div(c, six)\n y = Mul(x, d) }");
  // HardSwish takes bfloat16 only from opset 22 on.
  expect_no_rewrite(
      kFuseHardSwish,
      "graph (x: bfloat16[N]) -> (y) { zero: bfloat16[] = {0}\n three: bfloat16[] = {3}\n six: "
      "bfloat16[] = {6}\n a = Add(x, three)\n c = Clip(a, zero, six)\n m = Mul(x, c)\n y = Div(m, "
      "six) }");
}

TEST(FuseHardSigmoid, ALineClippedToOne) {
  expect_rewrite(kFuseHardSigmoid, kHead + kNumbers + kClip + " y = Div(c, six) }",
                 kHead + " y = HardSigmoid[alpha=0.16666667, beta=0.5](x) }");
  expect_rewrite(
      kFuseHardSigmoid,
      kHead + kNumbers + " s = Mul(x, half)\n a = Add(s, half)\n y = Clip(a, zero, one) }",
      kHead + " y = HardSigmoid[alpha=0.5, beta=0.5](x) }");
}

TEST(FuseHardSigmoid, LeavesOtherClips) {
  const auto kept = [](const std::string& formula) {
    SCOPED_TRACE(formula);
    expect_no_rewrite(kFuseHardSigmoid, kHead + kNumbers + formula + " }");
  };
  kept(" y = Clip(x, zero, one)");
  kept(kClip + " y = Mul(c, half)");
  kept(" a = Add(x, three)\n c = Clip(a, one, six)\n y = Div(c, six)");
  kept(" a = Add(x, three)\n y = Clip(a, zero, six)");
  // Attributes are floats, too coarse a sixth for a double.
  expect_no_rewrite(
      kFuseHardSigmoid,
      "graph (x: double[N]) -> (y) { zero: double[] = {0}\n three: double[] = {3}\n six: "
      "double[] = {6}\n a = Add(x, three)\n c = Clip(a, zero, six)\n y = Div(c, six) }");
}

}  // namespace
}  // namespace shipway
