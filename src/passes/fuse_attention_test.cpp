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

/// What a test changes of the pattern.
struct Pattern {
  std::string q = "float[B,4,M,16]", k = "float[B,4,N,16]", v = "float[B,4,N,8]";
  std::string kt = "Transpose[perm=[0, 1, 3, 2]](k)", scores = "float[B,4,M,N]";
  std::string s = "MatMul(q, kt)", d = "Mul(s, two)", mask = "float[N]", a = "Add(d, mask)";
  std::string p = "Softmax(a)", outputs = "y", rest;

  std::string text() const {
    return "graph (q: " + q + ", k: " + k + ", v: " + v + ", mask: " + mask + ") -> (" + outputs +
           ") {\n two: float[] = {2}\n zero: float[] = {0}\n more: float[1,1,1,1,1] = {2}\n kt: "
           "float[B,4,16,N] = " +
           kt + "\n s: " + scores + " = " + s + "\n d: " + scores + " = " + d + "\n a: " + scores +
           " = " + a + "\n p: " + scores + " = " + p + "\n y: float[B,4,M,8] = MatMul(p, v)\n" +
           rest + " }";
  }
};
void expect_attention(const Pattern& pattern, const std::string& statements) {
  SCOPED_TRACE(pattern.text());
  expect_rewrite(kFuseAttention, pattern.text(),
                 "graph (q: " + pattern.q + ", k: " + pattern.k + ", v: " + pattern.v + ", mask: " +
                     pattern.mask + ") -> (" + pattern.outputs + ") {\n" + statements + " }");
}
void expect_none(const Pattern& pattern) {
  SCOPED_TRACE(pattern.text());
  expect_no_rewrite(kFuseAttention, pattern.text());
}

TEST(FuseAttention, CollectsScalesInEveryOrder) {
  expect_attention({}, "y = Attention[scale=2.0](q, k, v, mask)");
  expect_attention({.d = "Mul(two, s)"}, "y = Attention[scale=2.0](q, k, v, mask)");
  expect_attention({.d = "Div(s, two)"}, "y = Attention[scale=0.5](q, k, v, mask)");
  expect_attention({.d = "Mul(s, two)", .a = "Mul(two, d)"}, "y = Attention[scale=4.0](q, k, v)");
  for (const char* d : {"Mul(s, zero)", "Mul(zero, s)", "Div(s, zero)", "Mul(s, more)",
                        "Mul(more, s)", "Div(two, s)", "Sub(s, two)"})
    expect_none({.d = d});
  // A scaled value that others read stays.
  expect_attention(
      {.kt = "Transpose[perm=[0, 1, 3, 2]](k)\n qs: float[B,4,M,16] = Mul(q, two)",
       .s = "MatMul(qs, kt)",
       .outputs = "y, z",
       .rest = "z = Neg(qs)"},
      "two: float[] = {2}\n qs = Mul(q, two)\n y = Attention[scale=2.0](qs, k, v, mask)\n "
      "z = Neg(qs)");
}

TEST(FuseAttention, MasksHaveUpToFourAxesAndEveryKey) {
  for (const char* mask : {"float[N]", "float[M,N]", "float[4,M,N]", "float[B,4,M,N]"})
    for (const char* a : {"Add(d, mask)", "Add(mask, d)"})
      expect_attention({.mask = mask, .a = a}, "y = Attention[scale=2.0](q, k, v, mask)");
  for (const char* mask : {"float[]", "float[1]", "float[M]", "float[1,B,4,M,N]", "float"})
    expect_none({.mask = mask});
  expect_none({.d = "Relu(s)"});
  expect_none({.a = "Sub(d, mask)"});
}

