// Followed elements: what inference says of small integers without running anything. Where all are
// numbers it must be what evaluation gives; where some are not known, what holds whatever they are.
#include <gtest/gtest.h>

#include <set>

#include "operators/testing.h"

namespace shipway {
namespace {

const char* const kNumbers[] = {"-3", "-2", "-1", "0", "1", "2", "3"};

Tensor number(const std::string& text, DType dtype) {
  return from_ints(dtype, {1}, std::vector<int64_t>{std::stoll(text)}).value_or_throw();
}

/// "?" when evaluation refuses.
std::string evaluated(const char* name, const std::vector<RuntimeValue>& inputs,
                      std::vector<Attribute> attributes = {}) {
  const Result<Tensor> y = evaluate_tensor(name, inputs, std::move(attributes));
  return y.is_ok() ? std::to_string(to_ints(*y).value_or_throw()[0]) : "?";
}

TEST(Follow, ArithmeticOfNumbersIsWhatEvaluationGives) {
  for (const char* name : {"Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Equal", "Less",
                           "LessOrEqual", "Greater", "GreaterOrEqual"})
    for (const char* x : kNumbers)
      for (const char* y : kNumbers) {
        const std::string op = name;
        if ((op == "Div" || op == "Mod") && *y == '0') continue;  // may not be run at all
        EXPECT_EQ(
            inferred_contents(name, {InferInput("int64[1]", {x}), InferInput("int64[1]", {y})}),
            evaluated(name, {number(x, DType::kInt64), number(y, DType::kInt64)}))
            << name << " of " << x << " and " << y;
      }
  for (const char* x : kNumbers) {
    for (const char* y : {"0", "1", "2", "3"})
      EXPECT_EQ(
          inferred_contents("Pow", {InferInput("int64[1]", {x}), InferInput("int64[1]", {y})}),
          evaluated("Pow", {number(x, DType::kInt64), number(y, DType::kInt64)}));
    for (const char* y : {"1", "2", "3"}) {
      const std::string found = inferred_contents(
          "Mod", {InferInput("int64[1]", {x}), InferInput("int64[1]", {y})}, {attr("fmod", 1)});
      if (found != "?") {
        EXPECT_EQ(found, evaluated("Mod", {number(x, DType::kInt64), number(y, DType::kInt64)},
                                   {attr("fmod", 1)}))
            << x << " " << y;
      }
    }
    for (const char* name : {"Neg", "Abs", "Relu", "Identity"}) {
      const std::string found = inferred_contents(name, {InferInput("int64[1]", {x})});
      if (!found.empty()) {
        EXPECT_EQ(found, evaluated(name, {number(x, DType::kInt64)})) << name;
      }
    }
    for (DType to : {DType::kInt32, DType::kBool})
      EXPECT_EQ(inferred_contents("Cast", {InferInput("int64[1]", {x})}, {attr("to", to)}),
                evaluated("Cast", {number(x, DType::kInt64)}, {attr("to", to)}));
  }
}

TEST(Follow, LogicSaysWhatHoldsWhateverTheOthersAre) {
  for (const char* name : {"And", "Or", "Xor"})
    for (const std::string x : {"0", "1", "?"})
      for (const std::string y : {"0", "1", "?"}) {
        std::set<std::string> possible;
        for (const std::string a : {"0", "1"})
          for (const std::string b : {"0", "1"})
            if ((x == "?" || a == x) && (y == "?" || b == y))
              possible.insert(evaluated(name, {number(a, DType::kBool), number(b, DType::kBool)}));
        EXPECT_EQ(inferred_contents(name, {InferInput("bool[1]", {x.c_str()}),
                                           InferInput("bool[1]", {y.c_str()})}),
                  possible.size() == 1 ? *possible.begin() : "?")
            << x << " " << name << " " << y;
      }
  EXPECT_EQ(inferred_contents("Not", {InferInput("bool[3]", {"0", "1", "?"})}), "1, 0, ?");
}

// Sizes are at least 0.
TEST(Follow, SizesStaySymbols) {
  const auto of = [](const char* name, const char* x, const char* y,
                     std::vector<Attribute> attributes = {}) {
    return inferred_contents(name, {InferInput("int64[1]", {x}), InferInput("int64[1]", {y})},
                             std::move(attributes));
  };
  EXPECT_EQ(of("Add", "N", "1"), "N + 1");
  EXPECT_EQ(of("Sub", "N", "N"), "0");
  EXPECT_EQ(of("Mul", "N", "2"), "N*2");
  EXPECT_EQ(of("Div", "N", "2"), "N//2");
  EXPECT_EQ(of("Div", "N", "0"), "?");
  EXPECT_EQ(of("Div", "N", "-2"), "?");
  EXPECT_EQ(of("Div", "N", "M"), "?") << "M may be 0";
  EXPECT_EQ(of("Mod", "N", "2"), "N%2");
  EXPECT_EQ(of("Mod", "N", "2", {attr("fmod", 1)}), "N%2");
  EXPECT_EQ(of("Mod", "N", "0", {attr("fmod", 1)}), "?");
  EXPECT_EQ(of("Pow", "N", "1"), "N");
  EXPECT_EQ(of("Pow", "N", "2"), "N*N");
  EXPECT_EQ(of("Pow", "N", "3"), "?");
  EXPECT_EQ(of("Equal", "N", "N"), "1");
  EXPECT_EQ(of("Equal", "N", "-1"), "0");
  EXPECT_EQ(of("Equal", "N", "0"), "?");
  EXPECT_EQ(of("Equal", "N", "?"), "?");
  EXPECT_EQ(of("Equal", "?", "?"), "?");
  EXPECT_EQ(of("Less", "N", "0"), "0");
  EXPECT_EQ(of("Less", "-1", "N"), "1");
  EXPECT_EQ(of("Less", "0", "N"), "?");
  EXPECT_EQ(of("Less", "?", "1"), "?");
  EXPECT_EQ(of("Less", "1", "?"), "?");
  EXPECT_EQ(of("Greater", "0", "N"), "0");
  EXPECT_EQ(of("LessOrEqual", "0", "N"), "1");
  EXPECT_EQ(of("GreaterOrEqual", "N", "0"), "1");
  EXPECT_EQ(inferred_contents("Cast", {InferInput("int64[3]", {"N", "0", "?"})},
                              {attr("to", DType::kBool)}),
            "?, 0, ?");
  EXPECT_EQ(inferred_contents("Cast", {InferInput("int64[1]", {"N"})}, {attr("to", DType::kInt8)}),
            "");
  EXPECT_EQ(
      inferred_contents("Cast", {InferInput("int64[1]", {"N"})}, {attr("to", DType::kFloat32)}),
      "");
  EXPECT_EQ(
      inferred_contents("Clip", {InferInput("int64[2]", {"7", "-7"}), InferInput("int64[]", {"-2"}),
                                 InferInput("int64[]", {"5"})}),
      "5, -2");
  EXPECT_EQ(
      inferred_contents("Clip", {InferInput("int64[1]", {"7"}), "", InferInput("int64[]", {"5"})}),
      "5");
  EXPECT_EQ(inferred_contents("Clip", {InferInput("int64[1]", {"7"}), "int64[]"}), "");
}

TEST(Follow, OneElementMeetsEachOfTheOthers) {
  const InferInput one("int64[]", {"2"}), list("int64[3]", {"1", "N", "?"});
  EXPECT_EQ(inferred_contents("Add", {one, list}), "3, N + 2, ?");
  EXPECT_EQ(inferred_contents("Add", {list, one}), "3, N + 2, ?");
  EXPECT_EQ(inferred_contents("Sub", {one, list}), "1, -N + 2, ?");
  EXPECT_EQ(inferred_contents("Max", {one, InferInput("int64[2]", {"1", "5"}), one}), "2, 5");
  EXPECT_EQ(inferred_contents("Add", {one, "int64[3]"}), "");
  EXPECT_EQ(inferred_contents("Add", {"int64[3]", one}), "");
}

TEST(Follow, ReductionsOfAListAreOneElement) {
  const InferInput list("int64[3]", {"2", "N", "3"});
  EXPECT_EQ(inferred_contents("ReduceProd", {list}, {attr("keepdims", 0)}), "N*6");
  EXPECT_EQ(inferred_contents("ReduceSum", {list}), "N + 5");
  EXPECT_EQ(inferred_contents("ReduceMax", {InferInput("int64[2]", {"2", "7"})}), "7");
  EXPECT_EQ(inferred_contents("ReduceMin", {InferInput("int64[2]", {"2", "7"})}), "2");
  EXPECT_EQ(inferred_contents("ReduceSum", {list}, {attr("noop_with_empty_axes", 1)}), "");
  EXPECT_EQ(inferred_contents("ReduceSum", {list, Tensor::vector(std::vector<int64_t>{0})}),
            "N + 5");
  EXPECT_EQ(inferred_contents("ReduceSum", {list, "int64[1]"}), "");
}

TEST(Follow, WhereTakesWhatBothWouldGive) {
  const auto chosen = [](const char* condition, const char* x, const char* y) {
    return inferred_contents("Where", {InferInput("bool[1]", {condition}),
                                       InferInput("int64[1]", {x}), InferInput("int64[1]", {y})});
  };
  EXPECT_EQ(chosen("1", "N", "M"), "N");
  EXPECT_EQ(chosen("0", "N", "M"), "M");
  EXPECT_EQ(chosen("?", "N", "M"), "");
  EXPECT_EQ(chosen("?", "N", "N"), "N");
  EXPECT_EQ(
      inferred_contents("Where", {InferInput("bool[]", {"1"}), InferInput("int64[2]", {"1", "2"}),
                                  InferInput("int64[]", {"9"})}),
      "1, 2");
}

}  // namespace
}  // namespace shipway
