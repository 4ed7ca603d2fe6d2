// Operators that work element by element: unary maths, activations, comparisons, logic, bits, Cast,
// Clip.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "operators/testing.h"

namespace shipway {
namespace {

using Doubles = std::vector<double>;

Tensor floats(std::initializer_list<float> values) {
  return Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
}
Tensor ints(std::initializer_list<int64_t> values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}
Tensor strings(std::vector<std::string> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::from_strings({count}, std::move(values));
}
std::vector<std::string> texts(const Result<Tensor>& tensor) {
  if (!tensor.is_ok()) return {tensor.status().message()};
  return {tensor->strings().begin(), tensor->strings().end()};
}
Doubles one(std::string_view name, float x, std::vector<Attribute> attributes = {}) {
  return doubles(evaluate_tensor(name, {floats({x})}, std::move(attributes)));
}

TEST(UnaryMath, GivesTheFunctionItIsNamedAfter) {
  const struct {
    const char* name;
    double (*f)(double);
    float x;
  } cases[] = {
      {"Acos", std::acos, 0.3f},   {"Acosh", std::acosh, 1.3f}, {"Asin", std::asin, 0.3f},
      {"Asinh", std::asinh, 0.3f}, {"Atan", std::atan, 0.3f},   {"Atanh", std::atanh, 0.3f},
      {"Ceil", std::ceil, 0.3f},   {"Cos", std::cos, 0.3f},     {"Cosh", std::cosh, 0.3f},
      {"Erf", std::erf, 0.3f},     {"Exp", std::exp, 0.3f},     {"Floor", std::floor, -0.3f},
      {"Log", std::log, 0.3f},     {"Sin", std::sin, 0.3f},     {"Sinh", std::sinh, 0.3f},
      {"Sqrt", std::sqrt, 0.3f},   {"Tan", std::tan, 0.3f},     {"Tanh", std::tanh, 0.3f}};
  for (const auto& c : cases) {
    const Doubles y = one(c.name, c.x);
    ASSERT_EQ(y.size(), 1u) << c.name;
    EXPECT_EQ(y[0], static_cast<double>(static_cast<float>(c.f(static_cast<double>(c.x)))))
        << c.name;
  }
}

TEST(Round, SendsHalvesToTheEvenNeighbour) {
  EXPECT_EQ(doubles(evaluate_tensor("Round", {floats({0.5f, 1.5f, -2.5f, 2.6f})})),
            (Doubles{0, 2, -2, 3}));
}

TEST(Abs, KeepsTheLowestWholeNumber) {
  const int64_t lowest = std::numeric_limits<int64_t>::min();
  const Result<Tensor> y = evaluate_tensor("Abs", {ints({lowest, -3})});
  ASSERT_TRUE(y.is_ok());
  EXPECT_EQ(y->as<int64_t>()[0], lowest);
  EXPECT_EQ(y->as<int64_t>()[1], 3);
}

TEST(Sign, KeepsNaN) {
  const Doubles y = doubles(evaluate_tensor("Sign", {floats({-2, 0, 5, NAN})}));
  EXPECT_EQ((Doubles{y[0], y[1], y[2]}), (Doubles{-1, 0, 1}));
  EXPECT_TRUE(std::isnan(y[3]));
}

TEST(Activations, FollowTheirFormulas) {
  const double x = -1.5;
  const auto near = [](const Doubles& y, double expected) {
    ASSERT_EQ(y.size(), 1u);
    EXPECT_NEAR(y[0], expected, 1e-6);
  };
  near(one("Sigmoid", -1.5f), 1 / (1 + std::exp(-x)));
  near(one("Softplus", -1.5f), std::log(1 + std::exp(x)));
  near(one("Softsign", -1.5f), x / 2.5);
  near(one("Mish", -1.5f), x * std::tanh(std::log(1 + std::exp(x))));
  near(one("HardSwish", -1.5f), x * (x / 6 + 0.5));
  near(one("HardSigmoid", 0.5f), 0.6);
  near(one("LeakyRelu", -1.5f, {attr("alpha", 0.1f)}), -0.15);
  near(one("Elu", -1.5f, {attr("alpha", 2.0f)}), 2 * (std::exp(x) - 1));
  near(one("Celu", -1.5f, {attr("alpha", 2.0f)}), 2 * (std::exp(x / 2) - 1));
  near(one("Swish", -1.5f, {attr("alpha", 2.0f)}), x / (1 + std::exp(-2 * x)));
  near(one("Gelu", -1.5f), 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))));
  near(one("ThresholdedRelu", 1.5f), 1.5);
  near(one("ThresholdedRelu", 0.9f), 0);
  near(one("Shrink", -1.5f, {attr("bias", 0.5f)}), -1);
  EXPECT_TRUE(std::isnan(one("Relu", NAN)[0]));
}

TEST(PRelu, PutsOldSlopesAtTheChannels) {
  const Tensor x = Tensor::from<float>({1, 2, 2}, {-1, -2, -3, 4});
  const auto result = evaluate_at(6, "PRelu", {x, floats({10, 100})});
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(doubles(*(*result)[0].tensor()), (Doubles{-10, -20, -300, 4}));
}

TEST(Comparison, TreatsNaNAsUnequal) {
  const Tensor a = floats({1, NAN, 3}), b = floats({1, NAN, 2});
  EXPECT_EQ(doubles(evaluate_tensor("Equal", {a, b})), (Doubles{1, 0, 0}));
  EXPECT_EQ(doubles(evaluate_tensor("Less", {a, b})), (Doubles{0, 0, 0}));
  EXPECT_EQ(doubles(evaluate_tensor("GreaterOrEqual", {a, b})), (Doubles{1, 0, 1}));
  EXPECT_EQ(doubles(evaluate_tensor("Equal", {strings({"a", "b"}), strings({"a", "c"})})),
            (Doubles{1, 0}));
}

