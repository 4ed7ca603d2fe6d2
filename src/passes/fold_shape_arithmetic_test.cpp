#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

TEST(FoldShapeArithmetic, KeepsSymbolsAndFoldsWhatIsProven) {
  // The batch is a symbol; the channels, gathered out of the same Shape, are not.
  expect_rewrite(
      kFoldShapeArithmetic,
      "graph (x: float[N,3,4]) -> (y) { one: int64[1] = {1}\n minus: int64[1] = {-1}\n s = "
      "Shape(x)\n"
      "  c = Gather[axis=0](s, one)\n n = Concat[axis=0](c, minus)\n y = Reshape(x, n) }",
      "graph (x: float[N,3,4]) -> (y) { n: int64[2] = {3, -1}\n y = Reshape(x, n) }");
}

TEST(FoldShapeArithmetic, LeavesWhatDependsOnASymbol) {
  expect_no_rewrite(
      kFoldShapeArithmetic,
      "graph (x: float[N,3,4]) -> (y) { zero: int64[1] = {0}\n minus: int64[1] = {-1}\n s = "
      "Shape(x)\n"
      "  c = Gather[axis=0](s, zero)\n n = Concat[axis=0](c, minus)\n y = Reshape(x, n) }");
}

TEST(FoldShapeArithmetic, ScalarsAreScalars) {
  expect_rewrite(kFoldShapeArithmetic,
                 "graph (x: float[N,3,4]) -> (y) { one: int64[] = {1}\n s = Shape(x)\n c = "
                 "Gather[axis=0](s, one)\n y = Op(x, c) }",
                 "graph (x: float[N,3,4]) -> (y) { c: int64[] = {3}\n y = Op(x, c) }");
}

TEST(FoldShapeArithmetic, GoesOnBehindOtherNodes) {
  expect_rewrite(
      kFoldShapeArithmetic,
      "graph (x: float[N,3,4]) -> (y) { one: int64[1] = {1}\n z = Neg(x)\n d, m = Dropout(z)\n k = "
      "Not(m)\n s = Shape(x)\n c = Gather[axis=0](s, one)\n y = Op(z, d, k, c) }",
      "graph (x: float[N,3,4]) -> (y) { c: int64[1] = {3}\n z = Neg(x)\n d, m = Dropout(z)\n k = "
      "Not(m)\n y = Op(z, d, k, c) }");
}

TEST(FoldShapeArithmetic, LeavesNodesOfSeveralOutputs) {
  expect_no_rewrite(
      kFoldShapeArithmetic,
      "graph (x: float[3,N]) -> (y) { s = Shape(x)\n a, b = Split[num_outputs=2](s)\n "
      "y = Op(x, a, b) }");
}

}  // namespace
}  // namespace shipway
