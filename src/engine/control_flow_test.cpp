// If, Loop, Scan and SequenceMap with bodies run by plans of their own, and steps whose sizes only
// the run tells: always the same as by the reference.
#include <gmock/gmock.h>

#include "base/cpu.h"
#include "engine/testing.h"

namespace shipway {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

NamedValue number(const std::string& name, int64_t value) { return {name, Tensor::scalar(value)}; }
NamedValue truth(const std::string& name, bool value) { return {name, Tensor::scalar(value)}; }

// Branches with convolutions of their own, on captured values; the input lies in the arena.
constexpr char kBranches[] = R"(opset 17
graph main (c: bool[], x: float[N,8,H,W]) -> (z: float[N,16,H,W]) {
  w0: float[8,8,1,1] = seeded 1
  a = Conv(x, w0)
  r = Relu(a)
  y = If[then_branch=graph () -> (p) {
           w1: float[16,8,3,3] = seeded 2
           q = Conv[pads=[1, 1, 1, 1]](r, w1)
           p = Relu(q)
         },
         else_branch=graph () -> (s) { s = Concat[axis=1](r, x) }](c)
  z = Exp(y)
}
)";

TEST(ControlFlow, RunsTheBranchThatAConditionChooses) {
  for (bool condition : {true, false})
    for (const Shape& shape : {Shape{1, 8, 9, 7}, Shape{2, 8, 5, 5}})
      // Winograd's transforms, one behind the other, lose three bits.
      expect_same_as_reference(kBranches, {truth("c", condition), {"x", random(shape, 5)}}, 1e-5);
}

TEST(ControlFlow, GivesABranchThatPassesACapturedValueItsOwnMemory) {
  // `r` lies in the arena, which later steps use again; `w` is the model's.
  const std::string text = R"(opset 17
graph main (c: bool[], x: float[N]) -> (y: float[M], v: float[N]) {
  w: float[3] = seeded 1
  r = Exp(x)
  y = If[then_branch=graph () -> (a) { a = Identity(r) },
         else_branch=graph () -> (b) { b = Identity(w) }](c)
  s = Abs(x)
  t = Softmax(s)
  u = Sqrt(t)
  v = Softmax(u)
}
)";
  for (bool condition : {true, false})
    expect_same_as_reference(text, {truth("c", condition), {"x", random({4}, 5)}});
  auto session = Session::create(model_of(text)).value_or_throw();
  const std::vector<NamedValue> inputs = {truth("c", false), {"x", random({4}, 5)}};
  std::vector<RuntimeValue> first = session->run(inputs).value_or_throw();
  const float before = first[0].tensor()->as<float>()[0];
  first[0].tensor()->mutable_as<float>()[0] = 77;  // the caller's own, not the constant
  EXPECT_EQ(session->run(inputs).value_or_throw()[0].tensor()->as<float>()[0], before);
}

// A recurrent step as a Loop: state, weights captured from outside, outputs stacked.
constexpr char kRecurrent[] = R"(opset 17
graph main (n: int64[], h0: float[B,16], xs: float[T,B,16]) -> (h: float[B,16], hs: float[T2,B,16]) {
  wh: float[16,16] = seeded 1
  wx: float[16,16] = seeded 2
  axis: int64[1] = {0}
  yes: bool[] = {true}
  h, hs = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2, out) {
    go_on = Identity(go)
    x = Gather(xs, i)
    p = MatMul(s, wh)
    q = MatMul(x, wx)
    r = Add(p, q)
    s2 = Tanh(r)
    out = Identity(s2)
  }](n, yes, h0)
}
)";

TEST(ControlFlow, CarriesStateThroughALoopAndStacksItsOutputs) {
  for (int64_t trips : {0, 1, 5})
    expect_same_as_reference(
        kRecurrent, {number("n", trips), {"h0", random({2, 16}, 1)}, {"xs", random({5, 2, 16}, 2)}},
        1e-5);
}

