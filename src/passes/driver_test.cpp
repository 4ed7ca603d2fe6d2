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
  ASSERT_GE(passes.size(), 7u);
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

// ---- in which order rules look at nodes

/// Runs a rule until it finds nothing; the names of the nodes it was shown, in order.
std::string visits(const std::string& text, Rule rule, OptimizeOptions options = {}) {
  static std::string seen;
  static Rule wrapped;
  seen.clear();
  wrapped = rule;
  Model model = parsed(text);
  OptimizeReport report;
  PassContext context(model, options, Registry::built_in(), report);
  const Pass pass = {"rule", "", 1,
                     [](const Model& changed, const Node& node) -> std::optional<Patch> {
                       seen += node.name() + " ";
                       return wrapped(changed, node);
                     },
                     nullptr};
  EXPECT_TRUE(run_pass(pass, context).is_ok());
  return seen;
}

const char* const kChain =
    "graph (x: float) -> (y) { a = Neg(x) @a\n b = Abs(a) @b\n c = Exp(b) @c\n d = Log(c) @d\n"
    "  y = Relu(d) @e }";

TEST(Driver, LooksAtEachNodeOnceWhereNothingChanges) {
  const Rule nothing = [](const Model&, const Node&) -> std::optional<Patch> { return {}; };
  EXPECT_EQ(visits(kChain, nothing), "a b c d e ");
  // Outer graphs first, and nodes without attributes on the way.
  EXPECT_EQ(visits("graph (x: float, c: bool[]) -> (y) { a = Neg(x) @a\n y = If[then_branch=graph "
                   "() -> (t) { t = Neg(a) @t }, else_branch=graph () -> (e) { e = Abs(a) @e }](c) "
                   "@if\n b = Neg(y) @b }",
                   nothing),
            "a if b t e ");
}

TEST(Driver, LooksAgainAroundAChange) {
  // The change of `a` shows a, x's readers and b again, each once, after those that wait already;
  // then all are seen once more.
  const Rule mark_neg = [](const Model&, const Node& node) -> std::optional<Patch> {
    if (!node.is("Neg") || node.attribute("seen")) return std::nullopt;
    Patch patch;
    patch.set_attribute(node.id(), {"seen", int64_t{1}, {}, {}});
    return patch;
  };
  EXPECT_EQ(visits(kChain, mark_neg), "a b c d e a a b c d e ");
}

TEST(Driver, LooksAtWhatAChangeBringsAndNotAtWhatItRemoves) {
  // Exp(b), Log(c) becomes Sqrt(b): d is gone when its turn comes, and the new node is last.
  const Rule replace = [](const Model& model, const Node& node) -> std::optional<Patch> {
    if (!node.is("Exp")) return std::nullopt;
    const Node& next = model.node(model.value(node.output(0)).uses()[0].node);
    Patch patch(node.id());
    NodeSpec spec;
    spec.op_type = "Sqrt";
    spec.name = "new";
    spec.inputs = {node.input(0)};
    spec.outputs = {next.output(0)};
    patch.remove_node(node.id());
    patch.remove_node(next.id());
    patch.add_node(std::move(spec));
    return patch;
  };
  EXPECT_EQ(visits(kChain, replace), "a b c e b new a b new e ");
  EXPECT_EQ(visits(kChain, replace, {.max_rewrites = 1}), "a b c ");
  EXPECT_EQ(visits(kChain, replace, {.max_rewrites = 0}), "");
}

TEST(Driver, GivesARuleTwentyChangesForEachNode) {
  Model model = parsed("graph (x: float) -> (y) { a = Neg(x)\n y = Abs(a) }");
  OptimizeOptions options;
  OptimizeReport report;
  PassContext context(model, options, Registry::built_in(), report);
  const Pass pass = {"endless", "", 1,
                     [](const Model&, const Node& node) -> std::optional<Patch> {
                       Patch patch;
                       patch.set_attribute(node.id(), {"k", int64_t{1}, {}, {}});
                       return patch;
                     },
                     nullptr};
  EXPECT_FALSE(run_pass(pass, context).is_ok());
  EXPECT_EQ(report.rewrites, 1000 + 20 * 2);
}

