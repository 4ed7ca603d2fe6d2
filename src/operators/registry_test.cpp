#include "operators/registry.h"

#include <gtest/gtest.h>

namespace shipway {
namespace {

TEST(Registry, HoldsEveryOperatorAndVersionOfOnnx) {
  size_t operators = 0;
  size_t versions = 0;
  Registry::onnx().for_each([&](const Operator& op) {
    ++operators;
    versions += op.versions.size();
    EXPECT_EQ(Registry::onnx().find(op.domain, op.name), &op);
  });
  // Counted in onnx 1.23.2: onnx.defs.get_all_schemas_with_history().
  EXPECT_EQ(operators, 227u);
  EXPECT_EQ(versions, 659u);
}

TEST(Registry, FindsEveryBuiltInOperator) {
  Registry::built_in().for_each([](const Operator& op) {
    EXPECT_EQ(op.versions.errors(), "") << op.name;
    EXPECT_FALSE(op.summary.empty()) << op.name;
    EXPECT_EQ(Registry::built_in().find(op.domain, op.name), &op);
    const bool of_onnx = (op.domain.empty() && op.name != "SimplifiedLayerNormalization") ||
                         op.domain.starts_with("ai.onnx");
    EXPECT_EQ(Registry::onnx().find(op.domain, op.name), of_onnx ? &op : nullptr);
  });
}

TEST(Accuracy, OnlyRoundingHasABound) {
  EXPECT_EQ(Accuracy::exact().relative, 0);
  EXPECT_EQ(Accuracy::random().relative, 0);
  EXPECT_EQ(Accuracy::rounding().relative, 1e-6);
  EXPECT_EQ(Accuracy::rounding(1e-3).relative, 1e-3);
  EXPECT_EQ(Accuracy().kind, Accuracy::Kind::kRounding);
  EXPECT_EQ(Accuracy().relative, 1e-6);
}

TEST(Registry, TakesBothNamesOfTheMainDomain) {
  const Operator* conv = Registry::built_in().find("", "Conv");
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(Registry::built_in().find("ai.onnx", "Conv"), conv);
  EXPECT_EQ(Registry::built_in().find("ai.onnx.ml", "Conv"), nullptr);
  EXPECT_EQ(Registry::built_in().find("", "conv"), nullptr);
  EXPECT_EQ(Registry::built_in().find("", ""), nullptr);
}

TEST(Registry, PutsUserOperatorsOnTop) {
  Registry registry;
  Operator cosine{
      .domain = "my.shop",
      .name = "Price",
      .summary = "What it costs.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"}}};
  ASSERT_TRUE(registry.add(cosine).is_ok());
  ASSERT_NE(registry.find("my.shop", "Price"), nullptr);
  EXPECT_EQ(registry.find("my.shop", "Price")->summary, "What it costs.");
  EXPECT_NE(registry.find("", "Conv"), nullptr);
  EXPECT_EQ(Registry::built_in().find("my.shop", "Price"), nullptr);
  EXPECT_EQ(registry.add(cosine).message(),
            "operator 'Price' of domain 'my.shop' was added before");
  size_t operators = 0, built_in = 0;
  Registry::built_in().for_each([&](const Operator&) { ++built_in; });
  std::string last_domain;
  registry.for_each([&](const Operator& op) {
    ++operators;
    EXPECT_LE(last_domain, op.domain);
    last_domain = op.domain;
  });
  EXPECT_EQ(operators, built_in + 1);
}

TEST(Registry, RefusesUserOperatorsItCannotRead) {
  Registry registry;
  EXPECT_EQ(
      registry.add(Operator{.domain = "d", .name = "", .summary = "", .versions = {}}).message(),
      "an operator needs a name");
  EXPECT_EQ(
      registry.add(Operator{.domain = "d", .name = "N", .summary = "", .versions = {}}).message(),
      "operator 'N' needs at least one version");
  Operator broken{
      .domain = "d",
      .name = "N",
      .summary = "",
      .versions = {{.since = 1, .signature = "(X: U) -> (Y: T)", .types = "T: floats"}}};
  EXPECT_EQ(
      registry.add(broken).message(),
      "operator 'N': version 1: signature: 'U' is no dtype, set of dtypes or container of one\n");
}

}  // namespace
}  // namespace shipway
