#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

constexpr char kHeads[] =
    "graph (q: float[B,4,M,16], k: float[B,4,N,16], v: float[B,4,N,8], mask: float[B,1,1,N]) -> "
    "(y: float[B,4,M,8]) {\n";
constexpr char kSideBySide[] =
    "graph (q: float[B,M,4,16], k: float[B,N,4,16], v: float[B,N,4,8]) -> (y: float[B,M,4,8]) {\n";

TEST(FuseAttention, TakesScaleBehindTheProductAndAMask) {
  expect_rewrite(kFuseAttention,
                 kHeads + std::string("eight: float[] = {8}\n"
                                      "kt: float[B,4,16,N] = Transpose[perm=[0, 1, 3, 2]](k)\n"
                                      "s: float[B,4,M,N] = MatMul(q, kt)\n"
                                      "d: float[B,4,M,N] = Div(s, eight)\n"
                                      "a: float[B,4,M,N] = Add(mask, d)\n"
                                      "p: float[B,4,M,N] = Softmax[axis=3](a)\n"
                                      "y = MatMul(p, v) }"),
                 kHeads + std::string("y = Attention[scale=0.125](q, k, v, mask) }"));
}

TEST(FuseAttention, TakesScalesOfQueriesAndKeys) {
  expect_rewrite(kFuseAttention,
                 kHeads + std::string("half: float[1] = {0.5}\n"
                                      "qs: float[B,4,M,16] = Mul(q, half)\n"
                                      "kt: float[B,4,16,N] = Transpose[perm=[0, 1, 3, 2]](k)\n"
                                      "ks: float[B,4,16,N] = Mul(half, kt)\n"
                                      "s: float[B,4,M,N] = MatMul(qs, ks)\n"
                                      "p: float[B,4,M,N] = Softmax(s)\n"
                                      "y = MatMul(p, v) }"),
                 kHeads + std::string("y = Attention[scale=0.25](q, k, v) }"));
}

TEST(FuseAttention, LeavesOutTransposesOfHeadsThatLieSideBySide) {
  expect_rewrite(
      kFuseAttention,
      kSideBySide + std::string("qt: float[B,4,M,16] = Transpose[perm=[0, 2, 1, 3]](q)\n"
                                "kt: float[B,4,16,N] = Transpose[perm=[0, 2, 3, 1]](k)\n"
                                "vt: float[B,4,N,8] = Transpose[perm=[0, 2, 1, 3]](v)\n"
                                "s: float[B,4,M,N] = MatMul(qt, kt)\n"
                                "p: float[B,4,M,N] = Softmax(s)\n"
                                "o: float[B,4,M,8] = MatMul(p, vt)\n"
                                "y: float[B,M,4,8] = Transpose[perm=[0, 2, 1, 3]](o) }"),
      kSideBySide +
          std::string("size: int64[3] = {0, 0, 64}\n"
                      "ksize: int64[3] = {0, 0, 64}\n"
                      "vsize: int64[3] = {0, 0, 32}\n"
                      "again: int64[4] = {0, 0, 4, 8}\n"
                      "qf = Reshape(q, size)\n"
                      "kf = Reshape(k, ksize)\n"
                      "vf = Reshape(v, vsize)\n"
                      "o = Attention[scale=1.0, kv_num_heads=4, q_num_heads=4](qf, kf, vf)\n"
                      "y = Reshape(o, again) }"));
}

/// kHeads with another softmax or scale in the pattern.
std::string with(std::string_view softmax, std::string_view scaled = "Mul(s, two)") {
  return kHeads +
         std::string(
             "two: float[] = {2}\n rows: float[1,1,1,2] = {2, 2}\n"
             "kt: float[B,4,16,N] = Transpose[perm=[0, 1, 3, 2]](k)\n"
             "s: float[B,4,M,N] = MatMul(q, kt)\n"
             "d: float[B,4,M,N] = ") +
         std::string(scaled) + "\np: float[B,4,M,N] = " + std::string(softmax) +
         "\ny = MatMul(p, v) }";
}

TEST(FuseAttention, LeavesEverythingElse) {
  expect_no_rewrite(kFuseAttention, with("Softmax[axis=2](d)"));
  expect_no_rewrite(kFuseAttention, with("LogSoftmax(d)"));
  expect_no_rewrite(kFuseAttention, with("Softmax(d)", "Mul(s, rows)"));
  expect_no_rewrite(kFuseAttention, with("Softmax(d)", "Div(two, s)"));
  expect_no_rewrite(kFuseAttention, with("Softmax(d)", "Add(s, s)"));
  // The scores are read twice.
  expect_no_rewrite(
      kFuseAttention,
      "graph (q: float[B,4,M,16], k: float[B,4,N,16], v: float[B,4,N,8]) -> (y, s) {\n"
      "kt: float[B,4,16,N] = Transpose[perm=[0, 1, 3, 2]](k)\n"
      "s: float[B,4,M,N] = MatMul(q, kt)\n"
      "p: float[B,4,M,N] = Softmax(s)\n"
      "y: float[B,4,M,8] = MatMul(p, v) }");
  // Keys of one head for all: Attention does not broadcast.
  expect_no_rewrite(kFuseAttention,
                    "graph (q: float[B,4,M,16], k: float[B,1,N,16], v: float[B,4,N,8]) -> (y) {\n"
                    "kt: float[B,1,16,N] = Transpose[perm=[0, 1, 3, 2]](k)\n"
                    "s: float[B,4,M,N] = MatMul(q, kt)\n"
                    "p: float[B,4,M,N] = Softmax(s)\n"
                    "y: float[B,4,M,8] = MatMul(p, v) }");
  // A mask of fewer keys would hide the rest.
  expect_no_rewrite(kFuseAttention,
                    "graph (q: float[B,4,M,16], k: float[B,4,N,16], v: float[B,4,N,8], mask: "
                    "float[M,1]) -> (y) {\n"
                    "kt: float[B,4,16,N] = Transpose[perm=[0, 1, 3, 2]](k)\n"
                    "s: float[B,4,M,N] = MatMul(q, kt)\n"
                    "a: float[B,4,M,N] = Add(s, mask)\n"
                    "p: float[B,4,M,N] = Softmax(a)\n"
                    "y: float[B,4,M,8] = MatMul(p, v) }");
  // Half precision rounds at every step.
  expect_no_rewrite(
      kFuseAttention,
      "graph (q: float16[B,4,M,16], k: float16[B,4,N,16], v: float16[B,4,N,8]) -> (y) {\n"
      "kt: float16[B,4,16,N] = Transpose[perm=[0, 1, 3, 2]](k)\n"
      "s: float16[B,4,M,N] = MatMul(q, kt)\n"
      "p: float16[B,4,M,N] = Softmax(s)\n"
      "y: float16[B,4,M,8] = MatMul(p, v) }");
}

}  // namespace
}  // namespace shipway
