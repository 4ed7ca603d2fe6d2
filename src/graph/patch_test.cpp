#include "graph/patch.h"

#include <gtest/gtest.h>

#include "graph/equal.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace shipway {
namespace {

class PatchTest : public ::testing::Test {
 protected:
  void load(std::string_view text) { model = parse(text).value_or_throw(); }
  ValueId value(std::string_view name) const { return model.find_value(name); }
  NodeId maker(std::string_view name) const { return model.value(value(name)).producer(); }
  void apply(Patch patch) {
    const Status status = std::move(patch).apply(model);
    ASSERT_TRUE(status.is_ok()) << status.message();
    const Status verified = verify(model);
    EXPECT_TRUE(verified.is_ok()) << verified.message() << "\n" << print(model);
  }
  void expect(std::string_view after) {
    const Model expected = parse(after).value_or_throw();
    std::string difference;
    EXPECT_TRUE(equal_models(model, expected, &difference, CompareOptions::computation()))
        << difference << "\n"
        << print(model);
  }
  Model model;
};

TEST_F(PatchTest, ANewNodeTakesAValueOver) {
  load(
      "graph (x: float) -> (y: float[N]) { a = Abs(x) @first\n y = Relu(a) @second\n z = Neg(y) }");
  const ValueId y = value("y");
  Patch patch(maker("y"));
  patch.remove_node(maker("y"));
  patch.remove_node(maker("a"));
  patch.add_node(NodeSpec{.op_type = "AbsRelu", .inputs = {value("x")}, .outputs = {y}});
  EXPECT_EQ(patch.size(), 3u);
  apply(std::move(patch));
  EXPECT_EQ(print(model, {.node_names = false}),
            "graph (x: float) -> (y: float[N]) {\n"
            "  y = AbsRelu(x) from [Abs @first, Relu @second]\n"
            "  z = Neg(y)\n}\n");
  EXPECT_EQ(value("y"), y);
}

TEST_F(PatchTest, AddsConstantsAndChainsOfNodes) {
  load("graph (x: float[2]) -> (y) { y = Neg(x) }");
  Patch patch(maker("y"));
  const ValueId two = patch.add_constant("x", Tensor::from<float>({1}, {2.0f}));
  const ValueId doubled =
      patch.add_node("Mul", {value("x"), two}, {}, "doubled", Type::tensor(DType::kFloat32));
  patch.set_input(maker("y"), 0, doubled);
  apply(std::move(patch));
  EXPECT_EQ(print(model, {.node_names = false, .sources = false}),
            "graph (x: float[2]) -> (y) {\n  x_1: float[1] = {2}\n  doubled: float = Mul(x, x_1)\n"
            "  y = Neg(doubled)\n}\n");
}

TEST_F(PatchTest, ReplacedUsesReachIntoSubgraphs) {
  load(R"(graph (x: float, c: bool) -> (y) {
    a = Identity(x)
    y = If[then_branch=graph () -> (b) { b = Neg(a) }, else_branch=graph () -> (d) { d = Abs(a) }](c)
  })");
  Patch patch;
  patch.replace_uses(value("a"), value("x"));
  patch.remove_node(maker("a"));
  apply(std::move(patch));
  expect(R"(graph (x: float, c: bool) -> (y) {
    y = If[then_branch=graph () -> (b) { b = Neg(x) }, else_branch=graph () -> (d) { d = Abs(x) }](c)
  })");
}

TEST_F(PatchTest, ReplacedGraphOutputsKeepTheirNames) {
  load("graph (x: float) -> (y) { a = Abs(x)\n y = Identity(a)\n z = Neg(y) }");
  Patch patch(maker("y"));
  patch.replace_uses(value("y"), value("a"));
  patch.remove_node(maker("y"));
  apply(std::move(patch));
  expect("graph (x: float) -> (y) { a = Abs(x)\n y = Identity(a)\n z = Neg(a) }");
}

TEST_F(PatchTest, ReplacesAnOutputOfASubgraphThatIsAnOuterValue) {
  load(R"(graph (x: float, c: bool) -> (y) {
    a = Identity(x)
    y = If[then_branch=graph () -> (a) {}](c)
  })");
  Patch patch(maker("a"));
  patch.replace_uses(value("a"), value("x"));
  patch.remove_node(maker("a"));
  apply(std::move(patch));
  expect(R"(graph (x: float, c: bool) -> (y) {
    a = Identity(x)
    y = If[then_branch=graph () -> (a) {}](c)
  })");
}

