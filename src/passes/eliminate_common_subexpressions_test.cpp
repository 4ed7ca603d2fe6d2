#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const Pass& kPass = kEliminateCommonSubexpressions;

TEST(EliminateCommonSubexpressions, MergesEqualNodesAndTheirFollowers) {
  expect_rewrite(kPass,
                 "graph (x: float[2]) -> (y) { a = Selu[alpha=1.5, gamma=2.0](x)\n b = "
                 "Selu[gamma=2.0, alpha=1.5](x)\n"
                 "  c = Neg(a)\n d = Neg(b)\n y = Add(c, d) }",
                 "graph (x: float[2]) -> (y) { a = Selu[alpha=1.5, gamma=2.0](x)\n c = Neg(a)\n y "
                 "= Add(c, c) }");
}

TEST(EliminateCommonSubexpressions, MergesEqualInitializers) {
  expect_rewrite(kPass,
                 "graph (x: float[2]) -> (y) { w: float[2] = {1, 2}\n v: float[2] = {1, 2}\n u: "
                 "int32[2] = {1, 2}\n"
                 "  a = Add(x, w)\n b = Add(x, v)\n y = Op(a, b, u) }",
                 "graph (x: float[2]) -> (y) { w: float[2] = {1, 2}\n u: int32[2] = {1, 2}\n a = "
                 "Add(x, w)\n y = Op(a, a, u) }");
}

TEST(EliminateCommonSubexpressions, GraphOutputsKeepTheirNames) {
  expect_rewrite(kPass, "graph (x: float[2]) -> (y, z) { y = Neg(x)\n z = Neg(x) }",
                 "graph (x: float[2]) -> (y, z) { y = Neg(x)\n z = Identity(y) }");
}

TEST(EliminateCommonSubexpressions, KeepsWhatDiffers) {
  expect_no_rewrite(
      kPass,
      "graph (x: float[2], z: float[2], c: bool[]) -> (y) {\n"
      "  a = LeakyRelu[alpha=0.5](x)\n b = LeakyRelu[alpha=0.25](x)\n"  // attributes
      "  d = Sub(x, z)\n e = Sub(z, x)\n"                               // order of inputs
      "  f = RandomNormalLike(x)\n g = RandomNormalLike(x)\n"           // random
      "  r: float[] = {0.5}\n k = Dropout(x, r, c)\n l = Dropout(x, r, c)\n"
      "  h = com.example.Unknown(x)\n i = com.example.Unknown(x)\n"
      "  j = If[then_branch=graph () -> (t) { t = Neg(x) }, else_branch=graph () -> (x) {}](c)\n"
      "  y = Sum(a, b, d, e, f, g, h, i, j, k, l) }");
}

TEST(EliminateCommonSubexpressions, KeepsInitializersThatCallersMayOverride) {
  expect_no_rewrite(
      kPass,
      "graph (x: float[2], w: float[1]) -> (y) { w = {1}\n v: float[1] = {1}\n y = Op(x, w, v) }");
}

}  // namespace
}  // namespace shipway
