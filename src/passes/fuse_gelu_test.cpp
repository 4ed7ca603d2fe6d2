// The formulas are those of the ONNX specification of Gelu; the forms, what exporters write.
#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,S,64]) -> (y: float[N,S,64]) {";
const std::string kNumbers =
    " half: float[] = {0.5}\n one: float[] = {1}\n two: float[] = {2}\n three: float[] = {3}\n"
    " root: float[] = {1.4142135}\n inverse: float[] = {0.70710677}\n"
    " cubic: float[] = {0.044715}\n k: float[] = {0.79788458}\n";

void expect_gelu(const std::string& formula, const std::string& attributes = "") {
  SCOPED_TRACE(formula);
  expect_rewrite(kFuseGelu, kHead + kNumbers + formula + " }",
                 kHead + " y = Gelu" + attributes + "(x) }");
}
void expect_none(const std::string& formula) {
  SCOPED_TRACE(formula);
  expect_no_rewrite(kFuseGelu, kHead + kNumbers + formula + " }");
}

const std::string kErf = " s = Div(x, root)\n e = Erf(s)\n c = Add(e, one)\n";

TEST(FuseGelu, ErfInEveryOrder) {
  expect_gelu(kErf + " m = Mul(x, c)\n y = Mul(m, half)");  // torch.onnx.export, scripted
  expect_gelu(kErf + " h = Mul(half, c)\n y = Mul(x, h)");  // torch.onnx.export, dynamo
  expect_gelu(kErf + " h = Mul(x, half)\n y = Mul(h, c)");  // Hugging Face, Paddle
  expect_gelu(kErf + " m = Mul(c, x)\n y = Div(m, two)");
  expect_gelu(
      " s = Mul(inverse, x)\n e = Erf(s)\n c = Add(one, e)\n h = Mul(half, x)\n y = Mul(c, h)");
  expect_gelu(
      " s = Div(x, root)\n e = Erf(s)\n g = Mul(e, half)\n c = Add(g, half)\n y = Mul(c, x)");
  // Two divisions that make one: x / 2 * sqrt(2) / 2 * 2 ...
  expect_gelu(
      " d = Div(x, two)\n s = Mul(d, root)\n e = Erf(s)\n c = Add(e, one)\n m = Mul(x, c)\n y = "
      "Mul(m, half)");
}

TEST(FuseGelu, TanhInEveryOrder) {
  const std::string attributes = "[approximate=\"tanh\"]";
  const std::string end = " t = Tanh(a)\n p = Add(t, one)\n h = Mul(x, half)\n y = Mul(h, p)";
  // Hugging Face's NewGELU; JAX; FastGelu of ONNX Runtime and of Keras
  expect_gelu(" q = Pow(x, three)\n c = Mul(cubic, q)\n i = Add(x, c)\n a = Mul(i, k)\n" + end,
              attributes);
  expect_gelu(
      " b = Mul(cubic, x)\n q = Mul(x, b)\n c = Mul(x, q)\n i = Add(x, c)\n a = Mul(k, i)\n t = "
      "Tanh(a)\n p = Add(one, t)\n h = Mul(half, p)\n y = Mul(x, h)",
      attributes);
  expect_gelu(
      " q = Pow(x, two)\n c = Mul(q, cubic)\n i = Add(c, one)\n b = Mul(x, k)\n a = Mul(b, i)\n" +
          end,
      attributes);
  expect_gelu(
      " q = Mul(x, x)\n r = Mul(q, x)\n c = Mul(r, cubic)\n i = Add(c, x)\n a = Mul(i, k)\n" + end,
      attributes);
}

TEST(FuseGelu, OfEveryFloat) {
  for (const char* dtype : {"float16", "bfloat16", "double"}) {
    SCOPED_TRACE(dtype);
    const std::string type = dtype,
                      head = "graph (x: " + type + "[N,8]) -> (y: " + type + "[N,8]) {";
    expect_rewrite(kFuseGelu,
                   head + " half: " + type + "[1] = {0.5}\n one: " + type + "[1] = {1}\n root: " +
                       type + "[1] = {1.4142135}\n" + kErf + " m = Mul(x, c)\n y = Mul(m, half) }",
                   head + " y = Gelu(x) }");
  }
}

