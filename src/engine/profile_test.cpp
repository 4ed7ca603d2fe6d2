#include "shipway/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>

#include "base/cpu.h"
#include "engine/testing.h"
#include "kernels/kernels.h"

namespace shipway {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::MatchesRegex;

struct Profiled {
  std::unique_ptr<Session> session;
  std::vector<StepProfile> steps;
  double run_ns = 0;
};

Profiled profiled(const std::string& text, const std::vector<NamedValue>& inputs,
                  SessionOptions options = {.threads = 2}) {
  Profiled result;
  result.session = Session::create(model_of(text), options).value_or_throw();
  result.session->run(inputs).value_or_throw();
  RunOptions run;
  run.profile = &result.steps;
  const auto start = std::chrono::steady_clock::now();
  result.session->run(inputs, {}, run).value_or_throw();
  result.run_ns =
      std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
  return result;
}

constexpr char kNet[] = R"(opset 17
graph main (x: float[1,3,16,16]) -> (y: float[1,10]) {
  w1: float[24,3,3,3] = seeded 1
  w2: float[24,1,3,3] = seeded 2
  w3: float[24,10] = seeded 3
  c = Conv[pads=[1, 1, 1, 1]](x, w1) @first
  r = Relu(c) @relu
  d = Conv[group=24, pads=[1, 1, 1, 1]](r, w2) @depthwise
  g = GlobalAveragePool(d) @pool
  f = Flatten(g) @flat
  y = MatMul(f, w3) @head
}
)";

TEST(Profile, HasEveryStepAndEveryNodeOfThePlan) {
  const Profiled run = profiled(kNet, {{"x", random({1, 3, 16, 16}, 1)}});
  const auto plan = run.session->plan();
  std::vector<std::string> origins;
  std::multiset<const PlanStep*> executed;
  for (const StepProfile& step : run.steps) executed.insert(step.step.get());
  for (const auto& step : plan) {
    origins.insert(origins.end(), step->origins.begin(), step->origins.end());
    EXPECT_EQ(executed.count(step.get()), step->kernel == "shape" ? 0u : 1u) << step->name;
  }
  EXPECT_THAT(origins,
              IsSupersetOf({"Conv 'first'", "Relu 'relu'", "Conv 'depthwise'",
                            "GlobalAveragePool 'pool'", "Flatten 'flat'", "MatMul 'head'"}));
}

TEST(Profile, SaysKernelLayoutAndSizes) {
  if (active_isa() == Isa::kScalar) GTEST_SKIP() << "no kernels without an instruction set";
  const Profiled run = profiled(kNet, {{"x", random({1, 3, 16, 16}, 1)}});
  const std::string isa(to_string(active_isa()));
  const StepProfile& first = run.steps.front();
  EXPECT_EQ(first.step->kernel, "conv_first_" + isa);
  EXPECT_EQ(first.step->isa, isa);
  EXPECT_EQ(first.step->operators, "Conv + Relu");
  EXPECT_EQ(first.step->layout,
            "plain to NCHW" + std::to_string(kernels::channel_block(active_isa())) + "c");
  EXPECT_THAT(first.input, ElementsAre(1, 3, 16, 16));
  EXPECT_THAT(first.output, ElementsAre(1, 24, 16, 16));
  EXPECT_EQ(first.flops, 2.0 * 24 * 16 * 16 * 27);  // two for each of 27 weights of an output
  EXPECT_GE(first.step->constant_bytes, 24 * 27 * 4);
}

