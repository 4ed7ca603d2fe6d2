#include "shipway/session.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/cpu.h"
#include "engine/testing.h"
#include "graph/builder.h"
#include "operators/registry.h"

namespace shipway {
namespace {

constexpr char kConvNet[] = R"(opset 17
graph main (x: float[N,3,H,W]) -> (y: float[N,10]) {
  w1: float[24,3,3,3] = seeded 1
  b1: float[24] = seeded 2
  w2: float[24,1,3,3] = seeded 3
  w3: float[40,24,1,1] = seeded 4
  w4: float[40,24,1,1] = seeded 5
  w5: float[40,10] = seeded 6
  b5: float[10] = seeded 7
  c1 = Conv[kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]](x, w1, b1)
  r1 = Relu(c1)
  p1 = MaxPool[kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]](r1)
  d = Conv[group=24, kernel_shape=[3, 3], pads=[1, 1, 1, 1]](p1, w2)
  s = Sigmoid(d)
  m = Mul(d, s)
  c3 = Conv(m, w3)
  c4 = Conv(p1, w4)
  a = Add(c3, c4)
  r2 = Relu(a)
  g = GlobalAveragePool(r2)
  f = Flatten(g)
  y = Gemm(f, w5, b5)
}
)";

TEST(Session, RunsAConvolutionalNetLikeTheReferenceForSeveralSizes) {
  for (const Shape& shape : {Shape{1, 3, 32, 32}, Shape{2, 3, 17, 23}, Shape{1, 3, 5, 64}})
    expect_same_as_reference(kConvNet, {{"x", random(shape, 9)}});
}

TEST(Session, GivesTheSameBytesForAnyNumberOfThreads) {
  std::vector<Tensor> results;
  for (int threads : {1, 2, 3}) {
    SessionOptions options;
    options.threads = threads;
    auto session = Session::create(model_of(kConvNet), options).value_or_throw();
    const NamedValue input{"x", random({1, 3, 64, 64}, 3)};
    results.push_back(*session->run({&input, 1}).value_or_throw()[0].tensor());
  }
  EXPECT_TRUE(identical(results[0], results[1]));
  EXPECT_TRUE(identical(results[0], results[2]));
}

TEST(Session, RunsATransformerBlockLikeTheReference) {
  const std::string text = R"(opset 17
graph main (x: float[B,S,32]) -> (y: float[B,S,32]) {
  wq: float[32,32] = seeded 1
  wk: float[32,32] = seeded 2
  wv: float[32,32] = seeded 3
  wo: float[32,128] = seeded 4
  wp: float[128,32] = seeded 5
  bq: float[32] = seeded 6
  scale: float[32] = seeded 7
  bias: float[32] = seeded 8
  shape: int64[4] = {0, -1, 4, 8}
  flat: int64[3] = {0, -1, 32}
  eight: float[] = {2.8284270763397217}
  half: float[] = {0.5}
  one: float[] = {1}
  root: float[] = {1.4142135381698608}
  n = LayerNormalization(x, scale, bias)
  q0 = MatMul(n, wq)
  q1 = Add(q0, bq)
  k1 = MatMul(n, wk)
  v1 = MatMul(n, wv)
  q2 = Reshape(q1, shape)
  k2 = Reshape(k1, shape)
  v2 = Reshape(v1, shape)
  q = Transpose[perm=[0, 2, 1, 3]](q2)
  k = Transpose[perm=[0, 2, 3, 1]](k2)
  v = Transpose[perm=[0, 2, 1, 3]](v2)
  s0 = MatMul(q, k)
  s1 = Div(s0, eight)
  p = Softmax[axis=-1](s1)
  o0 = MatMul(p, v)
  o1 = Transpose[perm=[0, 2, 1, 3]](o0)
  o = Reshape(o1, flat)
  r = Add(o, x)
  h = MatMul(r, wo)
  e0 = Div(h, root)
  e1 = Erf(e0)
  e2 = Add(e1, one)
  e3 = Mul(h, e2)
  e = Mul(e3, half)
  z = MatMul(e, wp)
  y = Add(z, r)
}
)";
  expect_same_as_reference(text, {{"x", random({1, 16, 32}, 1)}}, 1e-5);
  expect_same_as_reference(text, {{"x", random({3, 7, 32}, 2)}}, 1e-5);
}

