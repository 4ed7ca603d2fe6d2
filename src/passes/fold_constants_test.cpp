#include <gmock/gmock.h>

#include "graph/text.h"
#include "operators/upgrade.h"
#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(FoldConstants, ShapeCountsFromTheEndAndStopsAtTheEnds) {
  const auto folded = [](const std::string& attributes, const std::string& expected) {
    expect_rewrite(kFoldConstants,
                   "graph (x: float[2,3,4]) -> (a) { a = Shape[" + attributes + "](x) }",
                   "graph (x: float[2,3,4]) -> (a) { a: " + expected + " }");
  };
  folded("start=-9", "int64[3] = {2, 3, 4}");
  folded("end=9", "int64[3] = {2, 3, 4}");
  folded("start=1, end=-1", "int64[1] = {3}");
  folded("start=-1, end=1", "int64[0] = {}");
  // One output more than Shape has is the checker's subject.
  expect_no_rewrite(kFoldConstants, "graph (x: float[2]) -> (a, b) { a, b = Shape(x) }");
}

TEST(FoldConstants, InputsLeftOutStayOut) {
  expect_rewrite(
      kFoldConstants,
      "graph () -> (y) { w: float[2] = {-1, 9}\n hi: float[] = {6}\n y = Clip(w, _, hi) }",
      "graph () -> (y) { y: float[2] = {-1, 6} }");
}

TEST(FoldConstants, TakesTheOutputsThatAreUsed) {
  const std::string text =
      "graph (x: float[1]) -> (y) { w: float[2] = {1, 2}\n a, b = Split[num_outputs=2](w)\n y = "
      "Add(x, b) }";
  expect_rewrite(kFoldConstants, text,
                 "graph (x: float[1]) -> (y) { b: float[1] = {2}\n y = Add(x, b) }");
  expect_no_rewrite(kFoldConstants,
                    "graph () -> (y) { w: float[2] = {1, 2}\n y = SequenceConstruct(w, w) }");
}

TEST(FoldConstants, GoesOnBehindWhatItCannotCompute) {
  expect_rewrite(kFoldConstants,
                 "graph (x: float[1]) -> (y) { w: float[1] = {1}\n a = Neg(x)\n b: float[1] = "
                 "Neg(w)\n y = Add(a, b) }",
                 "graph (x: float[1]) -> (y) { b: float[1] = {-1}\n a = Neg(x)\n y = Add(a, b) }");
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
      "  d = com.example.Unknown(s)\n e = RandomNormalLike(s)\n f = QuantizeLinear(s, s)\n"
      "  y = Op(x, a, b, c, d, e, f) }");
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

/// Folds `text` (what it leaves behind stays) within these limits.
struct Folded {
  OptimizeReport report;
  double seconds_left;
};
Folded folded(const std::string& text, const OptimizeOptions& options) {
  Model model = parse("opset " + std::to_string(newest_opset("")) + "\n" + text).value_or_throw();
  Folded result;
  PassContext context(model, options, Registry::built_in(), result.report);
  const Status status = run_pass(kFoldConstants, context);
  EXPECT_TRUE(status.is_ok()) << status.message();
  result.seconds_left = context.fold_seconds_left();
  return result;
}

// w has 16 bytes and n 8: twice that is 48, a result of three times w. Four times that is what the
// operator may use on its way.
TEST(FoldConstants, ResultsMayTakeTwiceTheirInputsOrTheLimit) {
  const auto tiled = [](int times, int64_t limit) {
    return folded("graph () -> (y) { w: float[4] = {1, 2, 3, 4}\n n: int64[1] = {" +
                      std::to_string(times) + "}\n y = Tile(w, n) }",
                  {.max_folded_bytes = limit})
        .report;
  };
  EXPECT_EQ(tiled(3, 0).rewrites, 1);
  EXPECT_EQ(tiled(4, 0).rewrites, 0);
  EXPECT_EQ(tiled(4, 64).rewrites, 1);
  EXPECT_EQ(tiled(4, 63).rewrites, 0);
  EXPECT_THAT(tiled(12, 0).notes, ElementsAre(HasSubstr("would take 192 bytes")));
  EXPECT_THAT(tiled(13, 0).notes, ElementsAre(Not(HasSubstr("would take"))));
}

TEST(FoldConstants, TakesNoMoreTimeThanItHas) {
  const std::string text = "graph () -> (y) { w: float[2] = {1, 2}\n a = Neg(w)\n y = Abs(a) }";
  const Folded all = folded(text, {.max_fold_seconds = 1000});
  EXPECT_EQ(all.report.rewrites, 2);
  EXPECT_LT(all.seconds_left, 1000);
  EXPECT_GT(all.seconds_left, 900) << "two nodes of two elements";
  EXPECT_EQ(folded(text, {.max_fold_seconds = 0.9}).report.rewrites, 2);

  const Folded none = folded(text, {.max_fold_seconds = 0});
  EXPECT_EQ(none.report.rewrites, 0);
  EXPECT_THAT(none.report.notes,
              ElementsAre(HasSubstr("time for folding constants is used up before")));
  // A node of much work ends when the time does.
  const Folded hurried = folded("graph () -> (y) { w: float[300,300] = fill 1\n y = MatMul(w, w) }",
                                {.max_fold_seconds = 1e-9});
  EXPECT_EQ(hurried.report.rewrites, 0);
  EXPECT_THAT(hurried.report.notes, ElementsAre(HasSubstr("the run passed its deadline")));
}

}  // namespace
}  // namespace shipway