TEST(Profile, OfStepsSumsUpToLessThanTheRunAndThemInOrder) {
  const Profiled run = profiled(kNet, {{"x", random({1, 3, 16, 16}, 1)}});
  double sum = 0;
  for (size_t i = 0; i < run.steps.size(); ++i) {
    sum += run.steps[i].self_ns;
    EXPECT_GE(run.steps[i].nanoseconds, 0);
    if (i > 0) {
      EXPECT_GE(static_cast<double>(run.steps[i].start_ns),
                static_cast<double>(run.steps[i - 1].start_ns) + run.steps[i - 1].nanoseconds);
    }
  }
  EXPECT_GT(sum, 0);
  EXPECT_LT(sum, run.run_ns);
  const ProfileReport report =
      make_report(run.session->plan(), {&run.steps, 1}, {&run.run_ns, 1}, {});
  EXPECT_NEAR(report.steps_ns, sum, 1e-6 * sum);
  EXPECT_EQ(report.run_ns, run.run_ns);
  EXPECT_NEAR(report.outside_ns, run.run_ns - sum, 1e-6 * run.run_ns);
  double share = 0;
  for (const StepReport& step : report.steps) share += step.share;
  EXPECT_NEAR(share, 1, 1e-9);
}

TEST(Profile, CountsStepsOfBodiesOnceForEachIteration) {
  const std::string text = R"(opset 17
graph main (n: int64[], s0: float[2,16]) -> (s) {
  yes: bool[] = {true}
  w: float[16,16] = seeded 1
  s = Loop[body=graph (i: int64[], go: bool[], h) -> (go_on, h2) {
    go_on = Identity(go)
    p = MatMul(h, w) @product
    h2 = Tanh(p)
  }](n, yes, s0) @loop
}
)";
  const Profiled run = profiled(
      text, {{"n", Tensor::scalar<int64_t>(7)}, {"s0", random({2, 16}, 1)}}, {.threads = 1});
  const ProfileReport report =
      make_report(run.session->plan(), {&run.steps, 1}, {&run.run_ns, 1}, {});
  int64_t products = 0, loops = 0;
  for (const StepReport& step : report.steps) {
    const auto& origins = step.step->origins;
    if (std::ranges::count(origins, "MatMul 'product'") > 0) products += step.calls;
    if (std::ranges::count(origins, "Loop 'loop'") > 0) loops += step.calls;
  }
  EXPECT_EQ(products, 7);
  EXPECT_EQ(loops, 1);
  EXPECT_LT(report.steps_ns, run.run_ns);
  for (const StepProfile& step : run.steps) {
    EXPECT_EQ(step.depth, step.step->op_type == "Loop" ? 0 : 1) << step.step->name;
    EXPECT_LE(step.self_ns, step.nanoseconds);
  }
  EXPECT_EQ(run.steps.back().step->op_type, "Loop");  // it ends after its body's steps
  EXPECT_LT(run.steps.back().self_ns, run.steps.back().nanoseconds);
}

TEST(Profile, OfReferenceLoopsHasEveryNode) {
  const Profiled run =
      profiled(kNet, {{"x", random({1, 3, 16, 16}, 1)}}, {.level = 0, .reference = true});
  EXPECT_EQ(run.steps.size(), 6u);
  EXPECT_EQ(run.session->plan().size(), 6u);
  for (const StepProfile& step : run.steps) {
    EXPECT_EQ(step.kernel(), "reference");
    EXPECT_THAT(step.step->refusals, ElementsAre(Field(&Refusal::code, "forced")));
  }
}

struct RefusedNode {
  const char* title;
  const char* inputs;
  const char* body;  // its last node is the refused one
  const char* origin;
  const char* code;
};

