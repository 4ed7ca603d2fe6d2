#include "shipway/compile.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "engine/compile.h"
#include "engine/plan.h"
#include "engine/testing.h"
#include "operators/infer.h"

namespace shipway {
namespace {

constexpr char kConvNet[] = R"(opset 17
graph main (x: float[N,3,H,W]) -> (y: float[N,10]) {
  w1: float[24,3,3,3] = seeded 1
  b1: float[24] = seeded 2
  w2: float[24,1,3,3] = seeded 3
  w3: float[40,24,1,1] = seeded 4
  w5: float[40,10] = seeded 6
  c1 = Conv[kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]](x, w1, b1)
  r1 = Relu(c1)
  d = Conv[group=24, kernel_shape=[3, 3], pads=[1, 1, 1, 1]](r1, w2)
  s = Sigmoid(d)
  m = Mul(d, s)
  c3 = Conv(m, w3)
  g = GlobalAveragePool(c3)
  f = Flatten(g)
  y = MatMul(f, w5)
}
)";

constexpr char kRecurrentNet[] = R"(opset 17
graph main (x: float[T,B,5]) -> (y: float[T,D,B,8], t: float[32,8]) {
  w: float[1,32,5] = seeded 1
  r: float[1,32,8] = seeded 2
  b: float[1,64] = seeded 3
  y = LSTM[hidden_size=8](x, w, r, b)
  v: float[32,8] = seeded 4
  t = Exp(v)
}
)";

/// The same weight packed in two graphs, and read as it is in a third place.
constexpr char kBranches[] = R"(opset 17
graph main (c: bool[], x: float[N,16]) -> (y: float[N,16], z: float[16,16]) {
  w: float[16,16] = seeded 1
  y = If[then_branch=graph () -> (p: float[N,16]) {
    u: float[16,16] = seeded 2
    a = MatMul(x, w)
    p = MatMul(a, u)
  }, else_branch=graph () -> (q: float[N,16]) {
    q = MatMul(x, w)
  }](c)
  m = Transpose(x)
  k = MatMul(m, x)
  z = Mul(w, k)
}
)";

constexpr char kTiny[] = R"(opset 17
graph main (x: float[N,8]) -> (y: float[N,20]) {
  w: float[8,20] = seeded 1
  b: float[20] = seeded 2
  y = Gemm(x, w, b)
}
)";

class PlanFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (active_isa() == Isa::kScalar) GTEST_SKIP() << "plans are for kernels";
    folder_ = std::filesystem::temp_directory_path() /
              ("shipway_plans_" + std::to_string(std::random_device()()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  std::string path(const std::string& name) const { return folder_ / name; }

  std::string compiled(const std::string& text, const CompileOptions& options = {}) {
    const std::string to = path(std::to_string(files_++) + ".plan");
    const Status status = compile(model_of(text), to, options);
    EXPECT_TRUE(status.is_ok()) << status.message();
    return to;
  }
  static std::vector<std::byte> bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  static Result<std::unique_ptr<Session>> open(const std::vector<std::byte>& bytes) {
    return Session::open(bytes, nullptr);
  }

 private:
  std::filesystem::path folder_;
  int files_ = 0;
};

/// The head's fields that tests change; see docs/plan-files.md.
constexpr size_t kFormatAt = 8, kIsaAt = 12, kVersionAt = 40, kKernelsAt = 64, kCountsAt = 72;

void expect_same_results(const std::string& text, const std::string& file,
                         const std::vector<NamedValue>& inputs) {
  const auto plan = Session::open(file);
  ASSERT_TRUE(plan.is_ok()) << plan.status().message();
  const auto model = Session::create(model_of(text)).value_or_throw();
  const auto got = (*plan)->run(inputs), want = model->run(inputs);
  ASSERT_TRUE(want.is_ok()) << want.status().message();
  ASSERT_TRUE(got.is_ok()) << got.status().message();
  ASSERT_EQ(got->size(), want->size());
  for (size_t i = 0; i < want->size(); ++i)
    EXPECT_TRUE(identical(*(*got)[i].tensor(), *(*want)[i].tensor())) << "output " << i;
}

TEST_F(PlanFiles, GiveTheBytesThatTheModelGives) {
  const std::string conv = compiled(kConvNet);
  expect_same_results(kConvNet, conv, {{"x", random({1, 3, 32, 32}, 1)}});
  expect_same_results(kConvNet, conv, {{"x", random({2, 3, 17, 23}, 2)}});
  expect_same_results(kRecurrentNet, compiled(kRecurrentNet), {{"x", random({6, 2, 5}, 3)}});
  const std::string branches = compiled(kBranches);
  for (bool condition : {true, false})
    expect_same_results(kBranches, branches,
                        {{"c", Tensor::from<bool>({}, {condition})}, {"x", random({16, 16}, 4)}});
}

TEST_F(PlanFiles, HaveTheModelsInputsAndOutputs) {
  const auto session = Session::open(compiled(kConvNet)).value_or_throw();
  ASSERT_EQ(session->inputs().size(), 1u);
  EXPECT_EQ(session->inputs()[0].name, "x");
  EXPECT_EQ(to_string(session->inputs()[0].type, session->dims()), "float[N,3,H,W]");
  EXPECT_EQ(to_string(session->outputs()[0].type, session->dims()), "float[N,10]");
}

TEST_F(PlanFiles, AreTheSameForTheSameModel) {
  EXPECT_EQ(bytes_of(compiled(kConvNet)), bytes_of(compiled(kConvNet)));
}

TEST_F(PlanFiles, WeightsAreUsedWhereTheyLie) {
  const std::vector<std::byte> bytes = bytes_of(compiled(kConvNet));
  const auto aligned = Storage::allocate(bytes.size()).value_or_throw();
  std::memcpy(aligned->data(), bytes.data(), bytes.size());
  const auto file = PlanFile::read({aligned->data(), bytes.size()}, aligned).value_or_throw();
  Model model = parse_plan(*file).value_or_throw();
  ASSERT_TRUE(infer_shapes(model, Registry::built_in(), {.graph_wins = true}).is_ok());
  WeightStore weights;
  file->give_to(weights);
  const int64_t given = weights.bytes();
  const LoweredModel lowered =
      lower(model, Registry::built_in(), weights, {file->isa()}).value_or_throw();
  int packed = 0;
  for (const Step& step : lowered.plans[0].steps) {
    if (!step.weights) continue;
    const auto* data = static_cast<const std::byte*>(step.weights->data());
    EXPECT_TRUE(data >= aligned->data() && data < aligned->data() + bytes.size());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0u);
    ++packed;
  }
  EXPECT_EQ(packed, 4);
  EXPECT_EQ(weights.bytes(), given) << "nothing was packed again";
}

