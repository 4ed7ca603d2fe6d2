// Large and deep graphs: everything the graph layer does is linear, in time and memory, and
// recurses nowhere.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "graph/builder.h"
#include "graph/equal.h"
#include "graph/patch.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace shipway {
namespace {

// Sanitizers make the same work ten times slower and larger.
#if defined(__SANITIZE_ADDRESS__) || defined(__has_feature)
constexpr int kChain = 100'000;
#else
constexpr int kChain = 1'000'000;
#endif

Model chain(int length) {
  Model model;
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  const Type type = Type::tensor(DType::kFloat32, {model.dims().symbol("N"), 3});
  ValueId last = builder.add_value(graph, "x", type);
  builder.add_input(graph, last);
  for (int i = 0; i < length; ++i) {
    const ValueId next = builder.add_value(graph, "v" + std::to_string(i), type);
    NodeSpec spec{.op_type = "Relu",
                  .inputs = {last},
                  .outputs = {next},
                  .name = "relu_" + std::to_string(i)};
    EXPECT_TRUE(builder.add_node(graph, std::move(spec)).is_ok());
    last = next;
  }
  builder.add_output(graph, last);
  return model;
}

TEST(Scale, AChainOfAMillionNodesIsBuiltVerifiedPrintedParsedPatchedAndDestroyed) {
  Model model = chain(kChain);
  ASSERT_TRUE(verify(model).is_ok()) << verify(model).message();
  {
    const std::string text = print(model);
    Result<Model> again = parse(text);
    ASSERT_TRUE(again.is_ok()) << again.status().message();
    ASSERT_TRUE(verify(*again).is_ok());
    std::string difference;
    EXPECT_TRUE(equal_models(model, *again, &difference)) << difference;
  }
  // Every second node is taken out; the one after it makes its value from what it read.
  std::vector<NodeId> nodes;
  for (const Node& node : model.nodes()) nodes.push_back(node.id());
  for (size_t i = 0; i + 1 < nodes.size(); i += 2) {
    const Node& first = model.node(nodes[i]);
    const Node& second = model.node(nodes[i + 1]);
    Patch patch(nodes[i]);
    patch.add_node(
        NodeSpec{.op_type = "Twice", .inputs = {first.input(0)}, .outputs = {second.output(0)}});
    patch.remove_node(nodes[i]);
    patch.remove_node(nodes[i + 1]);
    ASSERT_TRUE(std::move(patch).apply(model).is_ok());
  }
  EXPECT_EQ(model.graph().node_count(), static_cast<size_t>(kChain / 2));
  ASSERT_TRUE(verify(model).is_ok()) << verify(model).message();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  RecordProperty("peak_megabytes", static_cast<int>(usage.ru_maxrss / 1024));
}

TEST(Scale, AMillionUsesOfOneValueMoveOneByOne) {
  Model model;
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  const ValueId x = builder.add_value(graph, "x"), z = builder.add_value(graph, "z");
  builder.add_input(graph, x);
  builder.add_input(graph, z);
  for (int i = 0; i < kChain; ++i)
    ASSERT_TRUE(builder.add_node(graph, {.op_type = "Neg", .inputs = {x}}).is_ok());
  for (const Node& node : model.nodes()) builder.set_input(node.id(), 0, z);
  EXPECT_EQ(model.value(z).uses().size(), static_cast<size_t>(kChain));
  EXPECT_TRUE(verify(model).is_ok());
}

TEST(Scale, SubgraphsAHundredDeepPrintParseVerifyAndShare) {
  constexpr int kDepth = 100;
  std::string text = "graph (x: float) -> (y0) {\n";
  for (int i = 0; i < kDepth; ++i)
    text +=
        "y" + std::to_string(i) + " = Loop[body=graph () -> (y" + std::to_string(i + 1) + ") {\n";
  text += "y100 = Neg(x)\n";
  for (int i = 0; i < kDepth; ++i) text += "}]()\n";
  Result<Model> model = parse(text + "}");
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  EXPECT_TRUE(verify(*model).is_ok()) << verify(*model).message();
  EXPECT_EQ(model->value(model->find_value("x")).uses().size(),
            101u);  // the node, and all owners on the way
  const Result<Model> again = parse(print(*model));
  ASSERT_TRUE(again.is_ok()) << again.status().message();
  EXPECT_TRUE(equal_models(*model, *again));
  Patch patch;
  patch.remove_node(model->graph().first_node());
  ModelBuilder(*model).set_output(model->main_graph(), 0, model->find_value("x"));
  ASSERT_TRUE(std::move(patch).apply(*model).is_ok());
  EXPECT_TRUE(verify(*model).is_ok()) << verify(*model).message();
}

// A builder can make what readers refuse: printing and verifying such a model must still end.
TEST(Scale, GraphsDeeperThanAHundredAreNamedNotFollowed) {
  Model model;
  ModelBuilder builder(model);
  GraphId inner = builder.add_graph("innermost");
  for (int i = 0; i < 1000; ++i) {
    const GraphId outer = i == 999 ? model.main_graph() : builder.add_graph("");
    ASSERT_TRUE(
        builder.add_node(outer, {.op_type = "Loop", .attributes = {{"body", inner, {}, {}}}})
            .is_ok());
    inner = outer;
  }
  EXPECT_NE(verify(model).message().find("it is nested deeper than 100"), std::string::npos);
  EXPECT_NE(print(model).find("{...}"), std::string::npos);
}

}  // namespace
}  // namespace shipway