TEST_F(PatchTest, ANodeTakesTheSubgraphOfARemovedOneOver) {
  load("graph (x: float) -> (y) { y = OldLoop[body=graph () -> (b) { b = Neg(x) }]() }");
  const NodeId old = maker("y");
  Patch patch(old);
  NodeSpec spec{.op_type = "NewLoop", .outputs = {value("y")}};
  spec.attributes.assign(model.node(old).attributes().begin(), model.node(old).attributes().end());
  patch.remove_node(old);
  patch.add_node(std::move(spec));
  apply(std::move(patch));
  expect("graph (x: float) -> (y) { y = NewLoop[body=graph () -> (b) { b = Neg(x) }]() }");
}

TEST_F(PatchTest, RemovingANodeRemovesItsSubgraphs) {
  load("graph (x: float) -> (x) { a = Abs(x)\n y = Loop[body=graph () -> (a) { b = Neg(a) }]() }");
  Patch patch;
  patch.remove_node(maker("a"));
  patch.remove_node(maker("y"));
  apply(std::move(patch));
  expect("graph (x: float) -> (x) {}");
}

TEST_F(PatchTest, EditsInsideASubgraph) {
  load(
      "graph (x: float, z: float) -> (y) { y = Loop[body=graph inside () -> (b) { b = Neg(x) @n "
      "}]() }");
  NodeId inside;
  for (size_t i = 0; i < model.node_count(); ++i)
    if (model.node({static_cast<int32_t>(i)}).name() == "n") inside.index = static_cast<int32_t>(i);
  Patch patch(inside);
  const ValueId product = patch.add_node("Mul", {value("z"), value("z")});
  patch.set_inputs(inside, {product});
  patch.set_op(inside, "my", "Op");
  patch.set_attribute(inside, {"k", int64_t{1}, {}, {}});
  apply(std::move(patch));
  expect(
      "graph (x: float, z: float) -> (y) "
      "{ y = Loop[body=graph () -> (b) { m = Mul(z, z)\n b = my.Op[k=1](m) }]() }");
}

TEST_F(PatchTest, MistakesOfRulesAreNamed) {
  load("graph (x: float) -> (y) { y = Neg(x)\n z = Abs(y) }");
  Patch twice;
  twice.remove_node(maker("z"));
  twice.remove_node(maker("z"));
  EXPECT_EQ(std::move(twice).apply(model).message(), "node #1 is removed twice");
  load("graph (x: float) -> (y) { y = Neg(x)\n z = Abs(y) }");
  Patch used;
  used.remove_node(maker("y"));
  EXPECT_EQ(std::move(used).apply(model).message(),
            "value 'y' lost its producer but is still used");
  load("graph (x: float) -> (y) { y = Neg(x) }");
  Patch input;
  input.remove_value(value("x"));
  EXPECT_EQ(std::move(input).apply(model).code(), StatusCode::kInternal);
}

TEST_F(PatchTest, AValueBecomesAConstant) {
  load("graph (x: float) -> (y, w: int64[M]) { w = Constant(x)\n y = Neg(w) }");
  Patch patch;
  patch.remove_node(maker("w"));
  patch.make_constant(value("w"), Tensor::from<int64_t>({2}, {3, 4}));
  EXPECT_EQ(patch.neighbourhood(model).size(), 2u);
  apply(std::move(patch));
  EXPECT_EQ(print(model),
            "graph (x: float) -> (y, w) {\n  w: int64[2] = {3, 4}\n  y = Neg(w)\n}\n");
  Patch made;
  made.make_constant(value("y"), Tensor::scalar(1.0f));
  EXPECT_EQ(std::move(made).apply(model).message(),
            "value 'y' is given data while node #1 (Neg) makes it");
}

TEST_F(PatchTest, RemovesValuesAndAttributes) {
  load("graph (x: float) -> (y) { w: float[1] = {1}\n y = Neg[a=1, b=2](x) }");
  Patch patch;
  EXPECT_TRUE(patch.empty());
  patch.remove_value(value("w"));
  patch.remove_attribute(maker("y"), "a");
  patch.set_type(value("y"), Type::tensor(DType::kFloat32));
  apply(std::move(patch));
  EXPECT_EQ(print(model), "graph (x: float) -> (y: float) {\n  y = Neg[b=2](x)\n}\n");
}

}  // namespace
}  // namespace shipway
