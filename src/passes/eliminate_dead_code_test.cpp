#include <gtest/gtest.h>

#include "graph/builder.h"
#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

TEST(EliminateDeadCode, RemovesChainsNobodyNeeds) {
  expect_rewrite(
      kEliminateDeadCode,
      "graph (x: float[2], unread: float) -> (y) { w: float[1] = {1}\n v: float[1] = {2}\n"
      "  a = Neg(x)\n b = Add(a, w)\n y = Add(x, v) }",
      "graph (x: float[2], unread: float) -> (y) { v: float[1] = {2}\n y = Add(x, v) }");
}

TEST(EliminateDeadCode, RemovesWholeSubgraphsAndWhatOnlyTheyRead) {
  expect_rewrite(kEliminateDeadCode,
                 "graph (x: float[2], c: bool[]) -> (y) { w: float[1] = {1}\n a = Neg(x)\n"
                 "  d = If[then_branch=graph () -> (t) { t = Add(a, w) }, else_branch=graph () -> "
                 "(e) { e = Neg(a) }](c)\n"
                 "  y = Abs(x) }",
                 "graph (x: float[2], c: bool[]) -> (y) { y = Abs(x) }");
}

TEST(EliminateDeadCode, CleansInsideSubgraphsThatStay) {
  expect_rewrite(
      kEliminateDeadCode,
      "graph (x: float[2], c: bool[]) -> (y) { a = Neg(x)\n"
      "  y = If[then_branch=graph () -> (t) { u = Abs(a)\n t = Abs(x) }, else_branch=graph () -> "
      "(x) {}](c) }",
      "graph (x: float[2], c: bool[]) -> (y) {\n"
      "  y = If[then_branch=graph () -> (t) { t = Abs(x) }, else_branch=graph () -> (x) {}](c) }");
}

TEST(EliminateDeadCode, KeepsInputsOverridableOnesStatesAndUnknownOperators) {
  expect_no_rewrite(
      kEliminateDeadCode,
      "graph (x: float[2], w: float[1], s: float[2]) -> (y) { w = {1}\n y = Neg(x)\n n = Abs(s)\n"
      "  state s -> n\n log = com.example.Log(x) }");
}

TEST(EliminateDeadCode, KeepsWhatAnUnknownOperatorInsideNeeds) {
  expect_no_rewrite(kEliminateDeadCode,
                    "graph (x: float[2], c: bool[]) -> (x) { a = Neg(x)\n"
                    "  d = If[then_branch=graph () -> (a) { l = com.example.Log(a) }, "
                    "else_branch=graph () -> (x) {}](c) }");
}

TEST(EliminateDeadCode, KeepsAnUnknownOperatorThatComesFirst) {
  expect_no_rewrite(kEliminateDeadCode,
                    "graph (x: float[2]) -> (y) { log = com.example.Log(x)\n y = Neg(x) }");
}

TEST(EliminateDeadCode, RemovesCallsOfTheModelsOwnFunctions) {
  const std::string function =
      "opset com.example 1\nfunction com.example.Twice (a) -> (b) { b = Add(a, a) }\n";
  expect_rewrite(kEliminateDeadCode,
                 function + "graph (x: float[2]) -> (y) { t = com.example.Twice(x)\n y = Neg(x) }",
                 function + "graph (x: float[2]) -> (y) { y = Neg(x) }");
}

TEST(EliminateDeadCode, InputsLeftOutNeedNothing) {
  expect_rewrite(
      kEliminateDeadCode,
      "graph (x: float[2]) -> (y) { hi: float[] = {6}\n n = Neg(x)\n y = Clip(x, _, hi) }",
      "graph (x: float[2]) -> (y) { hi: float[] = {6}\n y = Clip(x, _, hi) }");
}

TEST(EliminateDeadCode, KeepsInitializersThatAStateWritesAndRemovesTheFirstValueToo) {
  expect_no_rewrite(kEliminateDeadCode,
                    "graph (s: float[2]) -> () { w: float[2] = {1, 2}\n state s -> w }");
  Model model;
  ModelBuilder builder(model);
  const ValueId first = builder.add_value(model.main_graph(), "w", {});
  builder.add_initializer(first, Constant{.tensor = Tensor::scalar(1.0f)});
  OptimizeOptions options;
  OptimizeReport report;
  PassContext context(model, options, Registry::built_in(), report);
  ASSERT_TRUE(run_pass(kEliminateDeadCode, context).is_ok());
  EXPECT_TRUE(model.graph().initializers().empty());
}

}  // namespace
}  // namespace shipway