TEST(ControlFlow, FollowsAStateThatGrows) {
  // Attention over all that came before: its length is another one in every iteration.
  const std::string text = R"(opset 17
graph main (n: int64[], start: float[1,K,8], x: float[1,1,8]) -> (y, sums) {
  yes: bool[] = {true}
  w: float[8,8] = seeded 3
  y, sums = Loop[body=graph (i: int64[], go: bool[], past) -> (go_on, now, o) {
    go_on = Identity(go)
    k = MatMul(x, w)
    now = Concat[axis=1](past, k)
    t = Transpose[perm=[0, 2, 1]](now)
    scores = MatMul(x, t)
    p = Softmax(scores)
    o = MatMul(p, now)
  }](n, yes, start)
}
)";
  for (int64_t length : {0, 1, 3})
    expect_same_as_reference(
        text, {number("n", 6), {"start", random({1, length, 8}, 1)}, {"x", random({1, 1, 8}, 2)}},
        1e-5);
}

TEST(ControlFlow, NestsAnIfInALoopInALoop) {
  const std::string text = R"(opset 17
graph main (n: int64[], x: float[N,4]) -> (y: float[N,4]) {
  yes: bool[] = {true}
  two: int64[] = {2}
  zero: int64[] = {0}
  half: float[] = {0.5}
  w: float[4,4] = seeded 1
  y = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2) {
    go_on = Identity(go)
    m = MatMul(s, w)
    s2 = Loop[body=graph (j: int64[], go2: bool[], u) -> (go3, u2) {
      go3 = Identity(go2)
      k = Add(i, j)
      r = Mod(k, two)
      even = Equal(r, zero)
      u2 = If[then_branch=graph () -> (a) { a = Mul(u, half) },
              else_branch=graph () -> (b) { b = Add(u, m) }](even)
    }](i, yes, m)
  }](n, yes, x)
}
)";
  for (int64_t trips : {0, 1, 4})
    expect_same_as_reference(text, {number("n", trips), {"x", random({3, 4}, 2)}}, 1e-5);
}

TEST(ControlFlow, ScansBackwardsOverAnAxis) {
  expect_same_as_reference(R"(opset 17
graph main (state: float[4], xs: float[4,T]) -> (y: float[4], ys) {
  w: float[4,4] = seeded 1
  y, ys = Scan[num_scan_inputs=1, scan_input_axes=[1], scan_input_directions=[1],
               scan_output_axes=[1], body=graph (s, x) -> (s2, o) {
    m = MatMul(s, w)
    s2 = Add(m, x)
    o = Exp(s2)
  }](state, xs)
}
)",
                           {{"state", random({4}, 1)}, {"xs", random({4, 6}, 2)}}, 1e-5);
}

TEST(ControlFlow, MapsABodyOverASequenceOfOtherSizes) {
  const std::string text = R"(opset 17
graph main (x: float[N,4], z: float[M,4]) -> (y) {
  w: float[4,3] = seeded 1
  e = Exp(x)
  xs = SequenceConstruct(e, z)
  ys = SequenceMap[body=graph (a) -> (o) {
    m = MatMul(a, w)
    o = Relu(m)
  }](xs)
  y = ConcatFromSequence[axis=0](ys)
}
)";
  expect_same_as_reference(text, {{"x", random({2, 4}, 1)}, {"z", random({5, 4}, 2)}}, 1e-5);
}

TEST(ControlFlow, KeepsSequencesApartFromTheArena) {
  // The sequence is used long after the steps whose results it took in.
  expect_same_as_reference(R"(opset 17
graph main (x: float[N]) -> (y, v: float[N]) {
  one: int64[] = {1}
  a = Exp(x)
  b = Softmax(x)
  s = SequenceConstruct(a, b)
  c = Abs(x)
  d = Softmax(c)
  f = Sqrt(d)
  v = Softmax(f)
  y = SequenceAt(s, one)
}
)",
                           {{"x", random({40}, 1)}});
}

TEST(ControlFlow, RunsABodyThatDeclaresOtherSizesThanCome) {
  expect_same_as_reference(R"(opset 17
graph main (n: int64[], x: float[A,4]) -> (y) {
  yes: bool[] = {true}
  y = Loop[body=graph (i: int64[], go: bool[], s: float[2,4]) -> (go_on, s2: float[2,4]) {
    go_on = Identity(go)
    e = Exp(s)
    s2 = Softmax(e)
  }](n, yes, x)
}
)",
                           {number("n", 2), {"x", random({3, 4}, 1)}}, 1e-5);
}