TEST(Comparison, RefusesTextAgainstNumbers) {
  const Result<Tensor> result = evaluate_tensor("Equal", {strings({"a"}), floats({1})});
  ASSERT_FALSE(result.is_ok());
  EXPECT_NE(result.status().message().find("where strings are expected"), std::string::npos);
}

TEST(Comparison, KnowsWhatTheRangesOfSizesSay) {
  const InferInput sizes("int64[2]", {"N", "4"});
  EXPECT_EQ(inferred("Equal", {sizes, ints({-1})}), "bool[2]");
  EXPECT_EQ(inferred_contents("Equal", {sizes, ints({-1})}), "0, 0");
  EXPECT_EQ(inferred_contents("Equal", {sizes, ints({4})}), "?, 1");
  EXPECT_EQ(inferred_contents("Less", {sizes, ints({0})}), "0, 0");
  EXPECT_EQ(inferred_contents("GreaterOrEqual", {sizes, ints({0})}), "1, 1");
}

TEST(BitShift, FillsWithTheSign) {
  EXPECT_EQ(doubles(evaluate_tensor("BitShift", {ints({-8, -8, 1, 3}), ints({1, 64, 64, -1})},
                                    {attr("direction", "RIGHT")})),
            (Doubles{-4, -1, 0, 0}));
  EXPECT_EQ(
      doubles(evaluate_tensor(
          "BitShift", {Tensor::from<uint8_t>({2}, {0x81, 1}), Tensor::from<uint8_t>({2}, {1, 8})},
          {attr("direction", "LEFT")})),
      (Doubles{2, 0}));
}

TEST(Clip, IsMaxWhereBoundsCross) {
  EXPECT_EQ(doubles(evaluate_tensor(
                "Clip", {floats({-1, 2, 5}), Tensor::scalar(3.0f), Tensor::scalar(1.0f)})),
            (Doubles{1, 1, 1}));
  EXPECT_EQ(doubles(evaluate_tensor("Clip", {ints({-1, 2, 5}), {}, Tensor::scalar(int64_t{3})})),
            (Doubles{-1, 2, 3}));
}

TEST(Clip, TakesBoundsFromOldAttributes) {
  const auto result =
      evaluate_at(6, "Clip", {floats({-1, 2, 7})}, {attr("min", 0.0f), attr("max", 6.0f)});
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(doubles(*(*result)[0].tensor()), (Doubles{0, 2, 6}));
}

TEST(Cast, WritesNumbersAsNumpyDoes) {
  // str(numpy.float32(x))
  EXPECT_EQ(texts(evaluate_tensor(
                "Cast", {floats({0.1f, 1e-5f, 1e16f, 123456.78f, -2, INFINITY, NAN, 0.0001f})},
                {attr("to", DType::kString)})),
            (std::vector<std::string>{"0.1", "1e-05", "1e+16", "123456.78", "-2.0", "inf", "nan",
                                      "0.0001"}));
  EXPECT_EQ(texts(evaluate_tensor("Cast", {ints({-7})}, {attr("to", DType::kString)})),
            (std::vector<std::string>{"-7"}));
}

TEST(Cast, ReadsNumbersFromText) {
  EXPECT_EQ(doubles(evaluate_tensor("Cast", {strings({"3.5", "-1E2", "+INF", " 7 "})},
                                    {attr("to", DType::kFloat32)})),
            (Doubles{3.5, -100, INFINITY, 7}));
  EXPECT_EQ(
      doubles(evaluate_tensor("Cast", {strings({"100.5", "-3"})}, {attr("to", DType::kInt64)})),
      (Doubles{100, -3}));
  const Result<Tensor> wrong =
      evaluate_tensor("Cast", {strings({"word"})}, {attr("to", DType::kInt64)});
  ASSERT_FALSE(wrong.is_ok());
  EXPECT_NE(wrong.status().message().find("is no number"), std::string::npos);
}

TEST(Cast, CutsWholeNumbersAndSaturatesFloat8) {
  EXPECT_EQ(doubles(evaluate_tensor("Cast", {ints({200, -1})}, {attr("to", DType::kInt8)})),
            (Doubles{-56, -1}));
  EXPECT_EQ(doubles(evaluate_tensor("Cast", {floats({1000})}, {attr("to", DType::kFloat8E4M3FN)})),
            (Doubles{448}));
  EXPECT_TRUE(std::isnan(doubles(evaluate_tensor(
      "Cast", {floats({1000})}, {attr("to", DType::kFloat8E4M3FN), attr("saturate", 0)}))[0]));
}

TEST(Cast, ReadsDTypeNamesOfVersion1) {
  const auto result = evaluate_at(1, "Cast", {floats({1.5f})}, {attr("to", "INT32")});
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ((*result)[0].tensor()->dtype(), DType::kInt32);
}

TEST(Cast, FollowsSizes) {
  EXPECT_EQ(
      inferred_contents("Cast", {InferInput("int64[2]", {"N", "3"})}, {attr("to", DType::kInt32)}),
      "N, 3");
  EXPECT_EQ(
      inferred_contents("Cast", {InferInput("int64[2]", {"N", "3"})}, {attr("to", DType::kBool)}),
      "?, 1");
  EXPECT_EQ(inferred("Cast", {"float[N,2]"}, {attr("to", 99)}),
            "attribute 'to' is 99, which is no dtype");
}

}  // namespace
}  // namespace shipway