TEST(Driver, KeepsTheFirstHundredNotes) {
  Model model;
  OptimizeOptions options;
  OptimizeReport report;
  PassContext context(model, options, Registry::built_in(), report);
  for (int i = 0; i < 150; ++i) context.note(std::to_string(i));
  ASSERT_EQ(report.notes.size(), 100u);
  EXPECT_EQ(report.notes.back(), "99");
}

// ---- levels, rounds and opsets

std::vector<std::string> operators_of(const Model& model) {
  std::vector<std::string> names;
  for (const Node& node : model.nodes()) names.push_back(node.op_type());
  return names;
}

TEST(Optimize, EachLevelRunsItsPasses) {
  using Names = std::vector<std::string>;
  Names exact;  // those that leave every result bit for bit
  for (const PassInfo& pass : optimizer_passes())
    if (pass.level == 1) exact.push_back(pass.name);
  EXPECT_EQ(exact, (Names{"eliminate_dead_code", "fold_constants", "eliminate_identity",
                          "eliminate_common_subexpressions", "merge_moves"}));
  Model model = parsed(kNetwork);
  optimized(model, {.level = 1});
  EXPECT_EQ(operators_of(model),
            (Names{"Conv", "BatchNormalization", "Transpose", "Relu", "Transpose", "Reshape"}));
  // A round that changes nothing is the last.
  const size_t all = pipeline(3).size();
  for (const auto& [level, count] : {std::pair{1, size_t{7}}, {2, all}, {3, all}}) {
    Model work = parsed("graph (x: float) -> (y) { y = Neg(x) }");
    EXPECT_EQ(optimized(work, {.level = level}).steps.size(), count) << level;
  }
}

TEST(Optimize, SparesAnOlderOpsetWhatItCannotSay) {
  // Gelu came with opset 20, Swish with 24.
  const std::string text =
      "graph (x: float[N,4]) -> (y, z) { root: float[] = {1.4142135}\n one: float[] = {1}\n half: "
      "float[] = {0.5}\n s = Div(x, root)\n e = Erf(s)\n c = Add(e, one)\n m = Mul(x, c)\n y = "
      "Mul(m, half)\n g = Sigmoid(x)\n z = Mul(x, g) }";
  using Names = std::vector<std::string>;
  const Names spelled_out = {"Div", "Erf", "Add", "Mul", "Mul", "Sigmoid", "Mul"};
  const auto optimized_from = [&](int64_t from, int64_t to, OptimizeReport* report = nullptr) {
    Model model = parsed(text, from);
    OptimizeReport own = optimized(model, {.opset = to});
    if (report) *report = std::move(own);
    return operators_of(model);
  };
  OptimizeReport report;
  EXPECT_EQ(optimized_from(17, OptimizeOptions::kInputOpset, &report), spelled_out);
  EXPECT_EQ(report.rewrites, 0);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_TRUE(report.notes[0].starts_with("opset 17 has no operators for the results of"));
  EXPECT_NE(report.notes[0].find("fuse_gelu (20)"), std::string::npos) << report.notes[0];
  EXPECT_EQ(optimized_from(24, 19), spelled_out);
  EXPECT_EQ(optimized_from(17, 20), (Names{"Gelu", "Sigmoid", "Mul"}));
  EXPECT_EQ(optimized_from(20, OptimizeOptions::kInputOpset), (Names{"Gelu", "Sigmoid", "Mul"}));
  EXPECT_EQ(optimized_from(17, 24, &report), (Names{"Gelu", "Swish"}));
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(optimized_from(17, OptimizeOptions::kNewestOpset), (Names{"Gelu", "Swish"}));
}