TEST(FuseAttention, OperandsHaveTheSameBatchHeadsAndSize) {
  for (const char* q : {"float[B,2,M,16]", "float[C,4,M,16]", "float[?,4,M,16]", "float[B,H,M,16]",
                        "float[B,4,M,8]", "float[B,4,M,S]", "float[4,M,16]", "float[B,0,M,16]"})
    expect_none({.q = q});
  for (const char* k : {"float[B,2,N,16]", "float[C,4,N,16]", "float[B,4,N,8]", "float"})
    expect_none({.k = k});
  for (const char* v : {"float[B,2,N,8]", "float[C,4,N,8]", "float[B,4,N,S]", "float[B,4,N,0]"})
    expect_none({.v = v});
  expect_attention({.v = "float[B,4,N,16]"}, "y = Attention[scale=2.0](q, k, v, mask)");
}

TEST(FuseAttention, EveryPartIsReadOnceAndOfItsForm) {
  for (const char* outputs : {"y, p", "y, a", "y, s"}) expect_none({.outputs = outputs});
  for (const char* p : {"Softmax[axis=1](a)", "Softmax[axis=-2](a)", "Sigmoid(a)"})
    expect_none({.p = p});
  expect_attention({.p = "Softmax[axis=-1](a)"}, "y = Attention[scale=2.0](q, k, v, mask)");
  expect_attention({.p = "Softmax[axis=3](a)"}, "y = Attention[scale=2.0](q, k, v, mask)");
  expect_none({.kt = "Transpose[perm=[0, 2, 1, 3]](k)"});
  expect_none({.kt = "Transpose[perm=[0, 1, 2, 3]](k)"});
  expect_none({.kt = "Transpose(k)"});
  expect_none({.kt = "Neg(k)"});
  expect_none({.s = "Mul(q, kt)"});
  expect_none({.scores = "float[4,M,N]"});
  expect_none({.scores = "float"});
}

TEST(FuseAttention, TransposesOfHeadsStayWhereNotAllAreSideBySide) {
  const std::string head =
      "graph (q: float[B,M,4,16], k: float[B,4,N,16], v: float[B,4,N,8]) -> (y) {\n";
  expect_rewrite(
      kFuseAttention,
      head +
          "qt: float[B,4,M,16] = Transpose[perm=[0, 2, 1, 3]](q)\n kt: float[B,4,16,N] = "
          "Transpose[perm=[0, 1, 3, 2]](k)\n s: float[B,4,M,N] = MatMul(qt, kt)\n p: "
          "float[B,4,M,N] = Softmax(s)\n o: float[B,4,M,8] = MatMul(p, v)\n y = "
          "Transpose[perm=[0, 2, 1, 3]](o) }",
      head +
          "qt = Transpose[perm=[0, 2, 1, 3]](q)\n o = Attention[scale=1.0](qt, k, v)\n y = "
          "Transpose[perm=[0, 2, 1, 3]](o) }");
  // Side by side, but not wanted so behind.
  expect_rewrite(
      kFuseAttention,
      std::string("graph (q: float[B,M,4,16], k: float[B,N,4,16], v: float[B,N,4,8]) -> (y) {\n") +
          "qt: float[B,4,M,16] = Transpose[perm=[0, 2, 1, 3]](q)\n kt: float[B,4,16,N] = "
          "Transpose[perm=[0, 2, 3, 1]](k)\n vt: float[B,4,N,8] = Transpose[perm=[0, 2, 1, "
          "3]](v)\n "
          "s: float[B,4,M,N] = MatMul(qt, kt)\n p: float[B,4,M,N] = Softmax(s)\n y = MatMul(p, vt) "
          "}",
      std::string("graph (q: float[B,M,4,16], k: float[B,N,4,16], v: float[B,N,4,8]) -> (y) {\n") +
          "qt = Transpose[perm=[0, 2, 1, 3]](q)\n kh = Transpose[perm=[0, 2, 1, 3]](k)\n vt = "
          "Transpose[perm=[0, 2, 1, 3]](v)\n y = Attention[scale=1.0](qt, kh, vt) }");
}

}  // namespace
}  // namespace shipway