TEST_F(PlanFiles, WeightsJoinedOfSeveralTensorsArePackedOnce) {
  const std::vector<std::byte> bytes = bytes_of(compiled(kRecurrentNet));
  const auto aligned = Storage::allocate(bytes.size()).value_or_throw();
  std::memcpy(aligned->data(), bytes.data(), bytes.size());
  const auto file = PlanFile::read({aligned->data(), bytes.size()}, aligned).value_or_throw();
  WeightStore weights;
  file->give_to(weights);
  const auto given = weights.joined();
  ASSERT_EQ(given.size(), 1u);
  const auto found = weights.packed_joined(given[0]->recipe, []() -> Result<Tensor> {
    ADD_FAILURE() << "they were there";
    return Tensor();
  });
  EXPECT_EQ(*found, given[0]);
}

TEST_F(PlanFiles, APackedWeightCanStillBeReadAsItWas) {
  const auto session = Session::open(compiled(kTiny)).value_or_throw();
  const Model original = model_of(kTiny);
  const Tensor* weights = session->model().constant_tensor(session->model().find_value("w"));
  ASSERT_TRUE(weights);
  EXPECT_TRUE(identical(*weights, *original.constant_tensor(original.find_value("w"))));
}

TEST_F(PlanFiles, KeepTheShapesTheyWereCompiledFor) {
  CompileOptions options;
  options.shapes = {{"x", {1, 3, 20, 24}}};
  const auto session = Session::open(compiled(kConvNet, options)).value_or_throw();
  EXPECT_EQ(to_string(session->inputs()[0].type, session->dims()), "float[1,3,20,24]");
  const NamedValue fits{"x", random({1, 3, 20, 24}, 1)}, other{"x", random({1, 3, 20, 20}, 1)};
  EXPECT_TRUE(session->run({&fits, 1}).is_ok());
  EXPECT_EQ(session->run({&other, 1}).status().code(), StatusCode::kInvalidArgument);
  options.shapes = {{"x", {1, 4, 20, 24}}};
  EXPECT_EQ(compile(model_of(kConvNet), path("no.plan"), options).message(),
            "input 'x' is float[N,3,H,W], it cannot have the shape 1x4x20x24");
  options.shapes = {{"z", {1}}};
  EXPECT_EQ(compile(model_of(kConvNet), path("no.plan"), options).message(),
            "the model has no input 'z'");
  EXPECT_FALSE(std::filesystem::exists(path("no.plan")));
}

TEST_F(PlanFiles, RunWithALowerInstructionSetThanTheMachines) {
  CompileOptions options;
  options.isa = "sse4";
  const auto session = Session::open(compiled(kTiny, options)).value_or_throw();
  const std::vector<NamedValue> inputs = {{"x", random({3, 8}, 1)}};
  const auto want = Session::create(model_of(kTiny)).value_or_throw()->run(inputs).value_or_throw();
  expect_close(session->run(inputs).value_or_throw()[0], want[0], 2e-6);
  EXPECT_EQ(kernels_of(*session, inputs), std::vector<std::string>{"gemm_sse4"});
  options.isa = "neon";
  EXPECT_EQ(compile(model_of(kTiny), path("no.plan"), options).message(),
            "'neon' is no instruction set to compile for: sse4, avx2, avx512");
}