/// Stages of which each takes a round: z and w are one value when the stage before is done (or in
/// the first round). Only then are g and h one node, a has one reader and may move to meet the
/// second Transpose; what is left of both goes in the next round, and makes i and d one.
std::string stages(int count) {
  std::string inputs = "s: float[]", statements = "z0 = Neg(s)\n w0 = Neg(s)\n", results;
  for (int i = 0; i < count; ++i) {
    const std::string k = std::to_string(i), next = std::to_string(i + 1);
    inputs += ", u" + k + ": float[2,3]";
    statements += "a" + k + " = Transpose[perm=[1, 0]](u" + k + ")\n g" + k + " = Add(a" + k +
                  ", z" + k + ")\n h" + k + " = Add(a" + k + ", w" + k + ")\n i" + k +
                  " = Transpose[perm=[1, 0]](g" + k + ")\n j" + k + " = Transpose[perm=[1, 0]](h" +
                  k + ")\n d" + k + " = Add(u" + k + ", z" + k + ")\n z" + next +
                  " = ReduceMax[keepdims=0](i" + k + ")\n w" + next + " = ReduceMax[keepdims=0](d" +
                  k + ")\n e" + k + " = ReduceMax[keepdims=0](j" + k + ")\n";
    results += "e" + k + ", ";
  }
  return "graph (" + inputs + ") -> (y) { " + statements + " y = Sum(" + results + "z" +
         std::to_string(count) + ") }";
}

TEST(Optimize, TakesThreeRoundsOrTenAtMost) {
  for (const auto& [level, rounds] : {std::pair{2, 3u}, {3, 10u}}) {
    Model model = parsed(stages(14));
    EXPECT_EQ(optimized(model, {.level = level}).steps.size(), pipeline(level).size() * rounds);
  }
  Model model = parsed(stages(4));
  optimized(model, {.level = 3});
  for (const Node& node : model.nodes()) EXPECT_FALSE(node.is("Transpose"));
}

TEST(Optimize, KeepsTheIrVersionOfAModelOfTheNewestOpset) {
  for (const char* custom : {"", "opset com.example 1\n"}) {
    Model model =
        parse("ir_version 8\n" + std::string(custom) + "opset " + std::to_string(newest_opset("")) +
              "\ngraph (x: float) -> (y) { y = Neg(x) }")
            .value_or_throw();
    optimized(model);
    EXPECT_EQ(model.ir_version, 8) << custom;
  }
}

TEST(Optimize, UpgradesBehindADomainOfItsOwn) {
  Model model = parse(
                    "opset com.example 1\nopset 7\n"
                    "graph (x: float[2]) -> (y) { a = Dropout[ratio=0.5](x)\n y = Relu(a) }")
                    .value_or_throw();
  optimized(model);
  EXPECT_EQ(model.opset(), newest_opset(""));
  EXPECT_EQ(model.opset("com.example"), 1);
}

TEST(Optimize, LeavesTheModelInTheOpsetAskedFor) {
  // The IR versions that came with opsets 13 and 17 are 7 and 8 (onnx/helper.py).
  const auto left_in = [](int64_t opset, int64_t ir_version) {
    Model model = parse("ir_version " + std::to_string(ir_version) +
                        "\nopset com.example 3\nopset 13\n"
                        "graph (x: float[2]) -> (y) { a = Identity(x)\n y = Neg(a) }")
                      .value_or_throw();
    optimized(model, {.opset = opset});
    EXPECT_EQ(operators_of(model), std::vector<std::string>{"Neg"});
    EXPECT_EQ(model.opset("com.example"), 3);
    return std::pair{model.opset(), model.ir_version};
  };
  using Versions = std::pair<int64_t, int64_t>;
  EXPECT_EQ(left_in(OptimizeOptions::kInputOpset, 7), (Versions{13, 7}));
  EXPECT_EQ(left_in(17, 7), (Versions{17, 8}));
  EXPECT_EQ(left_in(17, 9), (Versions{17, 9}));
  EXPECT_EQ(left_in(13, 6), (Versions{13, 6}));
  EXPECT_EQ(left_in(11, 7), (Versions{11, 7}));
}

// Exporters leave wrong shapes behind, and a node that cannot run may stand where no run comes.
TEST(Optimize, BelievesTheGraphRatherThanDeclarations) {
  Model model = parsed(
      "graph (x: float[2,3], n: int64[1]) -> (y, z) { a: float[5,3] = Neg(x)\n y = Abs(a)\n m: "
      "int64[1] = {4}\n z = Reshape(x, m) }");
  optimized(model);
  EXPECT_EQ(to_string(model.value(model.find_value("a")).type(), model.dims()), "float[2,3]");
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
