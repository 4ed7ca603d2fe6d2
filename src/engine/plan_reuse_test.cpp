// How often a graph is planned when its sizes change from run to run.
#include <gtest/gtest.h>

#include <thread>

#include "engine/testing.h"

namespace shipway {
namespace {

/// A block of a decoder as exporters write it: sizes come from Shape, keys and values of the past
/// come in and go out longer. The mask's last size has a name of its own, as in such files.
constexpr char kDecoder[] = R"(opset 17
graph main (x: float[B,S,32], past_k: float[B,4,P,8], past_v: float[B,4,P,8], mask: float[B,1,S,T]) -> (y: float[B,S,32], k: float[B,4,K,8], v: float[B,4,K,8]) {
  wq: float[32,32] = seeded 1
  wk: float[32,32] = seeded 2
  wv: float[32,32] = seeded 3
  wo: float[32,32] = seeded 4
  w1: float[32,64] = seeded 5
  w2: float[64,32] = seeded 6
  gain: float[32] = seeded 7
  bias: float[32] = seeded 8
  scale: float[] = {0.35}
  zero: int64[1] = {0}
  one: int64[1] = {1}
  two: int64[1] = {2}
  four: int64[1] = {4}
  eight: int64[1] = {8}
  wide: int64[1] = {32}
  n = LayerNormalization(x, gain, bias)
  shape = Shape(x)
  batch = Slice(shape, zero, one)
  length = Slice(shape, one, two)
  heads = Concat[axis=0](batch, length, four, eight)
  flat = Concat[axis=0](batch, length, wide)
  q0 = MatMul(n, wq)
  k0 = MatMul(n, wk)
  v0 = MatMul(n, wv)
  q1 = Reshape(q0, heads)
  k1 = Reshape(k0, heads)
  v1 = Reshape(v0, heads)
  q2 = Transpose[perm=[0, 2, 1, 3]](q1)
  k2 = Transpose[perm=[0, 2, 1, 3]](k1)
  v2 = Transpose[perm=[0, 2, 1, 3]](v1)
  k = Concat[axis=2](past_k, k2)
  v = Concat[axis=2](past_v, v2)
  kt = Transpose[perm=[0, 1, 3, 2]](k)
  s0 = MatMul(q2, kt)
  s1 = Mul(s0, scale)
  s2 = Add(s1, mask)
  p = Softmax[axis=-1](s2)
  a0 = MatMul(p, v)
  a1 = Transpose[perm=[0, 2, 1, 3]](a0)
  a2 = Reshape(a1, flat)
  a3 = MatMul(a2, wo)
  r = Add(x, a3)
  h = MatMul(r, w1)
  e = Erf(h)
  g = Mul(h, e)
  o = MatMul(g, w2)
  y = Add(r, o)
}
)";

constexpr char kPictureNet[] = R"(opset 17
graph main (x: float[N,3,H,W]) -> (y: float[N,3,H,W]) {
  w1: float[16,3,3,3] = seeded 1
  w2: float[16,16,3,3] = seeded 2
  w3: float[3,16,3,3] = seeded 3
  c1 = Conv[pads=[1, 1, 1, 1]](x, w1)
  r1 = Relu(c1)
  c2 = Conv[pads=[1, 1, 1, 1]](r1, w2)
  r2 = Relu(c2)
  s = Add(r1, r2)
  y = Conv[pads=[1, 1, 1, 1]](s, w3)
}
)";

std::unique_ptr<Session> session_of(const char* text, bool reference = false,
                                    int64_t max_memory = -1) {
  SessionOptions options;
  options.reference = reference;
  options.max_memory = max_memory;
  return Session::create(model_of(text), options).value_or_throw();
}

std::vector<NamedValue> decoder_step(int64_t length, const RuntimeValue& k, const RuntimeValue& v,
                                     uint32_t seed) {
  return {{"x", random({1, length, 32}, seed)},
          {"past_k", k},
          {"past_v", v},
          {"mask", random({1, 1, length, length + k.tensor()->dim(2)}, seed + 1)}};
}

