#include "graph/builder.h"

#include <gtest/gtest.h>

#include "graph/equal.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace shipway {
namespace {

class BuilderTest : public ::testing::Test {
 protected:
  Model model;
  ModelBuilder builder{model};
  GraphId main = model.main_graph();

  ValueId input(GraphId graph, const char* name) {
    const ValueId id = builder.add_value(graph, name);
    builder.add_input(graph, id);
    return id;
  }
  NodeId node(GraphId graph, const char* op, std::vector<ValueId> inputs, ValueId output,
              std::vector<Attribute> attributes = {}) {
    Result<NodeId> id = builder.add_node(graph, {.op_type = op,
                                                 .inputs = std::move(inputs),
                                                 .outputs = {output},
                                                 .attributes = std::move(attributes)});
    EXPECT_TRUE(id.is_ok()) << id.status().message();
    return id.is_ok() ? *id : NodeId{};
  }
  std::vector<ValueId> captures(NodeId id) {
    return {model.node(id).captures().begin(), model.node(id).captures().end()};
  }
  void expect_verified() {
    EXPECT_TRUE(verify(model).is_ok()) << verify(model).message() << print(model);
  }
};

TEST_F(BuilderTest, RefusesToMakeAValueTwice) {
  const ValueId x = input(main, "x"), y = builder.add_value(main, "y"),
                w = builder.add_value(main, "w");
  builder.add_initializer(w, {Tensor::scalar(1.0f), nullptr, nullptr});
  node(main, "Neg", {x}, y);
  const auto error = [&](ValueId output) {
    return builder.add_node(main, {.op_type = "Abs", .outputs = {output}, .name = "n"})
        .status()
        .message();
  };
  EXPECT_EQ(error(y), "value 'y' is made twice: node #0 (Neg) and node 'n' (Abs)");
  EXPECT_EQ(error(x), "value 'x' is made twice: graph input and node 'n' (Abs)");
  EXPECT_EQ(error(w), "value 'w' is made twice: initializer and node 'n' (Abs)");
  expect_verified();
}

TEST_F(BuilderTest, UsesFollowInputs) {
  const ValueId x = input(main, "x"), z = input(main, "z"), y = builder.add_value(main, "y");
  const NodeId add = node(main, "Add", {x, x, {}, z}, y);
  EXPECT_EQ(model.value(x).uses().size(), 2u);
  builder.set_input(add, 0, z);
  EXPECT_EQ(model.value(x).uses().size(), 1u);
  builder.set_input(add, 2, x);
  builder.set_input(add, 1, {});
  expect_verified();
  builder.set_inputs(add, model.node(add).inputs().subspan(1));
  EXPECT_EQ(print_node(model, add), "y = Add(_, x, z)");
  expect_verified();
  builder.remove_node(add);
  EXPECT_TRUE(model.value(x).uses().empty());
  EXPECT_TRUE(builder.remove_value(y).is_ok());
  EXPECT_EQ(builder.remove_value(x).message(),
            "value 'x' is removed while something still makes or uses it");
  expect_verified();
}

TEST_F(BuilderTest, InsertsBeforeANode) {
  const ValueId x = input(main, "x"), a = builder.add_value(main, "a"),
                b = builder.add_value(main, "b");
  const NodeId second = node(main, "Abs", {x}, b);
  ASSERT_TRUE(
      builder.add_node(main, {.op_type = "Neg", .inputs = {x}, .outputs = {a}}, second).is_ok());
  EXPECT_EQ(print(model), "graph (x) -> () {\n  a = Neg(x)\n  b = Abs(x)\n}\n");
  expect_verified();
}

// A value used two graphs further in is captured on the way by every owner, whichever end is built
// first.
TEST_F(BuilderTest, CapturesAreNotedInsideOutAndOutsideIn) {
  for (const bool inside_out : {true, false}) {
    model = Model();
    main = model.main_graph();
    const ValueId x = input(main, "x"), y = builder.add_value(main, "y");
    const GraphId outer = builder.add_graph("outer"), inner = builder.add_graph("inner");
    const ValueId o = builder.add_value(outer, "o"), i = builder.add_value(inner, "i");
    NodeId use, middle, top;
    const auto add_use = [&] { use = node(inner, "Neg", {x}, i); };
    const auto add_middle = [&] { middle = node(outer, "Loop", {}, o, {{"body", inner, {}, {}}}); };
    const auto add_top = [&] { top = node(main, "Loop", {}, y, {{"body", outer, {}, {}}}); };
    if (inside_out)
      add_use(), add_middle(), add_top();
    else
      add_top(), add_middle(), add_use();
    expect_verified();
    EXPECT_EQ(captures(middle), std::vector{x});
    EXPECT_EQ(captures(top), std::vector{x});
    EXPECT_EQ(model.value(x).uses().size(), 3u);

    builder.add_output(inner, x);  // a second use inside
    expect_verified();
    builder.set_input(use, 0, {});
    expect_verified();
    EXPECT_EQ(captures(top), std::vector{x});
    builder.set_output(inner, 0, i);
    expect_verified();
    EXPECT_TRUE(captures(top).empty());
    EXPECT_TRUE(model.value(x).uses().empty());
  }
}

TEST_F(BuilderTest, ChangedSubgraphsChangeCaptures) {
  const ValueId x = input(main, "x"), z = input(main, "z"), y = builder.add_value(main, "y");
  const GraphId first = builder.add_graph("first"), second = builder.add_graph("second");
  builder.add_output(first, x);
  builder.add_output(second, z);
  const NodeId branch = node(main, "If", {}, y, {{"then_branch", first, {}, {}}});
  builder.set_attribute(branch, {"else_branch", second, {}, {}});
  EXPECT_EQ(captures(branch), (std::vector{x, z}));
  expect_verified();
  builder.remove_attribute(branch, "then_branch");
  builder.remove_graph(first);
  EXPECT_EQ(captures(branch), (std::vector{z}));
  expect_verified();
  builder.remove_node(branch);
  builder.remove_graph(second);
  EXPECT_EQ(model.value(z).output_count(), 0);
  expect_verified();
}

TEST_F(BuilderTest, RemovedGraphsTakeTheirInsideWithThem) {
  model = parse(R"(graph (x: float, c: bool) -> () {
    y = If[then_branch=graph () -> (a) {
      w: float[1] = {1}
      a = If[then_branch=graph () -> (x) { b = Neg(x) }](c) }](c)
  })")
              .value_or_throw();
  const NodeId branch = model.graph().first_node();
  const GraphId body = model.node(branch).subgraphs()[0];
  builder.remove_node(branch);
  builder.remove_graph(body);
  expect_verified();
  EXPECT_TRUE(model.value(model.find_value("x")).uses().empty());
  EXPECT_EQ(print(model), "graph (x: float, c: bool) -> () {\n}\n");
}