TEST(Session, RunsAttentionLikeTheReference) {
  const auto text = [](std::string_view types, std::string_view node) {
    return "opset 24\ngraph main (" + std::string(types) +
           ") -> (y: float[?,?,?]) {\n  y = " + std::string(node) + "\n}\n";
  };
  const std::string flat = text("q: float[B,M,48], k: float[B,N,32], v: float[B,N,64]",
                                "Attention[q_num_heads=3, kv_num_heads=1](q, k, v)");
  // Sizes of queries and keys, 16 each, do not fit three heads of 32 keys: told as what it is.
  EXPECT_FALSE(Session::create(model_of(flat))
                   .value_or_throw()
                   ->run(std::vector<NamedValue>{{"q", random({1, 2, 48}, 1)},
                                                 {"k", random({1, 2, 32}, 1)},
                                                 {"v", random({1, 2, 64}, 1)}})
                   .is_ok());
  for (const auto& [queries, keys] : {std::pair<int64_t, int64_t>{5, 9}, {1, 33}, {40, 3}}) {
    const std::vector<NamedValue> inputs = {{"q", random({2, queries, 64}, 1)},
                                            {"k", random({2, keys, 32}, 2)},
                                            {"v", random({2, keys, 16}, 3)}};
    for (const char* attributes : {"", ", scale=0.4", ", is_causal=1"})
      expect_same_as_reference(
          text("q: float[B,M,64], k: float[B,N,32], v: float[B,N,16]",
               "Attention[q_num_heads=4, kv_num_heads=2" + std::string(attributes) + "](q, k, v)"),
          inputs, 1e-5);
  }
  const std::string masked = R"(opset 24
graph main (q: float[B,4,M,8], k: float[B,4,N,8], v: float[B,4,N,8], mask: float[B,1,1,N]) -> (y: float[B,4,M,8]) {
  y = Attention(q, k, v, mask)
}
)";
  expect_same_as_reference(masked,
                           {{"q", random({2, 4, 7, 8}, 1)},
                            {"k", random({2, 4, 11, 8}, 2)},
                            {"v", random({2, 4, 11, 8}, 3)},
                            {"mask", random({2, 1, 1, 11}, 4)}},
                           1e-5);
}

TEST(Session, RunsRecurrentLayersLikeTheReference) {
  const std::string text = R"(opset 17
graph main (x: float[T,B,6], h: float[2,B,10]) -> (y: float[T,2,B,10], c: float[1,B,10], z: float[T,1,B,10], g: float[T,1,B,6], g2: float[T,1,B,6]) {
  w: float[2,40,6] = seeded 1
  r: float[2,40,10] = seeded 2
  b: float[2,80] = seeded 3
  y, y_h = LSTM[direction="bidirectional", hidden_size=10](x, w, r, b, _, h)
  w1: float[1,40,6] = seeded 4
  r1: float[1,40,10] = seeded 5
  b1: float[1,80] = seeded 6
  p1: float[1,30] = seeded 7
  z, z_h, c = LSTM[direction="reverse", hidden_size=10](x, w1, r1, b1, _, _, _, p1)
  w2: float[1,18,6] = seeded 8
  r2: float[1,18,6] = seeded 9
  g, g_h = GRU[hidden_size=6, linear_before_reset=1](x, w2, r2)
  g2, g2_h = GRU[hidden_size=6](x, w2, r2)
}
)";
  for (const int64_t batch : {1, 3, 19})
    expect_same_as_reference(
        text, {{"x", random({7, batch, 6}, 1)}, {"h", random({2, batch, 10}, 2)}}, 1e-5);
}

TEST(Session, NamesAnInitialStateOfAnotherSize) {
  auto session = Session::create(model_of(R"(opset 17
graph main (x: float[T,B,2], h: float[D,C,3]) -> (y: float[T,1,B,3]) {
  w: float[1,3,2] = seeded 1
  r: float[1,3,3] = seeded 2
  y = RNN[hidden_size=3](x, w, r, _, _, h)
}
)"))
                     .value_or_throw();
  const std::vector<NamedValue> inputs = {{"x", random({4, 2, 2}, 1)}, {"h", random({1, 5, 3}, 2)}};
  const Status status = session->run(inputs).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("input 'initial_h' is [1x5x3], expected [1x2x3]"),
            std::string::npos)
      << status.message();
}

