#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "operators/testing.h"

namespace shipway {
namespace {

using Doubles = std::vector<double>;

Tensor floats(Shape shape, std::initializer_list<float> values) {
  return Tensor::from<float>(std::move(shape), values);
}
Tensor ints(std::initializer_list<int64_t> values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

TEST(Add, BroadcastsBothOperands) {
  EXPECT_EQ(doubles(evaluate_tensor("Add", {floats({2, 1}, {1, 2}), floats({3}, {10, 20, 30})})),
            (Doubles{11, 21, 31, 12, 22, 32}));
}

TEST(Add, WrapsWholeNumbers) {
  EXPECT_EQ(doubles(evaluate_tensor(
                "Add", {Tensor::from<int8_t>({1}, {127}), Tensor::from<int8_t>({1}, {2})})),
            (Doubles{-127}));
}

TEST(Add, NamesShapesThatDoNotBroadcast) {
  const Result<Tensor> result =
      evaluate_tensor("Add", {floats({2}, {1, 2}), floats({3}, {1, 2, 3})});
  ASSERT_FALSE(result.is_ok());
  EXPECT_NE(result.status().message().find("shapes 2 and 3 do not broadcast"), std::string::npos)
      << result.status().message();
}

TEST(Add, KeepsZeroElements) {
  const Result<Tensor> result =
      evaluate_tensor("Add", {floats({0, 3}, {}), floats({1, 3}, {1, 2, 3})});
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->shape(), (Shape{0, 3}));
}

TEST(Add, InfersBroadcastSymbols) {
  EXPECT_EQ(inferred("Add", {"float[N,1,3]", "float[H,1]"}), "float[N,H,3]");
  EXPECT_EQ(inferred("Add", {"float[N]", "float"}), "float");
}

TEST(Arithmetic, FollowsElementsOfSizes) {
  const InferInput sizes("int64[2]", {"N", "H"});
  EXPECT_EQ(inferred_contents("Add", {sizes, ints({1})}), "N + 1, H + 1");
  EXPECT_EQ(inferred_contents("Sub", {ints({10}), sizes}), "-N + 10, -H + 10");
  EXPECT_EQ(inferred_contents("Mul", {sizes, ints({2, 3})}), "N*2, H*3");
  EXPECT_EQ(inferred_contents("Div", {sizes, ints({2})}), "N//2, H//2");
  EXPECT_EQ(inferred_contents("Mod", {sizes, ints({2})}), "N%2, H%2");
  EXPECT_EQ(inferred_contents("Min", {sizes, ints({4})}), "min(N, 4), min(H, 4)");
  EXPECT_EQ(inferred_contents("Max", {ints({7, 8}), ints({3, 9}), ints({1})}), "7, 9");
  EXPECT_EQ(inferred_contents("Neg", {ints({7, -8})}), "-7, 8");
  EXPECT_EQ(inferred_contents("Div", {ints({-7}), ints({2})}), "-3");
}

TEST(Div, RoundsWholeNumbersTowardsZero) {
  EXPECT_EQ(doubles(evaluate_tensor("Div", {ints({-7, 7, -7}), ints({2, -2, -2})})),
            (Doubles{-3, -3, 3}));
  // The lowest number by -1 does not fit; it wraps as in numpy.
  const int64_t lowest = std::numeric_limits<int64_t>::min();
  const Result<Tensor> wrapped = evaluate_tensor("Div", {ints({lowest}), ints({-1})});
  ASSERT_TRUE(wrapped.is_ok());
  EXPECT_EQ(wrapped->as<int64_t>()[0], lowest);
}

TEST(Div, RefusesWholeNumbersByZero) {
  for (const char* name : {"Div", "Mod"}) {
    const Result<Tensor> result = evaluate_tensor(name, {ints({1, 1}), ints({1, 0})});
    ASSERT_FALSE(result.is_ok());
    EXPECT_NE(result.status().message().find("input 1 ('B') is 0 at position 1"), std::string::npos)
        << result.status().message();
  }
}

TEST(Mod, TakesTheSignOfTheDivisorOrOfTheDividend) {
  const Tensor a = ints({-4, 7, 5, 4, -7, 8}), b = ints({2, -3, 8, -2, 3, 5});
  EXPECT_EQ(doubles(evaluate_tensor("Mod", {a, b})), (Doubles{0, -2, 5, 0, 2, 3}));  // numpy.mod
  EXPECT_EQ(doubles(evaluate_tensor("Mod", {a, b}, {attr("fmod", 1)})),
            (Doubles{0, 1, 5, 0, -1, 3}));  // numpy.fmod
  const Doubles rest = doubles(
      evaluate_tensor("Mod", {floats({3}, {-4.5f, INFINITY, 1}), floats({3}, {2, 2, -INFINITY})}));
  EXPECT_EQ(rest[0], 1.5);
  EXPECT_TRUE(std::isnan(rest[1]));
  EXPECT_EQ(rest[2], -INFINITY);
}

TEST(Pow, TakesPowersOfAnotherDType) {
  EXPECT_EQ(doubles(evaluate_tensor("Pow", {floats({3}, {1, 2, 3}), ints({4, 5, 6})})),
            (Doubles{1, 32, 729}));
  EXPECT_EQ(doubles(evaluate_tensor("Pow", {ints({3, -1, 2}), ints({3, -3, -1})})),
            (Doubles{27, -1, 0}));
}

TEST(Max, LetsNaNThrough) {
  const Doubles result = doubles(
      evaluate_tensor("Max", {floats({2}, {NAN, 1}), floats({2}, {0, 3}), floats({1}, {2})}));
  EXPECT_TRUE(std::isnan(result[0]));
  EXPECT_EQ(result[1], 3);
}

TEST(Mean, DividesBySheerCount) {
  EXPECT_EQ(
      doubles(evaluate_tensor("Mean", {floats({1}, {1}), floats({2}, {2, 5}), floats({1}, {3})})),
      (Doubles{2, 3}));
}

TEST(Add, AlignsAxesAsOpset6Said) {
  // b stands for axis 1 of a.
  const Tensor a = floats({1, 2, 2}, {1, 2, 3, 4}), b = floats({2}, {10, 20});
  const auto result = evaluate_at(6, "Add", {a, b}, {attr("axis", 1), attr("broadcast", 1)});
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(doubles(*(*result)[0].tensor()), (Doubles{11, 12, 23, 24}));
}

/// A model whose inputs have no declared rank, so that the upgrade must ask at run time.
TEST(Add, AlignsAxesOfUnknownRank) {
  Model model;
  model.opset_imports = {{"", 6}};
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  const ValueId a = builder.add_value(graph, "a"), b = builder.add_value(graph, "b");
  const ValueId c = builder.add_value(graph, "c");
  builder.add_input(graph, a);
  builder.add_input(graph, b);
  builder.add_output(graph, c);
  NodeSpec spec;
  spec.op_type = "Mul";
  spec.inputs = {a, b};
  spec.outputs = {c};
  spec.attributes = {attr("axis", 1), attr("broadcast", 1)};
  ASSERT_TRUE(builder.add_node(graph, std::move(spec)).is_ok());
  const Status upgraded = upgrade(model, Registry::built_in());
  ASSERT_TRUE(upgraded.is_ok()) << upgraded.message();
  const std::vector<std::pair<ValueId, RuntimeValue>> inputs{{a, floats({1, 2, 2}, {1, 2, 3, 4})},
                                                             {b, floats({2}, {10, 20})}};
  const auto result = ReferenceRunner(model, Registry::built_in()).run(inputs);
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(doubles(*(*result)[0].tensor()), (Doubles{10, 20, 60, 80}));
}

}  // namespace
}  // namespace shipway
