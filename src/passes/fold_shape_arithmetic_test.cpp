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

}  // namespace
}  // namespace shipway