TEST(Session, FollowsDataDependentSizes) {
  const std::string text = R"(opset 17
graph main (x: float[N]) -> (y: float[M], z: float[K]) {
  zero: float[] = {0}
  two: float[] = {2}
  axes: int64[1] = {0}
  b = Greater(x, zero)
  i = NonZero(b)
  j = Squeeze(i, axes)
  g = Gather(x, j)
  y = Mul(g, two)
  z = Exp(x)
}
)";
  expect_same_as_reference(text, {{"x", Tensor::from<float>({5}, {1, -1, 2, -2, 3})}});
  expect_same_as_reference(text, {{"x", Tensor::from<float>({2}, {-1, -2})}});
}

TEST(Session, ReshapesByAShapeThatACallerMayOverride) {
  Model model = model_of(R"(opset 17
graph main (x: float[N]) -> (y: float[R,C]) {
  shape: int64[2] = {2, -1}
  two: float[] = {2}
  r = Reshape(x, shape)
  y = Mul(r, two)
}
)");
  model.ir_version = 8;
  ModelBuilder(model).add_input(model.main_graph(), model.find_value("shape"));
  auto session = Session::create(model).value_or_throw();
  const NamedValue x{"x", Tensor::from<float>({4}, {1, 2, 3, 4})};
  EXPECT_EQ(to_string(session->run({&x, 1}).value_or_throw()[0]), "float[2,2] {2, 4, 6, 8}");
  const std::vector<NamedValue> other = {x, {"shape", Tensor::from<int64_t>({2}, {1, 4})}};
  EXPECT_EQ(to_string(session->run(other).value_or_throw()[0]), "float[1,4] {2, 4, 6, 8}");
  model.ir_version = 3;  // where initializers had to be inputs and were constants all the same
  EXPECT_EQ(Session::create(model).value_or_throw()->inputs().size(), 1u);
}

