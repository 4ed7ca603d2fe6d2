#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,4,6]) -> (y) {";

TEST(MergeMoves, AReshapeNeedsNoOtherBefore) {
  const std::string constants =
      " s: int64[2] = {-1, 3}\n t: int64[2] = {8, -1}\n one: int64[1] = {1}\n";
  for (const char* before : {"Reshape(x, t)", "Unsqueeze(x, one)", "Flatten(x)"})
    expect_rewrite(kMergeMoves, kHead + constants + " r = " + before + "\n y = Reshape(r, s) }",
                   kHead + " s: int64[2] = {-1, 3}\n y = Reshape(x, s) }");
  expect_rewrite(
      kMergeMoves,
      "graph (x: float[N,1,6]) -> (y) {" + constants + " r = Squeeze(x, one)\n y = Reshape(r, s) }",
      "graph (x: float[N,1,6]) -> (y) { s: int64[2] = {-1, 3}\n y = Reshape(x, s) }");
}

TEST(MergeMoves, AReshapeThatCopiesASizeNeedsIt) {
  const std::string graph = " t: int64[2] = {-1, 3}\n s: int64[2] = {0, 3}\n r = Reshape(x, t)\n";
  expect_no_rewrite(kMergeMoves, kHead + graph + " y = Reshape(r, s) }");
  expect_no_rewrite(kMergeMoves,
                    "graph (x: float[N,4,6], s: int64[2]) -> (y) { t: int64[2] = {-1, "
                    "3}\n r = Reshape(x, t)\n y = Reshape(r, s) }");
  expect_rewrite(
      kMergeMoves, "graph (x: float[0,3]) -> (y) {" + graph + " y = Reshape[allowzero=1](r, s) }",
      "graph (x: float[0,3]) -> (y) { s: int64[2] = {0, 3}\n y = Reshape[allowzero=1](x, "
      "s) }");
}

TEST(MergeMoves, SlicesOfDifferentAxes) {
  const std::string constants =
      " a: int64[1] = {1}\n b: int64[1] = {3}\n last: int64[1] = {-1}\n two: int64[1] = {2}\n";
  expect_rewrite(kMergeMoves,
                 kHead + constants +
                     " r: float[N,2,6] = Slice(x, a, b, a)\n y = Slice(r, two, b, last, two) }",
                 kHead +
                     " starts: int64[2] = {1, 2}\n ends: int64[2] = {3, 3}\n axes: int64[2] = {1, "
                     "2}\n steps: int64[2] = {1, 2}\n y = Slice(x, starts, ends, axes, steps) }");
  // Without axes the first ones are meant.
  expect_rewrite(
      kMergeMoves,
      kHead + constants + " r: float[M,4,6] = Slice(x, a, b)\n y = Slice(r, a, b, two) }",
      kHead +
          " starts: int64[2] = {1, 1}\n ends: int64[2] = {3, 3}\n axes: int64[2] = {0, "
          "2}\n steps: int64[2] = {1, 1}\n y = Slice(x, starts, ends, axes, steps) }");
  const auto kept = [&](const std::string& rest, const std::string& outputs = "y") {
    SCOPED_TRACE(rest);
    expect_no_rewrite(kMergeMoves, "graph (x: float[N,4,6], d: int64[1]) -> (" + outputs + ") {" +
                                       constants + rest + " }");
  };
  kept(" r: float[N,4,2] = Slice(x, a, b, two)\n y = Slice(r, a, b, last)");  // the same axis
  kept(" r: float[N,2,6] = Slice(x, a, b, a)\n y = Slice(r, a, b, two)", "y, r");
  kept(" r: float[N,?,6] = Slice(x, d, b, a)\n y = Slice(r, a, b, two)");
}

TEST(MergeMoves, ConcatsAlongTheSameAxis) {
  const std::string head =
      "graph (a: float[N,2], b: float[N,3], c: float[N,4]) -> (y: float[N,?]) {";
  expect_rewrite(kMergeMoves, head + " r = Concat[axis=-1](a, b)\n y = Concat[axis=1](c, r, a) }",
                 head + " y = Concat[axis=1](c, a, b, a) }");
  expect_no_rewrite(kMergeMoves, head + " r = Concat[axis=0](a, a)\n y = Concat[axis=1](c, r) }");
  expect_no_rewrite(kMergeMoves,
                    head + " r = Concat[axis=1](a, b)\n y = Concat[axis=1](c, r, r) }");
}

}  // namespace
}  // namespace shipway
