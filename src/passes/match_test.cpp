#include "passes/match.h"

#include <gmock/gmock.h>

#include "graph/text.h"
#include "operators/upgrade.h"
#include "passes/pass.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

Model parsed(const std::string& text) {
  return parse("opset " + std::to_string(newest_opset("")) + "\n" + text).value_or_throw();
}

TEST(Match, OneUseIsOneInputOfOneNode) {
  const Model model = parsed(
      "graph (x: float, s: float, c: bool[]) -> (out, y) {\n"
      "  once = Neg(x)\n twice = Neg(x)\n state_too = Neg(x)\n never = Neg(x)\n out = Neg(x)\n"
      "  inside = Neg(x)\n returned = Neg(x)\n other = Neg(x)\n"
      "  a = Abs(once)\n b = Add(twice, twice)\n e = Abs(state_too)\n f = Abs(out)\n"
      "  g = Abs(other)\n state s -> state_too\n"
      "  y = If[then_branch=graph () -> (t) { t = Abs(inside) }, "
      "else_branch=graph () -> (returned) {}](c) }");
  const auto one = [&](const char* name) { return has_one_use(model, model.find_value(name)); };
  EXPECT_TRUE(one("once"));
  EXPECT_TRUE(one("other")) << "a state that another value writes";
  for (const char* name : {"twice", "state_too", "never", "out", "inside", "returned"})
    EXPECT_FALSE(one(name)) << name;

  const auto unused = [&](const char* name) { return is_unused(model, model.find_value(name)); };
  EXPECT_TRUE(unused("never"));
  EXPECT_TRUE(is_unused(model, ValueId{}));
  for (const char* name : {"once", "twice", "out", "inside", "returned"})
    EXPECT_FALSE(unused(name)) << name;
}

TEST(Match, WhatAStateWritesIsNotUnused) {
  const Model model = parsed("graph (s: float) -> () { a = Neg(s)\n b = Abs(s)\n state s -> a }");
  EXPECT_FALSE(is_unused(model, model.find_value("a")));
  EXPECT_TRUE(is_unused(model, model.find_value("b")));
}

TEST(Match, AttributesOfAnotherKindAreNone) {
  const Model model = parsed("graph (x: float) -> (y) { y = Op[i=3, f=0.5, l=[1, 2]](x) @node }");
  const Node& node = *model.nodes().begin();
  EXPECT_EQ(int_attribute(node, "i", 7), 3);
  EXPECT_EQ(int_attribute(node, "f", 7), 7);
  EXPECT_EQ(int_attribute(node, "none", 7), 7);
  EXPECT_EQ(float_attribute(node, "f", 7), 0.5f);
  EXPECT_EQ(float_attribute(node, "i", 7), 7);
  EXPECT_EQ(float_attribute(node, "none", 7), 7);
  EXPECT_THAT(ints_attribute(node, "l"), ElementsAre(1, 2));
  EXPECT_TRUE(ints_attribute(node, "i").empty());
  EXPECT_TRUE(ints_attribute(node, "none").empty());

  const NodeSpec spec = like(node);
  EXPECT_EQ(spec.op_type, "Op");
  EXPECT_EQ(spec.name, "node");
  EXPECT_EQ(spec.attributes.size(), 3u);
  EXPECT_TRUE(spec.inputs.empty() && spec.outputs.empty());
}