class Refused : public ::testing::TestWithParam<RefusedNode> {};
INSTANTIATE_TEST_SUITE_P(
    Nodes, Refused,
    ::testing::Values(
        RefusedNode{"WeightsOfTheRun", "x: float[1,4,8,8], v: float[4,4,3,3]", "y = Conv(x, v)",
                    "Conv", "not-constant"},
        RefusedNode{"DoublePrecision", "x: double[4,4], v: double[4,4]", "y = MatMul(x, v)",
                    "MatMul", "dtype"},
        RefusedNode{"IntegerSum", "x: int64[4], v: int64[4]", "y = Add(x, v)", "Add", "dtype"},
        RefusedNode{"NoKernelAtAll", "x: float[4,4]", "y = Det(x)", "Det", "operator"},
        RefusedNode{"IndicesOfMaxima", "x: float[1,4,8,8]",
                    "m, y = MaxPool[kernel_shape=[2, 2]](x)", "MaxPool", "outputs"},
        RefusedNode{"TooManyAxes", "x: float[1,2,2,2,2,2,2], v: float[1]", "y = Add(x, v)", "Add",
                    "rank"},
        RefusedNode{"CubicOfBatch", "x: float[2,1,4,4]",
                    "s: float[4] = {2, 1, 2, 2}\n  y = Resize[mode=\"linear\"](x, _, s)", "Resize",
                    "shape"}),
    [](const auto& parameters) { return parameters.param.title; });

TEST_P(Refused, SaysWhyItRunsByReferenceLoops) {
  if (active_isa() == Isa::kScalar) GTEST_SKIP() << "asks for the reference loops";
  const RefusedNode& c = GetParam();
  const std::string text =
      std::string("opset 17\ngraph main (") + c.inputs + ") -> (y) {\n  " + c.body + "\n}\n";
  const auto session = Session::create(model_of(text)).value_or_throw();
  int found = 0;
  for (const auto& step : session->plan()) {
    if (!std::ranges::count(step->origins, c.origin)) continue;
    ++found;
    EXPECT_EQ(step->kernel, "reference");
    ASSERT_FALSE(step->refusals.empty());
    EXPECT_EQ(step->refusals[0].code, c.code) << step->refusals[0].reason;
    EXPECT_NE(step->refusals[0].reason, "");
  }
  EXPECT_EQ(found, 1);
}

TEST(Profile, NamesTheBetterKernelsThatRefuseAConvolution) {
  if (active_isa() == Isa::kScalar) GTEST_SKIP() << "no kernels without an instruction set";
  const auto session = Session::create(model_of(R"(opset 17
graph main (x: float[1,32,8,8,8]) -> (y) {
  w: float[32,32,3,3,3] = seeded 1
  y = Conv(x, w)
}
)"))
                           .value_or_throw();
  const auto plan = session->plan();
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0]->kernel, "conv_plain_" + std::string(to_string(active_isa())));
  EXPECT_THAT(plan[0]->refusals, Contains(AllOf(Field(&Refusal::code, "shape"),
                                                Field(&Refusal::kernel, HasSubstr("conv_blocked")),
                                                Field(&Refusal::reason, "a kernel with depth"))));
}

