#include <gtest/gtest.h>

#include <cmath>

#include "graph/equal.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "operators/reference.h"
#include "operators/upgrade.h"
#include "passes/pass_testing.h"
#include "passes/pipelines.h"
#include "shipway/optimizer.h"

namespace shipway {
namespace {

Model parsed(const std::string& text, int64_t opset = newest_opset("")) {
  return parse("opset " + std::to_string(opset) + "\n" + text).value_or_throw();
}

OptimizeReport optimized(Model& model, OptimizeOptions options = {}) {
  options.verify = true;
  Result<OptimizeReport> report = optimize(model, options);
  EXPECT_TRUE(report.is_ok()) << report.status().message();
  EXPECT_TRUE(verify(model).is_ok()) << verify(model).message();
  return report.is_ok() ? *std::move(report) : OptimizeReport();
}

void expect_graph(const Model& model, const std::string& text) {
  std::string difference;
  EXPECT_TRUE(equal_models(model, parsed(text), &difference, CompareOptions::computation()))
      << difference << "\n"
      << print(model);
}

const char* const kNetwork = R"(
graph (x: float[1,2,4,4]) -> (y) {
  w: float[3,2,3,3] = seeded 1
  scale: float[3] = seeded 2
  bias: float[3] = seeded 3
  mean: float[3] = seeded 4
  var: float[3] = {0.5, 1, 2}
  r = Constant[value=float[] {0.5}]()
  c = Conv[pads=[1, 1, 1, 1]](x, w)
  n = BatchNormalization(c, scale, bias, mean, var)
  d = Dropout(n, r)
  t = Transpose[perm=[0, 2, 3, 1]](d)
  a = Relu(t)
  u = Transpose[perm=[0, 3, 1, 2]](a)
  s = Shape(x)
  one = Constant[value_ints=[0]]()
  g = Gather(s, one)
  m = Constant[value_ints=[-1]]()
  shape = Concat[axis=0](g, m)
  f = Reshape(u, shape)
  unused = Neg(f)
  y = Identity(f)
})";

TEST(Optimize, AllPassesTogetherLeaveTheWorkOnly) {
  Model model = parsed(kNetwork);
  const OptimizeReport report = optimized(model);
  std::vector<std::string> operators;
  for (const Node& node : model.nodes()) operators.push_back(node.op_type());
  EXPECT_EQ(operators, (std::vector<std::string>{"Conv", "Relu", "Reshape"})) << print(model);
  EXPECT_EQ(model.value(model.graph().outputs()[0]).name(), "y");
  EXPECT_GT(report.rewrites, 8);
  int64_t sum = 0;
  for (const OptimizeReport::Step& step : report.steps) sum += step.rewrites;
  EXPECT_EQ(sum, report.rewrites);
  EXPECT_FALSE(report.stopped_early);

  const Model once = model;
  EXPECT_EQ(optimized(model).rewrites, 0) << "a second time finds nothing";
  EXPECT_TRUE(equal_models(model, once, nullptr, CompareOptions::computation()));
}

std::vector<float> results(const Model& model) {
  ReferenceRunner runner(model, Registry::built_in());
  const Model input = parsed("graph () -> () { x: float[1,2,4,4] = seeded 9 }");
  const std::pair<ValueId, RuntimeValue> given{model.graph().inputs()[0],
                                               *input.constant_tensor(input.find_value("x"))};
  Result<std::vector<RuntimeValue>> outputs = runner.run({&given, 1});
  EXPECT_TRUE(outputs.is_ok()) << outputs.status().message();
  if (!outputs.is_ok()) return {};
  const auto numbers = outputs->at(0).tensor()->as<float>();
  return {numbers.begin(), numbers.end()};
}

TEST(Optimize, ResultsStayTheSameAtEveryLevel) {
  const std::vector<float> expected = results(parsed(kNetwork));
  ASSERT_EQ(expected.size(), 48u);
  for (int level = 0; level <= 3; ++level) {
    Model model = parsed(kNetwork);
    optimized(model, {.level = level});
    const std::vector<float> found = results(model);
    ASSERT_EQ(found.size(), expected.size());
    // Level 1 keeps every bit. Above, weights are rounded once more: 18 products of numbers up to
    // 3, each off by 2^-24.
    const double bound = level <= 1 ? 0 : 18 * 3 * 0x1p-23;
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], bound);
  }
}

TEST(Optimize, EveryPrefixOfTheRewritesIsAModel) {
  Model all = parsed(kNetwork);
  const int64_t total = optimized(all).rewrites;
  const std::vector<float> expected = results(parsed(kNetwork));
  for (int64_t count = 0; count <= total; ++count) {
    Model model = parsed(kNetwork);
    const OptimizeReport report = optimized(model, {.max_rewrites = count});
    EXPECT_EQ(report.rewrites, count);
    EXPECT_TRUE(report.stopped_early);
    const std::vector<float> found = results(model);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 18 * 3 * 0x1p-23);
  }
}