TEST(PlanReuse, ADecodeLoopOf200StepsPlansTwice) {
  const auto session = session_of(kDecoder);
  const auto reference = session_of(kDecoder, /*reference=*/true);
  RuntimeValue k = random({1, 4, 0, 8}, 0), v = k;
  for (uint32_t step = 0; step < 200; ++step) {
    const std::vector<NamedValue> inputs = decoder_step(1, k, v, step);
    auto got = session->run(inputs);
    ASSERT_TRUE(got.is_ok()) << got.status().message();
    if (step % 20 < 3) {
      auto want = reference->run(inputs).value_or_throw();
      for (size_t i = 0; i < want.size(); ++i) expect_close((*got)[i], want[i], 2e-6);
    }
    k = (*got)[1];
    v = (*got)[2];
  }
  const PlanStatistics made = session->plan_statistics();
  EXPECT_LE(made.plans_made, 2);
  EXPECT_EQ(made.bindings_made, 200);
  EXPECT_LE(made.bindings_kept, 8);
}

TEST(PlanReuse, APromptAndTheStepsAfterItPlanTwice) {
  const auto session = session_of(kDecoder);
  const RuntimeValue none = random({1, 4, 0, 8}, 0);
  auto outputs = session->run(decoder_step(10, none, none, 0)).value_or_throw();
  for (uint32_t step = 0; step < 100; ++step)
    outputs = session->run(decoder_step(1, outputs[1], outputs[2], step)).value_or_throw();
  EXPECT_LE(session->plan_statistics().plans_made, 2);
}

TEST(PlanReuse, APlanThatIsOutgrownGivesWayToALargerOne) {
  const auto session = session_of(kDecoder);
  const auto reference = session_of(kDecoder, /*reference=*/true);
  for (int64_t past : {3, 4, 255, 256, 300, 1000, 2, 700}) {
    const RuntimeValue k = random({1, 4, past, 8}, 1), v = random({1, 4, past, 8}, 2);
    const std::vector<NamedValue> inputs = decoder_step(2, k, v, 3);
    const auto got = session->run(inputs).value_or_throw(),
               want = reference->run(inputs).value_or_throw();
    for (size_t i = 0; i < want.size(); ++i) expect_close(got[i], want[i], 2e-6);
  }
  EXPECT_LE(session->plan_statistics().plans_made, 5);
}

TEST(PlanReuse, TheFirstShapesAndARepeatedOneGetNoMoreMemoryThanTheyNeed) {
  const auto session = session_of(kPictureNet);
  const Shape shape = {1, 3, 40, 50};
  const MemoryReport needed = session->memory({&shape, 1}).value_or_throw();
  EXPECT_EQ(session->plan_statistics().plans_made, 0) << "a report is no run";
  const auto tight = session_of(kPictureNet, false, needed.peak_bytes());
  const NamedValue input{"x", random(shape, 1)};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(tight->run({&input, 1}).is_ok());
}

TEST(PlanReuse, RoomToGrowIsNotWhatARunFailsFor) {
  const Shape large = {1, 3, 60, 80};
  const auto measuring = session_of(kPictureNet);
  const MemoryReport needed = measuring->memory({&large, 1}).value_or_throw();
  const auto session = session_of(kPictureNet, false, needed.peak_bytes());
  for (int64_t height : {20, 30, 40, 50, 60}) {
    const NamedValue input{"x", random({1, 3, height, 80}, 1)};
    const auto result = session->run({&input, 1});
    EXPECT_TRUE(result.is_ok()) << height << ": " << result.status().message();
  }
  const NamedValue input{"x", random({1, 3, 120, 80}, 1)};
  EXPECT_EQ(session->run({&input, 1}).status().code(), StatusCode::kLimit);
}