TEST(FuseGelu, LeavesOtherFormulas) {
  expect_none(kErf + " y = Mul(x, c)");  // twice as much
  expect_none(kErf + " m = Mul(x, c)\n y = Mul(m, one)");
  expect_none(kErf + " m = Mul(half, c)\n y = Mul(m, half)");  // no x
  expect_none(" e = Erf(x)\n c = Add(e, one)\n m = Mul(x, c)\n y = Mul(m, half)");
  expect_none(
      " s = Div(x, root)\n e = Erf(s)\n c = Sub(e, one)\n m = Mul(x, c)\n y = Mul(m, half)");
  expect_none(
      " s = Div(x, root)\n e = Tanh(s)\n c = Add(e, one)\n m = Mul(x, c)\n y = Mul(m, half)");
  expect_none(
      " s = Div(x, root)\n r = Add(s, one)\n e = Erf(r)\n c = Add(e, one)\n m = Mul(x, c)\n"
      " y = Mul(m, half)");
  // tanh without the cubic term, and with a square in its place
  expect_none(" a = Mul(x, k)\n t = Tanh(a)\n p = Add(t, one)\n h = Mul(x, half)\n y = Mul(h, p)");
  expect_none(
      " q = Pow(x, two)\n c = Mul(cubic, q)\n i = Add(x, c)\n a = Mul(i, k)\n t = Tanh(a)\n"
      " p = Add(t, one)\n h = Mul(x, half)\n y = Mul(h, p)");
  // erf of something else
  expect_no_rewrite(kFuseGelu, "graph (x: float[N,4], z: float[N,4]) -> (y) {" + kNumbers +
                                   " s = Div(z, root)\n e = Erf(s)\n c = Add(e, one)\n m = Mul(x, "
                                   "c)\n y = Mul(m, half) }");
}

TEST(FuseGelu, LeavesWhatOthersReadOnTheWay) {
  const std::string rest = " m = Mul(x, c)\n y = Mul(m, half)";
  expect_no_rewrite(kFuseGelu, "graph (x: float[N,4]) -> (y, e) {" + kNumbers + kErf + rest + " }");
  expect_no_rewrite(
      kFuseGelu, "graph (x: float[N,4]) -> (y, z) {" + kNumbers + kErf + rest + "\n z = Neg(c) }");
  expect_no_rewrite(
      kFuseGelu, "graph (x: float[N,4]) -> (y, z) {" + kNumbers + kErf + rest + "\n z = Neg(m) }");
  expect_no_rewrite(kFuseGelu, "graph (x: float[N,4], old: float[N,4]) -> (y) {" + kNumbers + kErf +
                                   rest + "\n state old -> s }");
  // x and the result may have any number of readers.
  const std::string head = "graph (x: float[N,4]) -> (y, z, x) {";
  expect_rewrite(kFuseGelu, head + kNumbers + kErf + rest + "\n z = Add(x, y) }",
                 head + " y = Gelu(x)\n z = Add(x, y) }");
}

TEST(FuseGelu, NumbersMustNotAddAxes) {
  const std::string formula = kErf + " m = Mul(x, c)\n y = Mul(m, wide) }";
  for (const auto& [shape, fits] : {std::pair("1,1", true), std::pair("1,1,1", false)}) {
    const std::string graph = "graph (x: float[N,4]) -> (y) {" + kNumbers + " wide: float[" +
                              shape + "] = {0.5}\n" + formula;
    if (fits)
      expect_rewrite(kFuseGelu, graph, "graph (x: float[N,4]) -> (y) { y = Gelu(x) }");
    else
      expect_no_rewrite(kFuseGelu, graph);
  }
  // Of an unknown rank scalars alone are safe.
  expect_no_rewrite(kFuseGelu,
                    "graph (x: float) -> (y) {" + kNumbers + " wide: float[1] = {0.5}\n" + formula);
  expect_rewrite(
      kFuseGelu,
      "graph (x: float) -> (y) {" + kNumbers + kErf + " m = Mul(x, c)\n y = Mul(m, half) }",
      "graph (x: float) -> (y) { y = Gelu(x) }");
}

TEST(FuseGelu, InsideASubgraphNothingOfOutsideIsTaken) {
  // e stands outside: its formula is not the branch's to remove.
  expect_no_rewrite(kFuseGelu, "graph (x: float[N,4], c: bool[]) -> (y) {" + kNumbers +
                                   " s = Div(x, root)\n e = Erf(s)\n"
                                   " y = If[then_branch=graph () -> (a) { p = Add(e, one)\n m = "
                                   "Mul(x, p)\n a = Mul(m, half) }, else_branch=graph () -> (b) { "
                                   "b = Neg(x) }](c) }");
}

}  // namespace
}  // namespace shipway
