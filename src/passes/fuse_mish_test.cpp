#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,8]) -> (y: float[N,8]) {";

TEST(FuseMish, TimesTanhOfSoftplus) {
  for (const char* product : {"Mul(x, t)", "Mul(t, x)"})
    expect_rewrite(kFuseMish, kHead + " s = Softplus(x)\n t = Tanh(s)\n y = " + product + " }",
                   kHead + " y = Mish(x) }");
}

TEST(FuseMish, LeavesOtherFormulas) {
  expect_no_rewrite(kFuseMish, kHead + " s = Softplus(x)\n t = Tanh(s)\n y = Mul(s, t) }");
  expect_no_rewrite(kFuseMish, kHead + " s = Softplus(x)\n t = Sigmoid(s)\n y = Mul(x, t) }");
  expect_no_rewrite(kFuseMish, kHead + " s = Softplus(x)\n t = Tanh(s)\n y = Add(x, t) }");
  expect_no_rewrite(
      kFuseMish, "graph (x: float[N]) -> (y, s) { s = Softplus(x)\n t = Tanh(s)\n y = Mul(x, t) }");
}

TEST(FuseSoftplus, LogOfOnePlusExp) {
  for (const char* sum : {"Add(e, one)", "Add(one, e)"})
    expect_rewrite(kFuseSoftplus,
                   kHead + " one: float[] = {1}\n e = Exp(x)\n a = " + sum + "\n y = Log(a) }",
                   kHead + " y = Softplus(x) }");
}

TEST(FuseSoftplus, LeavesOtherLogarithms) {
  expect_no_rewrite(kFuseSoftplus,
                    kHead + " two: float[] = {2}\n e = Exp(x)\n a = Add(e, two)\n y = Log(a) }");
  expect_no_rewrite(kFuseSoftplus,
                    kHead + " one: float[] = {1}\n e = Exp(x)\n a = Sub(one, e)\n y = Log(a) }");
  expect_no_rewrite(kFuseSoftplus,
                    kHead + " one: float[] = {1}\n e = Sqrt(x)\n a = Add(one, e)\n y = Log(a) }");
  expect_no_rewrite(kFuseSoftplus, kHead + " y = Log(x) }");
  // Softplus takes bfloat16 only from opset 22 on.
  expect_no_rewrite(kFuseSoftplus,
                    "graph (x: bfloat16[N]) -> (y) { one: bfloat16[] = {1}\n e = Exp(x)\n a = "
                    "Add(e, one)\n y = Log(a) }");
}

}  // namespace
}  // namespace shipway