TEST_F(PlanFiles, OfAnotherKindOrVersionAreRefusedByName) {
  const std::vector<std::byte> good = bytes_of(compiled(kTiny));
  const auto message = [&](size_t at, std::string_view replacement) {
    std::vector<std::byte> bytes = good;
    std::memcpy(bytes.data() + at, replacement.data(), replacement.size());
    seal_head(bytes);
    const auto session = open(bytes);
    return session.is_ok() ? "opened" : session.status().message();
  };
  EXPECT_EQ(message(0, "\x89PNG"), "this is no plan file");
  EXPECT_EQ(message(kFormatAt, std::string_view("\x07\0\0\0", 4)),
            "the plan file has format 7, this Shipway reads 1: compile the model again");
  EXPECT_EQ(message(kVersionAt, std::string_view("0.0.7\0", 6)),
            "the plan file was made by Shipway '0.0.7', this is " +
                std::string(reinterpret_cast<const char*>(good.data()) + kVersionAt) +
                ": compile the model again");
  EXPECT_EQ(message(kKernelsAt, "other"),
            "the plan file was made by another build of Shipway " +
                std::string(reinterpret_cast<const char*>(good.data()) + kVersionAt) +
                ", whose kernels read weights differently: compile the model again");
  if (active_isa() != Isa::kAvx512) {
    const std::string used(to_string(active_isa()));
    EXPECT_EQ(message(kIsaAt, std::string_view("\x03\0\0\0", 4)),
              "the plan file was made for avx512, this process uses " + used +
                  ": compile the model for it (--isa " + used + ")");
  }
  SessionOptions reference;
  reference.reference = true;
  EXPECT_EQ(Session::open(good, nullptr, reference).status().message(),
            "a plan file is run by kernels; plain loops need the model");
  const Status missing = Session::open(path("missing.plan")).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_FALSE(is_plan_file(path("missing.plan")));
}

TEST_F(PlanFiles, CutShortAreRefused) {
  const std::vector<std::byte> good = bytes_of(compiled(kTiny));
  for (size_t size = 0; size < good.size(); ++size) {
    const auto session = open({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    ASSERT_FALSE(session.is_ok()) << size;
    ASSERT_EQ(session.status().code(), StatusCode::kInvalidModel) << session.status().message();
  }
  std::vector<std::byte> longer = good;
  longer.push_back({});
  EXPECT_FALSE(open(longer).is_ok());
}

TEST_F(PlanFiles, NoFlippedByteReachesAResult) {
  const std::vector<std::byte> good = bytes_of(compiled(kTiny));
  const NamedValue input{"x", random({2, 8}, 1)};
  const Tensor want = *open(good).value_or_throw()->run({&input, 1}).value_or_throw()[0].tensor();
  size_t at_open = 0, at_run = 0, harmless = 0;
  std::vector<std::byte> bytes = good;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{0x10};
    const auto session = open(bytes);
    if (!session.is_ok()) {
      ++at_open;
    } else if (const auto result = (*session)->run({&input, 1}); !result.is_ok()) {
      EXPECT_EQ(result.status().code(), StatusCode::kInvalidModel);
      EXPECT_NE(result.status().message().find("the plan file is damaged"), std::string::npos);
      ++at_run;
    } else {
      ASSERT_TRUE(identical(*(*result)[0].tensor(), want)) << "byte " << i;
      ++harmless;
    }
    bytes[i] ^= std::byte{0x10};
  }
  EXPECT_GT(at_open, 300u);
  EXPECT_GE(at_run, 4u * (8 * 20 + 20)) << "all weights and the bias";
  EXPECT_LT(harmless, 4096u + 3 * 64u) << "padding";
}

TEST_F(PlanFiles, MadeByAStrangerNeverCrash) {
  // Any bytes with a right checksum: whatever the tables and the text say then.
  const std::vector<std::byte> good = bytes_of(compiled(kBranches));
  uint64_t head_bytes = 0;
  std::memcpy(&head_bytes, good.data() + 24, sizeof head_bytes);
  std::mt19937 random_number(11);
  const std::vector<NamedValue> inputs = {{"c", Tensor::from<bool>({}, {true})},
                                          {"x", random({16, 16}, 4)}};
  size_t opened = 0;
  for (int round = 0; round < 1200; ++round) {
    std::vector<std::byte> bytes = good;
    const size_t changes = 1 + random_number() % 3;
    for (size_t k = 0; k < changes; ++k) {
      const size_t at = kCountsAt + random_number() % (head_bytes - kCountsAt);
      constexpr uint8_t kNumbers[] = {0, 1, 0x7f, 0x80, 0xff, '9', '-', ','};
      bytes[at] = static_cast<std::byte>(random_number() % 2 ? kNumbers[random_number() % 8]
                                                             : random_number());
    }
    seal_head(bytes);
    const auto session = open(bytes);
    if (!session.is_ok()) continue;
    ++opened;
    static_cast<void>((*session)->run(inputs).is_ok());
  }
  EXPECT_GT(opened, 20u) << "or the changes say nothing";
}

TEST_F(PlanFiles, AreWrittenWholeOrNotAtAll) {
  const Status status = compile(model_of(kTiny), path("no/such/folder.plan"));
  EXPECT_FALSE(status.is_ok());
  EXPECT_NE(status.message().find("no/such"), std::string::npos);
}

}  // namespace
}  // namespace shipway