TEST(ControlFlow, RunsABodyWithinTheRunsLimits) {
  auto session = Session::create(model_of(R"(opset 17
graph main (x: float[4]) -> (y: float[4]) {
  y = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2) {
    go_on = Identity(go)
    s2 = Softmax(s)
  }](_, _, x)
}
)"))
                     .value_or_throw();
  const NamedValue input{"x", random({4}, 3)};
  RunOptions late;
  late.timeout = 0.05;
  EXPECT_EQ(session->run({&input, 1}, {}, late).status().code(), StatusCode::kLimit);
  bool cancelled = true;
  RunOptions stopped;
  stopped.cancelled = &cancelled;
  EXPECT_EQ(session->run({&input, 1}, {}, stopped).status().code(), StatusCode::kCancelled);
}

TEST(ControlFlow, NamesTheIterationThatFails) {
  auto session = Session::create(model_of(R"(opset 17
graph main (n: int64[], x: float[K]) -> (y) {
  yes: bool[] = {true}
  three: float[3] = seeded 1
  y = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2) {
    go_on = Identity(go)
    t = Concat[axis=0](s, s)
    s2 = Add(t, three)
  }](n, yes, x)
}
)"))
                     .value_or_throw();
  const std::vector<NamedValue> inputs = {number("n", 3), {"x", random({2}, 1)}};
  EXPECT_THAT(session->run(inputs).status().message(), HasSubstr("iteration 0"));
}

TEST(DataDependentSizes, AreFollowedByKernels) {
  // What comes after NonZero has sizes that only the run tells: bound then, not run by loops.
  const std::string text = R"(opset 17
graph main (x: float[N,8], c: float[N]) -> (y: float[M,8]) {
  zero: float[] = {0}
  axes: int64[1] = {0}
  w: float[8,8] = seeded 1
  b = Greater(c, zero)
  i = NonZero(b)
  j = Squeeze(i, axes)
  g = Gather(x, j)
  m = MatMul(g, w)
  y = Softmax(m)
}
)";
  for (uint32_t seed : {1u, 2u, 3u})
    expect_same_as_reference(text, {{"x", random({9, 8}, seed)}, {"c", random({9}, seed + 7)}},
                             1e-5);
  const Tensor none = Tensor::from<float>({3}, {-1, -1, -1});
  expect_same_as_reference(text, {{"x", random({3, 8}, 1)}, {"c", none}});
  auto session = Session::create(model_of(text)).value_or_throw();
  const auto kernels = kernels_of(*session, {{"x", random({9, 8}, 1)}, {"c", random({9}, 8)}});
  EXPECT_THAT(kernels, Contains("dynamic"));
  if (active_isa() == Isa::kScalar) return;  // asks for the reference loops
  EXPECT_THAT(kernels, Contains(HasSubstr("gemm")));
  EXPECT_THAT(kernels, Contains(HasSubstr("softmax")));
}

TEST(DataDependentSizes, ReachAConvolutionAndAReshapeByAComputedShape) {
  const std::string text = R"(opset 17
graph main (x: float[1,3,H,W], k: int64[2]) -> (y, z) {
  w: float[16,3,3,3] = seeded 1
  v: float[16,16,1,1] = seeded 2
  head: int64[2] = {1, 3}
  starts: int64[2] = {0, 0}
  axes: int64[2] = {2, 3}
  flat: int64[1] = {-1}
  c = Slice(x, starts, k, axes)
  a = Conv[pads=[1, 1, 1, 1]](c, w)
  r = Relu(a)
  b = Conv(r, v)
  y = Sigmoid(b)
  s = Concat[axis=0](head, k)
  e = Exp(c)
  z = Reshape(e, s)
}
)";
  for (int64_t size : {4, 7})
    expect_same_as_reference(
        text,
        {{"x", random({1, 3, 9, 8}, 1)}, {"k", Tensor::vector(std::vector<int64_t>{size, 5})}},
        1e-5);
}

}  // namespace
}  // namespace shipway
