#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

TEST(CancelTransposes, JoinsTwoInARow) {
  expect_rewrite(kCancelTransposes,
                 "graph (x: float[A,B,C]) -> (y) { a: float[B,C,A] = Transpose[perm=[1, 2, 0]](x)\n"
                 "  y = Transpose[perm=[1, 0, 2]](a) }",
                 "graph (x: float[A,B,C]) -> (y) { y = Transpose[perm=[2, 1, 0]](x) }");
  expect_rewrite(kCancelTransposes,
                 "graph (x: float[A,B]) -> (y) { a: float[B,A] = Transpose(x)\n y = Transpose(a) }",
                 "graph (x: float[A,B]) -> (y) { y = Transpose[perm=[0, 1]](x) }");
}

TEST(CancelTransposes, MovesPastElementWiseNodesToMeetAnother) {
  expect_rewrite(
      kCancelTransposes,
      "graph (x: float[1,2,3,4]) -> (y) { lo: float[] = {0}\n"
      "  a: float[1,3,4,2] = Transpose[perm=[0, 2, 3, 1]](x)\n b: float[1,3,4,2] = Clip(a, lo)\n"
      "  c: float[1,3,4,2] = LeakyRelu[alpha=0.5](b)\n y = Transpose[perm=[0, 3, 1, 2]](c) }",
      "graph (x: float[1,2,3,4]) -> (y) { lo: float[] = {0}\n b = Clip(x, lo)\n c = "
      "LeakyRelu[alpha=0.5](b)\n"
      "  y = Transpose[perm=[0, 1, 2, 3]](c) }");
}

TEST(CancelTransposes, JoinsEqualTransposesOfBothOperands) {
  expect_rewrite(
      kCancelTransposes,
      "graph (x: float[A,B], z: float[A,B]) -> (y) { a: float[B,A] = Transpose[perm=[1, 0]](x)\n"
      "  b: float[B,A] = Transpose[perm=[1, 0]](z)\n y: float[B,A] = Add(a, b) }",
      "graph (x: float[A,B], z: float[A,B]) -> (y) { s = Add(x, z)\n y = Transpose[perm=[1, 0]](s) "
      "}");
}

TEST(CancelTransposes, TransposesConstantsBack) {
  expect_rewrite(
      kCancelTransposes,
      "graph (x: float[2,3]) -> (y) { w: float[3,2] = iota\n a: float[3,2] = Transpose[perm=[1, "
      "0]](x)\n"
      "  b: float[3,2] = Mul(a, w)\n y = Transpose[perm=[1, 0]](b) }",
      "graph (x: float[2,3]) -> (y) { w: float[3,2] = iota\n v = Transpose[perm=[1, 0]](w)\n"
      "  b = Mul(x, v)\n y = Transpose[perm=[0, 1]](b) }");
}

TEST(CancelTransposes, KeepsATransposeThatMeetsNoOther) {
  expect_no_rewrite(
      kCancelTransposes,
      "graph (x: float[A,B]) -> (y) { a: float[B,A] = Transpose[perm=[1, 0]](x)\n y = Relu(a) }");
  // Softmax is not element-wise, and the second reader needs the transposed value.
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[A,B]) -> (y) { a: float[B,A] = Transpose[perm=[1, 0]](x)\n"
                    "  b: float[B,A] = Softmax[axis=0](a)\n y = Transpose[perm=[1, 0]](b) }");
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[A,B]) -> (y, z) { a: float[B,A] = Transpose[perm=[1, 0]](x)\n "
                    "z = Softmax(a)\n"
                    "  b: float[B,A] = Relu(a)\n y = Transpose[perm=[1, 0]](b) }");
  // The other operand comes from elsewhere, or broadcasts over an axis that would move.
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[A,B], z: float[B,A], w: float[A]) -> (y) { a: float[B,A] = "
                    "Transpose[perm=[1, 0]](x)\n"
                    "  b: float[B,A] = Add(a, z)\n y = Transpose[perm=[1, 0]](b) }");
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[2,3]) -> (y) { w: float[2] = iota\n a: float[3,2] = "
                    "Transpose[perm=[1, 0]](x)\n"
                    "  b: float[3,2] = Add(a, w)\n y = Transpose[perm=[1, 0]](b) }");
}

