#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

/// `statements` make `a` from x; Neg and Abs stand around so that no graph end is touched.
void expect_removed(const std::string& statements) {
  SCOPED_TRACE(statements);
  const std::string head =
      "graph (x: float[N,1,4], i: int64[N,3]) -> (y, z) { xn: float[N,1,4] = Neg(x)\n";
  expect_rewrite(kEliminateIdentity, head + statements + "\n y = Abs(a)\n z = Abs(i) }",
                 head + " y = Abs(xn)\n z = Abs(i) }");
}
void expect_kept(const std::string& statements) {
  SCOPED_TRACE(statements);
  expect_no_rewrite(
      kEliminateIdentity,
      "graph (x: float[N,1,4], t: bool[], s: int64[3]) -> (y) { xn: float[N,1,4] = Neg(x)\n" +
          statements + "\n y = Abs(a) }");
}

TEST(EliminateIdentity, RemovesWhatGivesBackItsInput) {
  expect_removed("a = Identity(xn)");
  expect_removed("b = Identity(xn)\n a = Identity(b)");
  expect_removed("a, _ = Dropout(xn)");
  expect_removed("r: float[] = {0.5}\n t: bool[] = {false}\n a, mask = Dropout(xn, r, t)");
  expect_removed("a: float[N,1,4] = Cast[to=1](xn)");
  expect_removed("a: float[N,1,4] = CastLike(xn, x)");
  expect_removed("a = Transpose[perm=[0, 1, 2]](xn)");
  expect_removed("p: int64[6] = fill 0\n a = Pad(xn, p)");
  expect_removed("s: int64[1] = {0}\n e: int64[1] = {9}\n a: float[N,1,4] = Slice(xn, s, e)");
  expect_removed("a = Concat[axis=1](xn)");
  expect_removed("a = Sum(xn)");
  expect_removed("n: int64[3] = fill 1\n a: float[N,1,4] = Expand(xn, n)");
  expect_removed("n: int64[3] = fill 1\n a: float[N,1,4] = Tile(xn, n)");
  expect_removed("o: float[1] = {1}\n a: float[N,1,4] = Mul(xn, o)");
  expect_removed("o: float[1,1,4] = fill 1\n a: float[N,1,4] = Mul(o, xn)");
  expect_removed("o: float[] = {1}\n a: float[N,1,4] = Div(xn, o)");
  expect_removed("o: float[] = {0}\n a: float[N,1,4] = Sub(xn, o)");
  expect_removed(
      "s: int64[1] = {0}\n e: int64[1] = {9}\n ax: int64[1] = {2}\n st: int64[1] = {1}\n"
      "a: float[N,1,4] = Slice(xn, s, e, ax, st)");
}

TEST(EliminateIdentity, AddingZeroIsNothingForIntegers) {
  for (const char* type : {"int64", "uint8"})
    for (const char* operands : {"n, o", "o, n"}) {
      SCOPED_TRACE(std::string(type) + " " + operands);
      const std::string head = "graph (x: " + std::string(type) + "[N]) -> (y) { n: " + type +
                               "[N] = Mod(x, x)\n o: " + type + "[1] = ";
      const std::string tail =
          "\n a: " + std::string(type) + "[N] = Add(" + operands + ")\n y = Mod(a, a) }";
      expect_rewrite(kEliminateIdentity, head + "{0}" + tail,
                     "graph (x: " + std::string(type) + "[N]) -> (y) { n: " + type +
                         "[N] = Mod(x, x)\n y = Mod(n, n) }");
      expect_no_rewrite(kEliminateIdentity, head + "{1}" + tail);
    }
}

TEST(EliminateIdentity, OneAxisCannotBeReversed) {
  expect_rewrite(
      kEliminateIdentity,
      "graph (x: float[N]) -> (y) { n: float[N] = Neg(x)\n a = Transpose(n)\n y = Abs(a) }",
      "graph (x: float[N]) -> (y) { n: float[N] = Neg(x)\n y = Abs(n) }");
  expect_no_rewrite(
      kEliminateIdentity,
      "graph (x: float[N,M]) -> (y) { n: float[N,M] = Neg(x)\n a = Transpose(n)\n y = "
      "Abs(a) }");
  expect_no_rewrite(
      kEliminateIdentity,
      "graph (x: float) -> (y) { n: float = Neg(x)\n a = Transpose(n)\n y = Abs(a) }");
}