TEST(PlanReuse, AThousandPictureSizesKeepAFewPlans) {
  const auto session = session_of(kPictureNet);
  const auto reference = session_of(kPictureNet, /*reference=*/true);
  std::mt19937 random_size(5);
  for (int i = 0; i < 1000; ++i) {
    const auto height = static_cast<int64_t>(1 + random_size() % 40),
               width = static_cast<int64_t>(1 + random_size() % 40);
    const NamedValue input{"x", random({1, 3, height, width}, static_cast<uint32_t>(i))};
    const auto got = session->run({&input, 1}).value_or_throw();
    if (i % 100 == 0) expect_close(got[0], reference->run({&input, 1}).value_or_throw()[0], 2e-6);
  }
  const PlanStatistics made = session->plan_statistics();
  EXPECT_LE(made.plans_made, 3);
  EXPECT_LE(made.plans_kept, 4);
  EXPECT_LE(made.bindings_kept, 8);
}

TEST(PlanReuse, PartsAfterDataDependentSizesAreReusedToo) {
  const auto session = session_of(R"(opset 17
graph main (x: float[N]) -> (y: float[M]) {
  zero: float[] = {0}
  two: float[] = {2}
  axes: int64[1] = {0}
  b = Greater(x, zero)
  i = NonZero(b)
  j = Squeeze(i, axes)
  g = Gather(x, j)
  e = Exp(g)
  r = Reciprocal(e)
  f = Mul(r, e)
  y = Mul(f, two)
}
)");
  for (int64_t n = 1; n <= 150; ++n) {
    Tensor x = Tensor::allocate(DType::kFloat32, {200}).value_or_throw();
    for (int64_t k = 0; k < 200; ++k)
      x.mutable_as<float>()[static_cast<size_t>(k)] = k < n ? 0.5f : -1.0f;
    const NamedValue input{"x", x};
    const auto got = session->run({&input, 1}).value_or_throw();
    ASSERT_EQ(got[0].tensor()->element_count(), n);
    for (float value : got[0].tensor()->as<float>()) ASSERT_NEAR(value, 2.0f, 1e-6f);
  }
  const PlanStatistics made = session->plan_statistics();
  EXPECT_LE(made.plans_made, 4) << "of both parts";
  EXPECT_LE(made.bindings_kept, 16);
}

TEST(PlanReuse, AStateThatALoopGrowsDoesNotPlanItsBodyAnew) {
  const auto session = session_of(R"(opset 17
graph main (n: int64[], x: float[1,4]) -> (y: float[L,4]) {
  true: bool[] = {true}
  y = Loop[body=graph (i: int64[], c: bool[], s: float[R,4]) -> (c2: bool[], t: float[Q,4]) {
    c2 = Identity(c)
    e = Sin(s)
    h = Tanh(e)
    t = Concat[axis=0](s, x)
  }](n, true, x)
}
)");
  const std::vector<NamedValue> inputs = {{"n", Tensor::from<int64_t>({}, {120})},
                                          {"x", random({1, 4}, 1)}};
  EXPECT_EQ(session->run(inputs).value_or_throw()[0].tensor()->dim(0), 121);
  EXPECT_LE(session->plan_statistics().plans_made, 4) << "of graph and body";
}

TEST(PlanReuse, ThreadsThatBringSizesOfTheirOwnGetTheirOwnResults) {
  const auto session = session_of(kPictureNet);
  const auto reference = session_of(kPictureNet, /*reference=*/true);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const NamedValue sample{"x", random({1, 3, 5 + t, 9}, t)};
      const Tensor want = *session->run({&sample, 1}).value_or_throw()[0].tensor();
      for (uint32_t i = 0; i < 20; ++i) {
        const NamedValue other{"x", random({1, 3, 1 + (i * 7 + t * 5) % 30, 4 + i}, i)};
        if (!session->run({&other, 1}).is_ok()) ++wrong;
        const auto again = session->run({&sample, 1});
        if (!again.is_ok() || !identical(*(*again)[0].tensor(), want)) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace shipway