TEST(Session, TakesAndGivesStrings) {
  auto session = Session::create(model_of(R"(opset 20
graph main (a: string[N], b: string[N]) -> (y: string[N]) {
  y = StringConcat(a, b)
}
)"))
                     .value_or_throw();
  const std::vector<NamedValue> inputs = {{"a", Tensor::from_strings({2}, {"x", "yy"})},
                                          {"b", Tensor::from_strings({2}, {"1", ""})}};
  EXPECT_EQ(to_string(session->run(inputs).value_or_throw()[0]), "string[2] {\"x1\", \"yy\"}");
}

TEST(Session, NamesEveryWrongInputAtOnce) {
  auto session = Session::create(model_of(R"(opset 17
graph main (a: float[N,3], b: float[N,3]) -> (y: float[N,3]) {
  y = Add(a, b)
}
)"))
                     .value_or_throw();
  const std::vector<NamedValue> wrong = {{"c", Tensor::from<float>({1}, {1})}};
  EXPECT_EQ(session->run(wrong).status().message(),
            "the model has no input 'c'; input 'a' (float[N,3]) is missing; input 'b' (float[N,3]) "
            "is missing");
  const std::vector<NamedValue> sizes = {{"a", random({2, 3}, 1)}, {"b", random({4, 3}, 1)}};
  EXPECT_EQ(session->run(sizes).status().message(),
            "input 'b' is float[4x3], expected float[N,3] (size 'N' is 2 in input 'a')");
  const std::vector<NamedValue> types = {{"a", Tensor::from<int64_t>({1, 3}, {1, 2, 3})},
                                         {"b", random({1, 3}, 1)}};
  EXPECT_EQ(session->run(types).status().message(), "input 'a' is int64[1x3], expected float[N,3]");
}

TEST(Session, KeepsItsLimits) {
  auto session = Session::create(model_of(kConvNet)).value_or_throw();
  const NamedValue input{"x", random({1, 3, 64, 64}, 3)};
  RunOptions late;
  late.timeout = 0;
  EXPECT_EQ(session->run({&input, 1}, {}, late).status().code(), StatusCode::kLimit);
  const bool cancelled = true;
  RunOptions stopped;
  stopped.cancelled = &cancelled;
  EXPECT_EQ(session->run({&input, 1}, {}, stopped).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(session->run({&input, 1}).is_ok()) << "usable after a limit";
}

TEST(Session, KeepsToMaxMemory) {
  const auto session = Session::create(model_of(kConvNet)).value_or_throw();
  const Shape shape = {1, 3, 64, 64};
  const NamedValue input{"x", random(shape, 3)};
  const MemoryReport needed = session->memory({&shape, 1}).value_or_throw();
  EXPECT_TRUE(needed.is_complete);
  if (active_isa() != Isa::kScalar) {  // the reference loops take weights as they are
    EXPECT_GT(needed.weight_bytes, 4 * 24 * 27) << "w1 alone";
  }
  EXPECT_EQ(needed.output_bytes, 4 * 10);
  SessionOptions options;
  options.max_memory = needed.peak_bytes();
  const auto exact = Session::create(model_of(kConvNet), options).value_or_throw();
  EXPECT_TRUE(exact->run({&input, 1}).is_ok());
  options.max_memory = needed.peak_bytes() - 1;
  const auto small = Session::create(model_of(kConvNet), options).value_or_throw();
  const Status status = small->run({&input, 1}).status();
  EXPECT_EQ(status.code(), StatusCode::kLimit);
  const auto number = [](int64_t n) { return std::to_string(n); };
  EXPECT_EQ(status.message(), "the run needs " + number(needed.run_bytes()) +
                                  " bytes for its values (arena " + number(needed.arena_bytes) +
                                  ", outputs " + number(needed.output_bytes) + ", scratch " +
                                  number(needed.scratch_bytes) + "), it may use " +
                                  number(needed.run_bytes() - 1));
  const NamedValue smaller{"x", random({1, 3, 32, 32}, 3)};
  EXPECT_TRUE(small->run({&smaller, 1}).is_ok()) << "usable after a limit";
  options.max_memory = needed.shared_bytes() - 1;
  const Status refused = Session::create(model_of(kConvNet), options).status();
  EXPECT_EQ(refused.code(), StatusCode::kLimit);
  EXPECT_NE(refused.message().find("the model's weights need " +
                                   std::to_string(needed.shared_bytes()) + " bytes"),
            std::string::npos)
      << refused.message();
}

TEST(Session, CountsWhatOnlyTheRunMakesAgainstMaxMemory) {
  const std::string text = R"(opset 17
graph main (x: float[N], n: int64[]) -> (y: float[M]) {
  true: bool[] = {true}
  b = NonZero(x)
  f = Cast[to=1](b)
  axes: int64[1] = {0}
  s = Squeeze(f, axes)
  y = Loop[body=graph (i: int64[], c: bool[], s_in: float[K]) -> (c2: bool[], s_out: float[L]) {
    c2 = Identity(c)
    s_out = Concat[axis=0](s_in, s_in)
  }](n, true, s)
}
)";
  SessionOptions options;
  options.max_memory = 1 << 20;
  const auto session = Session::create(model_of(text), options).value_or_throw();
  Tensor x = Tensor::zeros(DType::kFloat32, {1000}).value_or_throw();
  for (float& value : x.mutable_as<float>()) value = 1;
  const auto run = [&](int64_t doublings) {
    const std::vector<NamedValue> inputs = {{"x", x},
                                            {"n", Tensor::from<int64_t>({}, {doublings})}};
    return session->run(inputs);
  };
  EXPECT_EQ(run(3).value_or_throw()[0].tensor()->element_count(), 8000);
  EXPECT_EQ(run(9).status().code(), StatusCode::kLimit) << "2 MB";
  EXPECT_TRUE(run(3).is_ok());
  const Shape shapes[] = {{1000}, {}};
  EXPECT_FALSE(session->memory(shapes).value_or_throw().is_complete);
}

TEST(Session, RunsInManyThreadsAtOnce) {
  auto session = Session::create(model_of(kConvNet)).value_or_throw();
  const NamedValue input{"x", random({1, 3, 40, 40}, 3)};
  const Tensor want = *session->run({&input, 1}).value_or_throw()[0].tensor();
  std::vector<std::thread> threads;
  std::atomic<int> same = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        auto got = session->run({&input, 1});
        if (got.is_ok() && identical(*(*got)[0].tensor(), want)) ++same;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, 40);
}

// A user's own operator in C++: y = x * factor + the number of the run, kept behind user_data.
struct Affine {
  float factor = 1;
  int runs = 0;
};

Operator affine_operator(std::shared_ptr<Affine> state) {
  Operator op;
  op.domain = "example.maths";
  op.name = "Affine";
  op.summary = "Scales, and counts its runs.";
  op.versions = {{.since = 1,
                  .signature = "(x: T, bias?: T) -> (y: T)",
                  .types = "T: float",
                  .attributes = "repeat: int = 1"}};
  op.infer = [](InferContext& context) -> Status {
    Dims dims = *context.input_dims(0);
    dims[0] = context.dims().mul(dims[0], context.int_attribute("repeat"));
    context.set_output(0, context.input_dtype(0), dims);
    return Status::ok();
  };
  op.evaluate = [](EvaluateContext& context) -> Status {
    Affine& affine = *static_cast<Affine*>(context.op().user_data);
    if (affine.factor == 0) return Status::invalid_argument("the factor must not be zero");
    const auto x = context.input(0).as<float>();
    const int64_t repeat = context.int_attribute("repeat");
    Shape shape = context.input(0).shape();
    shape[0] *= repeat;
    SHIPWAY_ASSIGN_OR_RETURN(Tensor y, context.allocate_output(0, DType::kFloat32, shape));
    const auto out = y.mutable_as<float>();
    ++affine.runs;
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = x[i % x.size()] * affine.factor + static_cast<float>(affine.runs);
    return Status::ok();
  };
  op.user_data = state.get();
  op.user_owner = std::move(state);
  return op;
}

constexpr char kAffineNet[] = R"(opset 17
opset example.maths 1
graph main (x: float[N,2]) -> (y: float[M,2]) {
  r = Relu(x)
  a = example.maths.Affine[repeat=3](r) @scaled
  y = Neg(a)
}
)";