TEST(EliminateIdentity, RemovesReshapesThatLeadBack) {
  expect_removed("n: int64[3] = {0, 1, 4}\n a: float[N,1,4] = Reshape(xn, n)");
  expect_removed(
      "n: int64[1] = {1}\n b: float[N,4] = Squeeze(xn, n)\n a: float[N,1,4] = Unsqueeze(b, n)");
  expect_removed(
      "n: int64[2] = {-1, 2}\n m: int64[1] = {1}\n b: float[N*2,2] = Reshape(xn, n)\n"
      "c: float[N*2,1,2] = Unsqueeze(b, m)\n k: int64[3] = {-1, 1, 4}\n a: float[N,1,4] = "
      "Reshape(c, k)");
}

TEST(EliminateIdentity, KeepsWhatMightChangeSomething) {
  expect_kept("r: float[] = {0.5}\n a, m = Dropout(xn, r, t)");
  expect_kept("a: double[N,1,4] = Cast[to=11](xn)");
  expect_kept("a = Transpose[perm=[2, 1, 0]](xn)");
  expect_kept("a = Transpose(xn)");
  expect_kept("p: int64[6] = {0, 0, 1, 0, 0, -1}\n a: float[N,1,4] = Pad(xn, p)");
  expect_kept(
      "b: int64[1] = {-1}\n e: int64[1] = {-9}\n ax: int64[1] = {2}\n st: int64[1] = {-1}\n"
      "a: float[N,1,4] = Slice(xn, b, e, ax, st)");
  expect_kept("a: float[?,1,4] = Reshape(xn, s)");
  expect_kept("a: float[M,1,4] = Reshape(xn, s)");
  expect_kept("a = Concat[axis=1](xn, xn)");
  expect_kept("o: float[2,1,1] = fill 1\n a: float[2,1,4] = Mul(xn, o)");
  expect_kept("o: float[] = {1}\n a: float[N,1,4] = Div(o, xn)");
  expect_kept("o: float[] = {0}\n a: float[N,1,4] = Add(xn, o)");  // -0.0 + 0 is 0
  expect_kept("a = com.example.Identity(xn)");
  expect_kept("a = com.example.Sum(xn)");
  expect_kept("a, m = Dropout(xn)\n n = Not(m)");
  expect_kept("_, m = Dropout(xn)\n a = Not(m)");
  expect_kept("r: float[] = {0.5}\n on: bool[] = {true}\n a, m = Dropout(xn, r, on)");
  expect_kept("a = Cast(xn)");
  expect_kept("a: int64[N,1,4] = CastLike(xn, s)");
  expect_kept("a = Transpose[perm=[1, 1, 2]](xn)");
  expect_kept("a: float[N,3,4] = Pad(xn, s)");
  expect_kept("b: int64[1] = {0}\n e: int64[1] = {2}\n a: float[N,1,2] = Slice(xn, b, e)");
  for (const char* step : {"b", "zero"})
    expect_kept(
        "b: int64[1] = {-1}\n e: int64[1] = {-9}\n ax: int64[1] = {2}\n zero: int64[1] = {0}\n"
        "a: float[N,1,4] = Slice(xn, b, e, ax, " +
        std::string(step) + ")");
  expect_kept("b: int64[1] = {0}\n a: float[N,1,4] = Slice(xn, b, s, b, s)");
  expect_kept("o: float[] = {2}\n a: float[N,1,4] = Mul(xn, o)");
  expect_kept("o: float[] = {2}\n a: float[N,1,4] = Div(xn, o)");
  expect_kept("o: float[] = {1}\n a: float[N,1,4] = Sub(xn, o)");
  expect_kept("o: float[] = {0}\n a: float[N,1,4] = Sub(o, xn)");
  expect_kept("a: float[N,7,4] = Expand(xn, s)");
  expect_kept(
      "n: int64[3] = {0, 1, 4}\n b: float[4,1,N] = Transpose[perm=[2, 1, 0]](xn)\n"
      "a: float[N,1,4] = Reshape(b, n)");
  expect_kept("k = Constant[value_float=2.0]()\n a = Sub(k, xn)");
  // Types that are not known may differ.
  expect_no_rewrite(kEliminateIdentity,
                    "graph (x, z) -> (y) { n = Neg(x)\n m = Neg(z)\n a = CastLike(n, m)\n b = "
                    "Cast[to=0](n)\n y = Op(a, b) }");
}

