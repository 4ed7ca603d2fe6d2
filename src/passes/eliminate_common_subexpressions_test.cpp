#include <gtest/gtest.h>

#include "graph/builder.h"
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

TEST(EliminateCommonSubexpressions, KeepsIdentitiesAndBranchesAndReferences) {
  expect_no_rewrite(kPass, "graph (x: float[2]) -> (y, z) { y = Identity(x)\n z = Identity(x) }");
  expect_no_rewrite(
      kPass,
      "graph (x: float[2], c: bool[]) -> (y) {\n"
      "  a = If[then_branch=graph () -> (t) { t = Neg(x) }, else_branch=graph () -> (x) {}](c)\n"
      "  b = If[then_branch=graph () -> (t) { t = Abs(x) }, else_branch=graph () -> (x) {}](c)\n"
      "  y = Add(a, b) }");
  expect_no_rewrite(
      kPass,
      "graph (x: float[2]) -> (y) { a = LeakyRelu[alpha: float = @p](x)\n b = LeakyRelu[alpha: "
      "float = @q](x)\n y = Add(a, b) }");
}

TEST(EliminateCommonSubexpressions, GoesOnBehindWhatItCannotCompare) {
  expect_rewrite(
      kPass,
      "graph (x: float[2], o: float[2]) -> (y) { o = {5, 6}\n w: float[2] = {1, 2}\n v: "
      "float[2] = {1, 2}\n"
      "  r = RandomNormalLike(x)\n a = Mul(x, w)\n b = Mul(x, v)\n y = Sum(a, b, r, o) }",
      "graph (x: float[2], o: float[2]) -> (y) { o = {5, 6}\n w: float[2] = {1, 2}\n"
      "  r = RandomNormalLike(x)\n a = Mul(x, w)\n y = Sum(a, a, r, o) }");
}

TEST(EliminateCommonSubexpressions, MergesTheOutputsThatAreUsed) {
  expect_rewrite(kPass,
                 "graph (x: float[4]) -> (y) { a, b = Split[num_outputs=2](x)\n c, d = "
                 "Split[num_outputs=2](x)\n y = Add(b, d) }",
                 "graph (x: float[4]) -> (y) { a, b = Split[num_outputs=2](x)\n y = Add(b, b) }");
  // The first left an output out that the second gives.
  expect_no_rewrite(kPass,
                    "graph (x: float[4]) -> (y) { _, b = Split[num_outputs=2](x)\n c, d = "
                    "Split[num_outputs=2](x)\n y = Sum(b, c, d) }");
}

TEST(EliminateCommonSubexpressions, WhatAStateWritesStaysItsOwn) {
  expect_no_rewrite(kPass,
                    "graph (s: float[2]) -> (y) { a = Neg(s)\n b = Neg(s)\n y = Add(a, b)\n state "
                    "s -> b }");
  expect_rewrite(
      kPass,
      "graph (s: float[2]) -> (y) { a = Neg(s)\n b = Neg(s)\n y = Add(a, b)\n state s -> "
      "a }",
      "graph (s: float[2]) -> (y) { a = Neg(s)\n y = Add(a, a)\n state s -> a }");
}

TEST(EliminateCommonSubexpressions, InitializersThatAreOutputsOrUnusedStay) {
  expect_no_rewrite(kPass, "graph () -> (y, z) { y: float[1] = {1}\n z: float[1] = {1} }");
  expect_no_rewrite(
      kPass,
      "graph (x: float[1]) -> (y) { w: float[1] = {1}\n v: float[1] = {1}\n y = Add(x, w) }");
}

// Large ones are not read: they are equal when they are the same memory, seen the same way.
TEST(EliminateCommonSubexpressions, ComparesLargeTensorsByTheirMemory) {
  const auto initializers = [](int bytes) {
    const std::string type = "uint8[" + std::to_string(bytes) + "]";
    return "graph (x: " + type + ") -> (y) { w: " + type + " = fill 1\n v: " + type +
           " = fill 1\n y = Sum(x, w, v) }";
  };
  OptimizeReport report;
  rewritten(kPass, initializers(4096), &report);
  EXPECT_EQ(report.rewrites, 1);
  expect_no_rewrite(kPass, initializers(4097));

  const auto merges = [](const Tensor& a, const Tensor& b) {
    Model model;
    ModelBuilder builder(model);
    for (const Tensor& tensor : {a, b}) {
      NodeSpec spec;
      spec.op_type = "Constant";
      spec.attributes = {{"value", tensor, {}, {}}};
      spec.outputs = {builder.add_value(model.main_graph(), "")};
      builder.add_output(model.main_graph(), spec.outputs[0]);
      EXPECT_TRUE(builder.add_node(model.main_graph(), std::move(spec)).is_ok());
    }
    OptimizeOptions options;
    OptimizeReport own;
    PassContext context(model, options, Registry::built_in(), own);
    EXPECT_TRUE(run_pass(kPass, context).is_ok());
    return own.rewrites > 0;
  };
  const Tensor large = Tensor::zeros(DType::kUInt8, {4097}).value_or_throw();
  EXPECT_TRUE(merges(large, Tensor(large)));
  EXPECT_FALSE(merges(large, Tensor::zeros(DType::kUInt8, {4097}).value_or_throw()));
  const Tensor small = Tensor::from<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(merges(small, Tensor::from<float>({2, 2}, {1, 2, 3, 4})));
  EXPECT_FALSE(merges(small, Tensor::from<float>({4}, {1, 2, 3, 4})));
  EXPECT_FALSE(merges(small, small.with_strides({2, 2}, {1, 2}))) << "transposed";
}

}  // namespace
}  // namespace shipway