TEST(Optimize, DumpsAfterEachPassThatChangedSomething) {
  Model model = parsed("graph (x: float) -> (y) { a = Identity(x)\n y = Neg(a)\n z = Abs(a) }");
  std::vector<std::string> names;
  std::string last;
  optimized(model, {.on_dump = [&](const std::string& name, const std::string& text) {
              names.push_back(name);
              last = text;
            }});
  EXPECT_EQ(names, (std::vector<std::string>{"00_before", "01_eliminate_dead_code",
                                             "02_eliminate_identity"}));
  EXPECT_EQ(last.substr(last.find("graph")), print(model).substr(print(model).find("graph")));
}

TEST(Optimize, OlderModelsAreBroughtToTheNewestOpset) {
  Model model = parsed(
      "graph (x: float[2]) -> (y) { r: float[1] = {1}\n a = Dropout[ratio=0.5](x)\n y = Relu(a) }",
      7);
  optimized(model);
  EXPECT_EQ(model.opset(), newest_opset(""));
  expect_graph(model, "graph (x: float[2]) -> (y) { y = Relu(x) }");
}

TEST(Optimize, LevelZeroDoesNothing) {
  Model model = parsed(kNetwork);
  const std::string before = print(model);
  EXPECT_EQ(optimized(model, {.level = 0}).rewrites, 0);
  EXPECT_EQ(print(model), before);
}

TEST(Optimize, ListsItsPasses) {
  const std::vector<PassInfo> passes = optimizer_passes();
  ASSERT_EQ(passes.size(), 7u);
  EXPECT_EQ(passes[0].name, "eliminate_dead_code");
  for (const PassInfo& pass : passes) {
    EXPECT_FALSE(pass.summary.empty());
    EXPECT_TRUE(pass.level >= 1 && pass.level <= 3);
  }
}

// ---- rules that are wrong

Status run_bad_rule(Rule rule) {
  Model model = parsed("graph (x: float) -> (y) { a = Neg(x) @first\n y = Abs(a) @second }");
  OptimizeOptions options;
  options.verify = true;
  OptimizeReport report;
  PassContext context(model, options, Registry::built_in(), report);
  const Pass pass = {"bad_rule", "", 1, rule, nullptr};
  return run_pass(pass, context);
}

TEST(Driver, NamesTheRuleInEveryError) {
  EXPECT_EQ(run_bad_rule([](const Model&, const Node& node) -> std::optional<Patch> {
              Patch patch;
              patch.remove_node(node.id());
              return patch;
            }).message(),
            "pass bad_rule: node 'first' (Neg): value 'a' lost its producer but is still used");
  EXPECT_EQ(run_bad_rule([](const Model& model, const Node& node) -> std::optional<Patch> {
              if (!node.is("Neg") || node.input(0) == node.output(0)) return std::nullopt;
              Patch patch;
              patch.set_input(node.id(), 0, model.graph().outputs()[0]);
              return node.input(0) == model.graph().outputs()[0] ? std::nullopt
                                                                 : std::optional(std::move(patch));
            }).message(),
            "after pass bad_rule: value 'y': it is input of node 'first' (Neg), which comes before "
            "node 'second' (Abs), "
            "which makes it");
}

TEST(Driver, StopsARuleThatNeverEnds) {
  EXPECT_NE(run_bad_rule([](const Model&, const Node& node) -> std::optional<Patch> {
              Patch patch;
              patch.set_attribute(node.id(), {"k", int64_t{1}, {}, {}});
              return patch;
            })
                .message()
                .find("pass bad_rule: its rewrites do not come to an end"),
            std::string::npos);
}

TEST(Driver, SaysWhatWasBrokenBefore) {
  Model model;
  ModelBuilder builder(model);
  const ValueId x = builder.add_value(model.main_graph(), "x");
  ASSERT_TRUE(builder.add_node(model.main_graph(), {.op_type = "Neg", .inputs = {x}}).is_ok());
  OptimizeOptions options;
  options.verify = true;
  OptimizeReport report;
  PassContext context(model, options, Registry::built_in(), report);
  EXPECT_EQ(run_pass(kEliminateDeadCode, context).message(),
            "before pass eliminate_dead_code: value 'x': it is input of node #0 (Neg), but nothing "
            "makes it");
}

// ---- size

TEST(Optimize, AChainOfAMillionNodesTakesSeconds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__has_feature)
  constexpr int kPairs = 25'000;
#else
  constexpr int kPairs = 500'000;
#endif
  Model model;
  model.opset_imports = {{"", newest_opset("")}};
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  ValueId last =
      builder.add_value(graph, "x", Type::tensor(DType::kFloat32, {model.dims().symbol("N")}));
  builder.add_input(graph, last);
  for (int i = 0; i < 2 * kPairs; ++i) {
    const ValueId next = builder.add_value(graph, "v" + std::to_string(i));
    const NodeSpec spec{
        .op_type = i % 2 ? "Identity" : "Relu", .inputs = {last}, .outputs = {next}};
    ASSERT_TRUE(builder.add_node(graph, spec).is_ok());
    last = next;
  }
  builder.add_output(graph, last);
  const Result<OptimizeReport> report = optimize(model, {.verify = false});
  ASSERT_TRUE(report.is_ok()) << report.status().message();
  EXPECT_EQ(model.graph().node_count(), static_cast<size_t>(kPairs));
}

}  // namespace
}  // namespace shipway