TEST(Session, RunsAUsersOwnOperatorWithItsStateAndShapeRule) {
  const auto state = std::make_shared<Affine>(Affine{.factor = 10});
  Registry registry;
  ASSERT_TRUE(registry.add(affine_operator(state)).is_ok());
  for (const bool reference : {false, true}) {
    state->runs = 0;
    SessionOptions options;
    options.registry = &registry;
    options.reference = reference;
    auto session = Session::create(model_of(kAffineNet), options);
    ASSERT_TRUE(session.is_ok()) << session.status().message();
    EXPECT_EQ(to_string((*session)->outputs()[0].type, (*session)->dims()), "float[N*3,2]");
    for (float run : {1.f, 2.f}) {
      const auto y = (*session)->run({{{"x", Tensor::from<float>({1, 2}, {3, -4})}}});
      ASSERT_TRUE(y.is_ok()) << y.status().message();
      EXPECT_TRUE(identical(
          *(*y)[0].tensor(),
          Tensor::from<float>({3, 2}, {-30 - run, -run, -30 - run, -run, -30 - run, -run})));
    }
  }
}

TEST(Session, TellsWhatAUsersOwnOperatorRefuses) {
  const auto state = std::make_shared<Affine>(Affine{.factor = 0});
  Registry registry;
  ASSERT_TRUE(registry.add(affine_operator(state)).is_ok());
  SessionOptions options;
  options.registry = &registry;
  auto session = Session::create(model_of(kAffineNet), options);
  ASSERT_TRUE(session.is_ok()) << session.status().message();
  const std::vector<NamedValue> x = {{"x", Tensor::from<float>({1, 2}, {3, -4})}};
  EXPECT_EQ((*session)->run(x).status().message(),
            "node 'scaled' (example.maths.Affine): the factor must not be zero");
  state->factor = 1;
  EXPECT_TRUE((*session)->run(x).is_ok());
  EXPECT_EQ(Session::create(model_of(kAffineNet)).status().code(), StatusCode::kUnsupported);
}

}  // namespace
}  // namespace shipway
