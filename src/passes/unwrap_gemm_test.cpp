#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,S,3]) -> (y: float[N,S,2]) {";
const std::string kConstants =
    " flat: int64[2] = {-1, 3}\n back: int64[3] = {0, -1, 2}\n w: float[3,2] = iota\n t: "
    "float[2,3] = iota\n b: float[2] = {5, 6}\n one: float[1] = {7}\n";
const std::string kFlat = " r: float[M,3] = Reshape(x, flat)\n";

TEST(UnwrapGemm, BecomesMatMulAndAdd) {
  const std::string end = "\n y = Reshape(c, back) }";
  expect_rewrite(kUnwrapGemm, kHead + kConstants + kFlat + " c: float[M,2] = Gemm(r, w, b)" + end,
                 kHead +
                     " w: float[3,2] = iota\n b: float[2] = {5, 6}\n p: float[N,S,2] = MatMul(x, "
                     "w)\n y = Add(p, b) }");
  expect_rewrite(kUnwrapGemm, kHead + kConstants + kFlat + " c: float[M,2] = Gemm(r, w, one)" + end,
                 kHead +
                     " w: float[3,2] = iota\n one: float[1] = {7}\n p: float[N,S,2] = MatMul(x, "
                     "w)\n y = Add(p, one) }");
  expect_rewrite(kUnwrapGemm, kHead + kConstants + kFlat + " c: float[M,2] = Gemm(r, w)" + end,
                 kHead + " w: float[3,2] = iota\n y = MatMul(x, w) }");
  expect_rewrite(
      kUnwrapGemm, kHead + kConstants + kFlat + " c: float[M,2] = Gemm[transB=1](r, t)" + end,
      kHead + " t: float[2,3] = iota\n w = Transpose[perm=[1, 0]](t)\n y = MatMul(x, w) }");
}

TEST(UnwrapGemm, LeavesOtherProducts) {
  const auto kept = [](const std::string& rest, const std::string& head = kHead) {
    SCOPED_TRACE(rest);
    expect_no_rewrite(kUnwrapGemm, head + kConstants + rest + " }");
  };
  const std::string end = "\n y = Reshape(c, back)";
  kept(kFlat + " c: float[M,2] = Gemm[alpha=2.0](r, w, b)" + end);
  kept(kFlat + " c: float[M,2] = Gemm[beta=2.0](r, w, b)" + end);
  kept(kFlat + " column: float[2,1] = {1, 2}\n c: float[M,2] = Gemm(r, w, column)" + end);
  kept(kFlat + " c: float[M,2] = MatMul(r, w)" + end);
  kept(" c: float[M,2] = Gemm(x, w, b)" + end, "graph (x: float[M,3]) -> (y: float[N,S,2]) {");
  // A weight that takes long to transpose.
  kept(" large: float[349526,3] = fill 1\n wide: int64[3] = {0, -1, 349526}\n" + kFlat +
           " c: float[M,349526] = Gemm[transB=1](r, large)\n y = Reshape(c, wide)",
       "graph (x: float[N,S,3]) -> (y: float[N,S,349526]) {");
  // The rows are others than those of x, and the result of Gemm is wanted too.
  kept(kFlat + " c: float[M,2] = Gemm(r, w, b)" + end,
       "graph (x: float[N,S,3]) -> (y: float[S,N,2]) {");
  kept(kFlat + " c: float[M,2] = Gemm(r, w, b)" + end,
       "graph (x: float[N,S,3]) -> (y: float[N,S,2], c) {");
  kept(
      " rows: int64[2] = {-1, 3}\n r: float[M,3] = Reshape(x, rows)\n c: float[M,2] = Gemm(r, w, "
      "b)" +
          end,
      "graph (x: float[N,S,6]) -> (y: float[N,S,2]) {");
}

}  // namespace
}  // namespace shipway
