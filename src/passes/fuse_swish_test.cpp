#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,8]) -> (y: float[N,8]) {";
const std::string kNumbers = " one: float[] = {1}\n quick: float[] = {1.702}\n";

TEST(FuseSwish, TimesSigmoidEitherWayRound) {
  for (const char* product : {"Mul(x, s)", "Mul(s, x)"})
    expect_rewrite(kFuseSwish, kHead + " s = Sigmoid(x)\n y = " + product + " }",
                   kHead + " y = Swish(x) }");
  // QuickGELU
  expect_rewrite(kFuseSwish,
                 kHead + kNumbers + " q = Mul(quick, x)\n s = Sigmoid(q)\n y = Mul(x, s) }",
                 kHead + " y = Swish[alpha=1.702](x) }");
}

TEST(FuseSwish, OverOnePlusExp) {
  expect_rewrite(kFuseSwish,
                 kHead + kNumbers + " n = Neg(x)\n e = Exp(n)\n d = Add(e, one)\n y = Div(x, d) }",
                 kHead + " y = Swish(x) }");
  expect_no_rewrite(kFuseSwish, kHead + kNumbers +
                                    " n = Neg(x)\n e = Exp(n)\n d = Sub(one, e)\n y = Div(x, d) }");
  expect_no_rewrite(
      kFuseSwish,
      kHead + kNumbers + " n = Neg(x)\n e = Exp(n)\n d = Add(e, quick)\n y = Div(x, d) }");
  expect_no_rewrite(kFuseSwish, kHead + kNumbers +
                                    " n = Neg(x)\n e = Exp(n)\n d = Add(e, one)\n y = Div(d, x) }");
}

TEST(FuseSwish, GatedUnitsKeepTheirOtherFactor) {
  const std::string head = "graph (x: float[N,8], u: float[N,8]) -> (y) {";
  expect_rewrite(kFuseSwish, head + " s = Sigmoid(x)\n g = Mul(x, s)\n y = Mul(g, u) }",
                 head + " g = Swish(x)\n y = Mul(g, u) }");
}

TEST(FuseSwish, LeavesOtherGates) {
  expect_no_rewrite(
      kFuseSwish, "graph (x: float[N,8], z: float[N,8]) -> (y) { s = Sigmoid(z)\n y = Mul(x, s) }");
  expect_no_rewrite(kFuseSwish,
                    "graph (x: float[N,8]) -> (y, s) { s = Sigmoid(x)\n y = Mul(x, s) }");
  expect_no_rewrite(kFuseSwish, kHead + " s = Sigmoid(x)\n y = Mul(s, s) }");
  expect_no_rewrite(kFuseSwish, kHead + " s = Tanh(x)\n y = Mul(x, s) }");
  expect_no_rewrite(kFuseSwish,
                    kHead + kNumbers + " q = Add(x, one)\n s = Sigmoid(q)\n y = Mul(x, s) }");
  expect_no_rewrite(kFuseSwish,
                    kHead + kNumbers + " q = Mul(x, x)\n s = Sigmoid(q)\n y = Mul(x, s) }");
}

TEST(FuseSwish, AlphaIsAFloatSoADoubleMustFitIt) {
  const auto graph = [](const char* alpha) {
    return std::string("graph (x: double[N]) -> (y) { a: double[] = {") + alpha +
           "}\n q = Mul(x, a)\n s = Sigmoid(q)\n y = Mul(x, s) }";
  };
  expect_no_rewrite(kFuseSwish, graph("1.702"));
  expect_rewrite(kFuseSwish, graph("1.5"),
                 "graph (x: double[N]) -> (y) { y = Swish[alpha=1.5](x) }");
}

}  // namespace
}  // namespace shipway
