#include <gtest/gtest.h>

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

}  // namespace
}  // namespace shipway