TEST(EliminateIdentity, OneTimesAConstantIsThatConstant) {
  expect_rewrite(kEliminateIdentity,
                 "graph () -> (y) { o: float[1] = {1}\n w: float[1] = {2}\n a: float[1] = Mul(o, "
                 "w)\n y = Neg(a) }",
                 "graph () -> (y) { w: float[1] = {2}\n y = Neg(w) }");
}

TEST(EliminateIdentity, GraphOutputsKeepTheirNamesAndAreMadeByWhoMadeTheInput) {
  expect_rewrite(
      kEliminateIdentity,
      "graph (x: float) -> (y: float) { a = Neg(x)\n b = Abs(a)\n y = Identity(a)\n z = Abs(y) }",
      "graph (x: float) -> (y: float) { y = Neg(x) }");
  expect_rewrite(kEliminateIdentity, "graph (x: float) -> (y, z) { y = Dropout(x)\n z = Neg(x) }",
                 "graph (x: float) -> (y, z) { y = Identity(x)\n z = Neg(x) }");
  expect_no_rewrite(kEliminateIdentity, "graph (x: float) -> (y) { y = Identity(x) }");
  expect_no_rewrite(kEliminateIdentity,
                    "graph (x: float) -> (y, z) { y = Neg(x)\n z = Identity(y) }");
}

TEST(EliminateIdentity, WorksInsideSubgraphsAndAcrossThem) {
  expect_rewrite(kEliminateIdentity,
                 "graph (x: float, c: bool[]) -> (y) { a = Identity(x)\n"
                 "  y = If[then_branch=graph () -> (t) { b = Identity(a)\n t = Neg(b) }, "
                 "else_branch=graph () -> (e) "
                 "{ f = Neg(a)\n e = Identity(f) }](c) }",
                 "graph (x: float, c: bool[]) -> (y) {\n"
                 "  y = If[then_branch=graph () -> (t) { t = Neg(x) }, else_branch=graph () -> (e) "
                 "{ e = Neg(x) }](c) }");
}

TEST(EliminateIdentity, StatesKeepTheirNames) {
  expect_rewrite(
      kEliminateIdentity,
      "graph (s: float) -> () { n: float = Neg(s)\n a: float = Identity(n)\n state s -> a }",
      "graph (s: float) -> () { a: float = Neg(s)\n state s -> a }");
  expect_no_rewrite(
      kEliminateIdentity,
      "graph (s: float) -> (y) { n: float = Neg(s)\n y = Identity(n)\n state s -> n }");
  // A state that another value writes is nothing to them.
  expect_rewrite(
      kEliminateIdentity,
      "graph (s: float) -> (y) { n: float = Neg(s)\n a = Identity(n)\n y = Abs(a)\n state "
      "s -> n }",
      "graph (s: float) -> (y) { n: float = Neg(s)\n y = Abs(n)\n state s -> n }");
}

TEST(EliminateIdentity, WhatOuterGraphsMakeStaysThere) {
  expect_no_rewrite(kEliminateIdentity,
                    "graph (x: float, c: bool[]) -> (y) { a = Neg(x)\n"
                    "  y = If[then_branch=graph () -> (t) { t = Identity(a) }, else_branch=graph "
                    "() -> (x) {}](c) "
                    "}");
  expect_no_rewrite(
      kEliminateIdentity,
      "graph (x: float, c: bool[]) -> (y) {\n"
      "  a = If[then_branch=graph () -> (t) { t = Neg(x) }, else_branch=graph () -> (x) {}](c)\n"
      "  y = Identity(a) }");
}

TEST(EliminateIdentity, LooksBackOverSixteenReshapes) {
  // Sizes of their own between, so that no two of the values are known to be alike.
  const auto chain = [](int count) {
    std::string text = "graph (x: float[N,4], s: int64[1]) -> (y) { v0: float[N,4] = Neg(x)\n";
    for (int i = 1; i <= count; ++i)
      text += "v" + std::to_string(i) + ": float[" +
              (i == count ? "N,4" : "A" + std::to_string(i)) + "] = Reshape(v" +
              std::to_string(i - 1) + ", s)\n";
    return text + "y = Abs(v" + std::to_string(count) + ") }";
  };
  expect_rewrite(kEliminateIdentity, chain(16),
                 "graph (x: float[N,4], s: int64[1]) -> (y) { n = Neg(x)\n y = Abs(n) }");
  expect_no_rewrite(kEliminateIdentity, chain(17));
}

}  // namespace
}  // namespace shipway