TEST(CancelTransposes, OperandsOfOneElementStayAsTheyAre) {
  expect_rewrite(
      kCancelTransposes,
      "graph (x: float[2,3]) -> (y) { w: float[1] = {2}\n a: float[3,2] = Transpose[perm=[1, "
      "0]](x)\n"
      "  b: float[3,2] = Mul(a, w)\n y = Transpose[perm=[1, 0]](b) }",
      "graph (x: float[2,3]) -> (y) { w: float[1] = {2}\n b = Mul(x, w)\n y = Transpose[perm=[0, "
      "1]](b) }");
  // More axes than the other operand has would push those aside.
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[2,3]) -> (y) { w: float[1,1,1] = {2}\n a: float[3,2] = "
                    "Transpose[perm=[1, 0]](x)\n"
                    "  b = Mul(a, w)\n y = Transpose[perm=[1, 0]](b) }");
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[2,3], w: float) -> (y) { a: float[3,2] = Transpose[perm=[1, "
                    "0]](x)\n"
                    "  b = Mul(a, w)\n y = Transpose[perm=[1, 0]](b) }");
}

TEST(CancelTransposes, OperandsLeftOutStayOut) {
  expect_rewrite(
      kCancelTransposes,
      "graph (x: float[2,3]) -> (y) { hi: float[] = {6}\n a: float[3,2] = Transpose[perm=[1, "
      "0]](x)\n"
      "  b: float[3,2] = Clip(a, _, hi)\n y = Transpose[perm=[1, 0]](b) }",
      "graph (x: float[2,3]) -> (y) { hi: float[] = {6}\n b = Clip(x, _, hi)\n y = "
      "Transpose[perm=[0, 1]](b) }");
}

TEST(CancelTransposes, KeepsOperandsThatComeFromElsewhere) {
  // Made by a node that is no Transpose; transposed otherwise; used elsewhere too.
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[2,3], z: float[3,2]) -> (y) { a: float[3,2] = "
                    "Transpose[perm=[1, 0]](x)\n"
                    "  n: float[3,2] = Neg(z)\n b: float[3,2] = Add(a, n)\n y = "
                    "Transpose[perm=[1, 0]](b) }");
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[2,2,2], z: float[2,2,2]) -> (y) {\n"
                    "  a: float[2,2,2] = Transpose[perm=[1, 0, 2]](x)\n"
                    "  b: float[2,2,2] = Transpose[perm=[0, 2, 1]](z)\n y = Add(a, b) }");
  expect_no_rewrite(kCancelTransposes,
                    "graph (x: float[2,3]) -> (y, z) { a: float[3,2] = Transpose[perm=[1, 0]](x)\n"
                    "  b: float[3,2] = Relu(a)\n c: float[3,2] = Neg(b)\n z = Abs(b)\n"
                    "  y = Transpose[perm=[1, 0]](c) }");
}

TEST(CancelTransposes, FollowsNoPermutationThatIsNone) {
  for (const char* perm : {"1, 1", "0, 0", "0, 2", "0, 2, 1"}) {
    SCOPED_TRACE(perm);
    expect_no_rewrite(kCancelTransposes,
                      "graph (x: float[2,2]) -> (y) { a: float[2,2] = Transpose[perm=[" +
                          std::string(perm) + "]](x)\n y = Transpose[perm=[1, 0]](a) }");
  }
}

TEST(CancelTransposes, LooksSoFarForTheOther) {
  const auto chain = [](int between) {
    std::string text =
        "graph (x: float[2,3]) -> (y) { v0: float[3,2] = Transpose[perm=[1, 0]](x)\n";
    for (int i = 1; i <= between; ++i)
      text += "v" + std::to_string(i) + ": float[3,2] = Neg(v" + std::to_string(i - 1) + ")\n";
    return text + "y = Transpose[perm=[1, 0]](v" + std::to_string(between) + ") }";
  };
  OptimizeReport report;
  rewritten(kCancelTransposes, chain(32), &report);
  EXPECT_EQ(report.rewrites, 33) << "it moves past 32 nodes and joins";
  expect_no_rewrite(kCancelTransposes, chain(33));
}

TEST(CancelTransposes, DeclaresTheTypeOfWhatItMoves) {
  const Model model =
      rewritten(kCancelTransposes,
                "graph (x: float[2,3,4]) -> (y) { a: float[3,4,2] = Transpose[perm=[1, 2, 0]](x)\n"
                "  b: bool[3,4,2] = IsNaN(a)\n y = Transpose[perm=[1, 0, 2]](b) }");
  const ValueId inner = model.find_value("b_inner");
  ASSERT_TRUE(inner.is_valid());
  EXPECT_EQ(to_string(model.value(inner).type(), model.dims()), "bool[2,3,4]");
}

}  // namespace
}  // namespace shipway