TEST_F(BuilderTest, UniqueNamesAreNeverGivenTwice) {
  input(main, "Relu_1");
  EXPECT_EQ(builder.unique_name("Relu"), "Relu");
  EXPECT_EQ(builder.unique_name("Relu"), "Relu_2");
  EXPECT_EQ(builder.unique_name("Relu"), "Relu_3");
  builder.set_name(builder.add_value(main, "v"), "Relu_4");
  EXPECT_EQ(builder.unique_name("Relu"), "Relu_5");
  EXPECT_NE(builder.unique_name(""), "");
}

TEST_F(BuilderTest, AModelCanBeCopied) {
  model = parse("graph (x: float[N]) -> (y) { y = Neg(x) @n }").value_or_throw();
  Model copy = model;
  builder.remove_node(model.graph().first_node());
  EXPECT_TRUE(verify(copy).is_ok());
  EXPECT_EQ(print(copy), "graph (x: float[N]) -> (y) {\n  y = Neg(x) @n\n}\n");
}

// 100,000 outer values used inside one body: note-keeping must not be quadratic.
TEST_F(BuilderTest, ManyCapturesAreCheap) {
  constexpr int kCount = 100000;
  const GraphId body = builder.add_graph("body");
  std::vector<ValueId> values;
  for (int i = 0; i < kCount; ++i) values.push_back(input(main, ""));
  const ValueId y = builder.add_value(main, "y"), z = builder.add_value(body, "z");
  const NodeId loop = node(main, "Loop", {}, y, {{"body", body, {}, {}}});
  const NodeId inner = node(body, "Sum", values, z);
  EXPECT_EQ(model.node(loop).captures().size(), static_cast<size_t>(kCount));
  expect_verified();
  builder.remove_node(inner);
  EXPECT_TRUE(model.node(loop).captures().empty());
  expect_verified();
}

}  // namespace
}  // namespace shipway