TEST(Match, ConstantsOfIntegersAndOfOneNumber) {
  const Model model = parsed(
      "graph (x: float, w: int64[1]) -> () { i: int64[2] = {-1, 2}\n u: uint8[1] = {200}\n"
      "  b: bool[2] = {true, false}\n f: float[2] = {0.5, 0.5}\n g: float[2] = {0.5, 1}\n"
      "  none: float[0] = {}\n text: string[1] = {\"a\"}\n w = {3}\n"
      "  most: uint8[65536] = fill 3\n more: uint8[65537] = fill 3\n"
      "  c = Constant[value=int64[1] {4}]() }");
  const auto ints = [&](const char* name) { return constant_ints(model, model.find_value(name)); };
  EXPECT_THAT(ints("i"), Optional(ElementsAre(-1, 2)));
  EXPECT_THAT(ints("u"), Optional(ElementsAre(200)));
  EXPECT_THAT(ints("b"), Optional(ElementsAre(1, 0)));
  EXPECT_THAT(ints("c"), Optional(ElementsAre(4)));
  for (const char* name : {"f", "text", "w", "x"}) EXPECT_EQ(ints(name), std::nullopt) << name;

  const auto fill = [&](const char* name) { return constant_fill(model, model.find_value(name)); };
  EXPECT_EQ(fill("f"), 0.5);
  EXPECT_EQ(fill("u"), 200);
  EXPECT_EQ(fill("c"), 4);
  EXPECT_EQ(fill("most"), 3);
  for (const char* name : {"i", "g", "none", "text", "w", "x", "more"})
    EXPECT_EQ(fill(name), std::nullopt) << name;
}

TEST(Match, SizesAreEqualWhenTheyAreInEveryRun) {
  const Model model = parsed(
      "graph (a: float[N,3], b: float[N,3], i: int32[N,3], other: float[M,3], open: float[?,3], "
      "again: float[?,3], rank: float, shorter: float[N], list: seq(float[N,3]), "
      "untyped: tensor[N,3], too: tensor[N,3]) -> () {}");
  const auto id = [&](const char* name) { return model.find_value(name); };
  EXPECT_TRUE(have_same_dims(model, id("a"), id("b")));
  EXPECT_TRUE(have_same_dims(model, id("a"), id("i")));
  EXPECT_TRUE(have_same_type(model, id("a"), id("b")));
  EXPECT_FALSE(have_same_type(model, id("a"), id("i")));
  EXPECT_FALSE(have_same_type(model, id("untyped"), id("too")));
  for (const char* name : {"other", "open", "rank", "shorter", "list"}) {
    EXPECT_FALSE(have_same_dims(model, id("a"), id(name))) << name;
    EXPECT_FALSE(have_same_dims(model, id(name), id("a"))) << name;
    EXPECT_FALSE(have_same_type(model, id("a"), id(name))) << name;
  }
  EXPECT_FALSE(have_same_dims(model, id("open"), id("again")));
  EXPECT_FALSE(have_same_dims(model, id("a"), ValueId{}));
  EXPECT_EQ(dims_of(model, id("rank")), nullptr);
  EXPECT_EQ(dims_of(model, id("list")), nullptr);
  EXPECT_EQ(dims_of(model, ValueId{}), nullptr);
  EXPECT_EQ(dims_of(model, id("a"))->size(), 2u);
}

TEST(Match, DropoutIsRandomUnlessItIsOff) {
  const Model model = parsed(
      "graph (x: float[2], given: bool[]) -> () { r: float[] = {0.5}\n on: bool[] = {true}\n"
      "  off: bool[] = {false}\n"
      "  a = Dropout(x, r, on) @random\n b = Dropout(x, r, given) @random\n"
      "  c = RandomNormalLike(x) @random\n"
      "  d = Dropout(x, r, off)\n e = Dropout(x, r)\n f = Clip(x, r, r)\n g = Neg(x) }");
  for (const Node& node : model.nodes()) {
    const Operator* op = Registry::built_in().find(node.domain(), node.op_type());
    ASSERT_NE(op, nullptr);
    EXPECT_EQ(is_random(model, node, *op), node.name() == "random") << model.describe(node.id());
  }
}

TEST(Match, OnlyNodesAreProducers) {
  const Model model = parsed("graph (x: float) -> (y) { w: float[] = {1}\n y = Add(x, w) @node }");
  EXPECT_EQ(producer(model, model.find_value("x")), nullptr);
  EXPECT_EQ(producer(model, model.find_value("w")), nullptr);
  EXPECT_EQ(producer(model, ValueId{}), nullptr);
  ASSERT_NE(producer(model, model.find_value("y")), nullptr);
  EXPECT_EQ(producer(model, model.find_value("y"))->name(), "node");
}

}  // namespace
}  // namespace shipway