TEST(Profile, SaysWhoWantsAChangeOfLayout) {
  if (active_isa() == Isa::kScalar) GTEST_SKIP() << "nothing is blocked without an instruction set";
  const auto session = Session::create(model_of(R"(opset 17
graph main (x: float[1,32,8,8]) -> (y) {
  w: float[32,32,3,3] = seeded 1
  c = Conv(x, w) @conv
  y = Det(c) @det
}
)"))
                           .value_or_throw();
  const std::string blocked = "NCHW" + std::to_string(kernels::channel_block(active_isa())) + "c";
  std::vector<std::string> reasons;
  for (const auto& step : session->plan())
    if (step->op_type.empty()) reasons.push_back(step->refusals.at(0).reason);
  ASSERT_EQ(reasons.size(), 2u);
  EXPECT_THAT(reasons[0],
              MatchesRegex("the caller makes plain, conv_.* \\(Conv 'conv'\\) reads " + blocked));
  EXPECT_THAT(reasons[1], MatchesRegex("conv_.* \\(Conv 'conv'\\) makes " + blocked +
                                       ", reference \\(Det 'det'\\) reads plain"));
}

TEST(Profile, NamesAndDocumentsEveryRefusalCode) {
  using kernels::RefusalCode;
  std::ifstream file(SHIPWAY_SOURCE_DIR "/docs/performance.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(RefusalCode::kOutputs); ++i) {
    const auto code = static_cast<RefusalCode>(i);
    names.insert(to_string(code));
    if (code == RefusalCode::kNone || code == RefusalCode::kKind) continue;  // nobody sees them
    EXPECT_NE(page.find("`" + std::string(to_string(code)) + "`"), std::string::npos)
        << to_string(code);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(RefusalCode::kOutputs) + 1);
  EXPECT_FALSE(names.contains(""));
}

// ---- the arithmetic of reports, on made-up steps

constexpr MachinePeak kMachine{.threads = 2,
                               .gflops = 100,
                               .l2_gbs = 80,
                               .l3_gbs = 40,
                               .memory_gbs = 10,
                               .l2_bytes = 1'000'000,
                               .l3_bytes = 10'000'000};

struct MadeUp {
  std::vector<std::shared_ptr<const PlanStep>> plan;
  std::vector<StepProfile> run;
  void add(const std::string& kernel, const std::string& operators, double ns, double flops,
           double bytes, int64_t constant_bytes = 0, std::vector<Refusal> refusals = {}) {
    auto step = std::make_shared<PlanStep>();
    step->index = static_cast<int32_t>(plan.size());
    step->kernel = kernel;
    step->operators = operators;
    step->op_type = operators == "change of layout" ? "" : operators;
    step->name = kernel + " (" + operators + ")";
    step->constant_bytes = constant_bytes;
    if (operators == "Gelu") step->origins = {"Gelu 'g'"};
    step->refusals = std::move(refusals);
    StepProfile entry;
    entry.step = step;
    entry.nanoseconds = entry.self_ns = ns;
    entry.flops = flops;
    entry.bytes = bytes;
    entry.threads = 2;
    entry.parts = 8;
    plan.push_back(std::move(step));
    run.push_back(std::move(entry));
  }
  ProfileReport report(double run_ns) const {
    return make_report(plan, {&run, 1}, {&run_ns, 1}, kMachine);
  }
};

TEST(Report, PutsEachStepUnderItsRoofline) {
  MadeUp made;
  made.add("conv", "Conv", 40'000, 1e6, 8e3);                // compute: 1e6 / 100 = 10000 ns
  made.add("copy", "Transpose", 1'000, 0, 4e4);              // in L2: 4e4 / 80 = 500 ns
  made.add("copy", "Concat", 200'000, 0, 4e6);               // in L3: 4e6 / 40 = 100000 ns
  made.add("gemm", "MatMul", 3'000'000, 1e6, 1.2e7, 1.2e7);  // weights in memory: 1200000 ns
  made.add("gemm", "Gemm", 100'000, 1e4, 8e5 + 8e4, 8e5);    // 80000 of memory, 1000 of L2
  made.add("shape", "Reshape", 0, 0, 0);
  made.add("conv_winograd", "Conv", 40'000, 4e6, 8e3);  // a quarter of it is done: 10000 ns
  made.run.back().saved_flops = 3e6;
  const ProfileReport report = made.report(4e6);
  const auto roofline = [&](size_t i) { return report.steps[i].roofline_ns; };
  EXPECT_DOUBLE_EQ(roofline(0), 10'000);
  EXPECT_DOUBLE_EQ(roofline(1), 500);
  EXPECT_DOUBLE_EQ(roofline(2), 100'000);
  EXPECT_DOUBLE_EQ(roofline(3), 1'200'000);
  EXPECT_DOUBLE_EQ(roofline(4), 81'000);
  EXPECT_DOUBLE_EQ(roofline(5), 0);
  EXPECT_DOUBLE_EQ(roofline(6), 10'000);
  EXPECT_FALSE(report.steps[0].memory_bound);
  EXPECT_TRUE(report.steps[3].memory_bound);
  EXPECT_DOUBLE_EQ(report.steps_ns, 3'381'000);
}

TEST(Report, TakesTheLeastOfEachStepAndKeepsStepsThatNeverRan) {
  MadeUp made;
  made.add("a", "Add", 10, 0, 0);
  made.add("b", "Mul", 20, 0, 0);
  std::vector<std::vector<StepProfile>> runs(3, {made.run[0]});
  runs[1][0].self_ns = 1000;  // disturbed once
  runs[2][0].self_ns = 12;
  const std::vector<double> times = {15, 1100, 17};
  const ProfileReport report = make_report(made.plan, runs, times, kMachine);
  EXPECT_EQ(report.run_ns, 15);
  EXPECT_EQ(report.outside_ns, 5);  // of 15 - 10, 1100 - 1000, 17 - 12
  EXPECT_EQ(report.steps[0].nanoseconds, 10);
  EXPECT_EQ(report.steps[0].calls, 1);
  EXPECT_EQ(report.steps[1].calls, 0);
  EXPECT_EQ(report.steps[1].nanoseconds, 0);
}

TEST(WhySlow, PutsFirstWhatLiesFarthestAboveTheRoofline) {
  MadeUp made;
  made.add("conv_blocked_avx2", "Conv", 500'000, 4.5e7, 8e3);  // 450000 of 500000: little to gain
  made.add("reference", "Gelu", 200'000, 0, 8e4, 0, {{"dtype", "", "kernels compute fp32 only"}});
  made.add("reference", "Gelu", 100'000, 0, 8e4, 0, {{"dtype", "", "kernels compute fp32 only"}});
  made.add("reorder_avx2", "change of layout", 80'000, 0, 8e4, 0,
           {{"layout", "pool_avx2", "a makes plain, b reads NCHW8c"}});
  const std::vector<Finding> findings = why_slow(made.report(1'000'000));
  ASSERT_EQ(findings.size(), 4u);
  EXPECT_EQ(
      findings[0].sentence,
      "30.0 % (0.3 ms): 2 steps of Gelu on reference, the slowest step 1 (Gelu 'g'), at 0.7 % of "
      "the roofline: reference loops, because kernels compute fp32 only [dtype].");
  EXPECT_THAT(findings[0].steps, ElementsAre(1, 2));
  EXPECT_DOUBLE_EQ(findings[0].share, 0.3);
  EXPECT_THAT(findings[1].sentence, HasSubstr("12.0 % (0.12 ms) passes outside the steps"));
  EXPECT_THAT(findings[2].sentence, HasSubstr("a makes plain, b reads NCHW8c"));
  EXPECT_THAT(findings[3].sentence, AllOf(HasSubstr("at 90.0 % of the roofline"),
                                          HasSubstr("90 GFLOP/s, the machine reaches 100")));
  EXPECT_EQ(why_slow(made.report(1'000'000), 1).size(), 1u);
}

TEST(WhySlow, TellsThinProductsAndWorkOfOneThread) {
  MadeUp made;
  made.add("gemm_avx2", "MatMul", 2'000'000, 2e6, 1.2e7, 1.2e7);
  made.run[0].input = {1, 1000};
  made.run[0].output = {1, 3000};
  made.run[0].threads = made.run[0].parts = 1;
  const auto findings = why_slow(made.report(2'000'000));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].sentence, AllOf(HasSubstr("a product of only 1 row"),
                                          HasSubstr("12 MB at 6 GB/s, the machine reaches 10"),
                                          HasSubstr("one unit of work, so one thread of 2")));
}

TEST(MachinePeak, IsPlausible) {
  const MachinePeak one = measure_peak(1).value_or_throw();
  EXPECT_EQ(one.threads, 1);
  EXPECT_GT(one.gflops, 1);
  EXPECT_LT(one.gflops, 2000);
  EXPECT_GT(one.memory_gbs, 0.5);
  // A nearer cache is never slower than memory by much, however busy the machine.
  EXPECT_GT(one.l2_gbs, 0.8 * one.memory_gbs);
}

}  // namespace
}  // namespace shipway
