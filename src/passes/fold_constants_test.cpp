#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

TEST(FoldConstants, ComputesChainsOfConstants) {
  expect_rewrite(kFoldConstants,
                 "graph (x: float[2,2]) -> (y) { w: float[2,2] = {1, 2, 3, 4}\n a: float[2,2] = "
                 "Transpose[perm=[1, 0]](w)\n"
                 "  b: float[2,2] = Identity(a)\n y = Add(x, b) }",
                 "graph (x: float[2,2]) -> (y) { b: float[2,2] = {1, 3, 2, 4}\n y = Add(x, b) }");
}

TEST(FoldConstants, ConstantNodesBecomeInitializers) {
  expect_rewrite(kFoldConstants,
                 "graph (x: float[2]) -> (y, w) { c = Constant[value=float[2] {1, 2}]()\n w = "
                 "Constant[value_ints=[3, 4]]()\n"
                 "  y = Add(x, c) }",
                 "graph (x: float[2]) -> (y, w) { c: float[2] = {1, 2}\n w: int64[2] = {3, 4}\n y "
                 "= Add(x, c) }");
}

TEST(FoldConstants, ShapeAndSizeNeedSizesOnly) {
  expect_rewrite(kFoldConstants,
                 "graph (x: float[2,N,3], z: float[2,5]) -> (a, b, c) { a = Shape[start=-1](x)\n b "
                 "= Shape[end=1](x)\n"
                 "  c = Size(z) }",
                 "graph (x: float[2,N,3], z: float[2,5]) -> (a, b, c) { a: int64[1] = {3}\n b: "
                 "int64[1] = {2}\n"
                 "  c: int64[] = {10} }");
  expect_no_rewrite(kFoldConstants,
                    "graph (x: float[2,N], z) -> (a, b) { a = Shape(x)\n b = Size(z) }");
}

TEST(FoldConstants, FoldsInsideSubgraphsFromOutside) {
  expect_rewrite(
      kFoldConstants,
      "graph (x: float[1], c: bool[]) -> (y) { w: float[1,1] = {1}\n"
      "  y = If[then_branch=graph () -> (t) { v: float[1,1] = Transpose(w)\n t = Add(x, v) }, "
      "else_branch=graph () -> (x) {}](c) }",
      "graph (x: float[1], c: bool[]) -> (y) {\n"
      "  y = If[then_branch=graph () -> (t) { v: float[1,1] = {1}\n t = Add(x, v) }, "
      "else_branch=graph () -> (x) {}](c) }");
}

TEST(FoldConstants, KeepsRandomOverridableQuantizedAndUnknown) {
  expect_no_rewrite(
      kFoldConstants,
      "graph (x: float[1], w: float[1]) -> (y) { w = {1}\n q: int8[1] = {3}\n s: float[] = {2}\n"
      "  a = RandomNormal[shape=[1]]()\n b = Identity(w)\n c = DequantizeLinear(q, s)\n"
      "  d = com.example.Unknown(s)\n e = RandomNormalLike(s)\n y = Sum(x, a, b, c, d, e) }");
}

TEST(FoldConstants, KeepsWhatWouldGrowTooLarge) {
  OptimizeReport report;
  const Model model =
      rewritten(kFoldConstants,
                "graph () -> (y) { n: int64[2] = {1000, 1000}\n y = ConstantOfShape(n) }", &report);
  EXPECT_EQ(report.rewrites, 0);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes[0].find("not folded: "), std::string::npos) << report.notes[0];
}

// A branch that is never taken may hold a node that cannot be computed.
TEST(FoldConstants, KeepsWhatFails) {
  OptimizeReport report;
  rewritten(kFoldConstants,
            "graph () -> (y) { w: float[2] = {1, 2}\n n: int64[1] = {3}\n y = Reshape(w, n) }",
            &report);
  EXPECT_EQ(report.rewrites, 0);
  ASSERT_EQ(report.notes.size(), 1u);
}

}  // namespace
}  // namespace shipway
