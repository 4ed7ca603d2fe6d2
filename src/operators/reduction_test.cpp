// Operators that sum over axes: reductions, softmax, matrix products.
#include <gtest/gtest.h>

#include <cmath>

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
const Tensor kMatrix = floats({2, 3}, {1, 2, 3, 4, 5, 6});

TEST(Reduction, ReducesTheGivenAxes) {
  EXPECT_EQ(doubles(evaluate_tensor("ReduceSum", {kMatrix, ints({0})})), (Doubles{5, 7, 9}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceSum", {kMatrix, ints({-1})})), (Doubles{6, 15}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceMean", {kMatrix})), (Doubles{3.5}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceMax", {kMatrix, ints({0})})), (Doubles{4, 5, 6}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceMin", {kMatrix, ints({1})})), (Doubles{1, 4}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceProd", {kMatrix, ints({1})})), (Doubles{6, 120}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceL1", {kMatrix, ints({1})})), (Doubles{6, 15}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceSumSquare", {kMatrix, ints({1})})), (Doubles{14, 77}));
  EXPECT_NEAR(doubles(evaluate_tensor("ReduceL2", {kMatrix}))[0], std::sqrt(91.0), 1e-5);
  EXPECT_NEAR(doubles(evaluate_tensor("ReduceLogSum", {kMatrix}))[0], std::log(21.0), 1e-6);
  EXPECT_NEAR(doubles(evaluate_tensor("ReduceLogSumExp", {floats({2}, {1000, 1000})}))[0],
              1000 + std::log(2.0), 1e-3);
}

TEST(Reduction, WithEmptyAxesDoesOnlyWhatIsNotAReduction) {
  EXPECT_EQ(doubles(evaluate_tensor("ReduceSumSquare", {floats({2}, {2, 3}), ints({})},
                                    {attr("noop_with_empty_axes", 1)})),
            (Doubles{4, 9}));
}

TEST(Reduction, OfNothingGivesTheNeutralElement) {
  const Tensor empty = floats({2, 0}, {});
  EXPECT_EQ(doubles(evaluate_tensor("ReduceSum", {empty, ints({1})})), (Doubles{0, 0}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceMax", {empty, ints({1})})),
            (Doubles{-INFINITY, -INFINITY}));
  EXPECT_EQ(doubles(evaluate_tensor("ReduceMin", {Tensor::from<int8_t>({0}, {})})), (Doubles{127}));
}

TEST(Reduction, InfersAndFollows) {
  EXPECT_EQ(inferred("ReduceMean", {"float[N,C,H]", ints({-1})}), "float[N,C,1]");
  EXPECT_EQ(inferred("ReduceMean", {"float[N,C,H]", ints({1})}, {attr("keepdims", 0)}),
            "float[N,H]");
  EXPECT_EQ(inferred("ReduceMean", {"float[N,C]", "int64[1]"}), "float[?,?]");
  EXPECT_EQ(inferred("ReduceMean", {"float[N,C]", ints({2})}),
            "an element of input 1 ('axes') is 2, expected -2 to 1 for rank 2");
  EXPECT_EQ(
      inferred_contents("ReduceProd", {InferInput("int64[2]", {"N", "3"})}, {attr("keepdims", 0)}),
      "N*3");
}

TEST(Reduction, MovesOldAxes) {
  const auto result =
      evaluate_at(11, "ReduceSum", {kMatrix}, {attr("axes", {0}), attr("keepdims", 0)});
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ((*result)[0].tensor()->shape(), (Shape{3}));
}

TEST(ArgMax, TakesTheFirstOrTheLast) {
  const Tensor x = floats({1, 4}, {1, 7, 7, 2});
  EXPECT_EQ(doubles(evaluate_tensor("ArgMax", {x}, {attr("axis", 1)})), (Doubles{1}));
  EXPECT_EQ(
      doubles(evaluate_tensor("ArgMax", {x}, {attr("axis", -1), attr("select_last_index", 1)})),
      (Doubles{2}));
  EXPECT_EQ(doubles(evaluate_tensor("ArgMin", {x}, {attr("axis", 1)})), (Doubles{0}));
  EXPECT_FALSE(evaluate_tensor("ArgMin", {floats({1, 0}, {})}, {attr("axis", 1)}).is_ok());
}

TEST(ArgMax, LetsEmptyShapesOfAnySizeThrough) {
  const Result<Tensor> result =
      evaluate_tensor("ArgMax", {floats({0, int64_t{1} << 20, 3}, {})}, {attr("axis", 2)});
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->shape(), (Shape{0, int64_t{1} << 20, 1}));
}

TEST(Softmax, SurvivesLargeNumbers) {
  EXPECT_EQ(doubles(evaluate_tensor("Softmax", {floats({1, 2}, {10000, 10000})})),
            (Doubles{0.5, 0.5}));
  EXPECT_NEAR(doubles(evaluate_tensor("LogSoftmax", {floats({1, 2}, {10000, 10000})}))[0],
              -std::log(2.0), 1e-6);
  EXPECT_EQ(doubles(evaluate_tensor("Hardmax", {floats({1, 3}, {1, 3, 3})})), (Doubles{0, 1, 0}));
}

TEST(Softmax, CountsRowsAsVersion11Did) {
  // One row of all four elements: the sum over everything from axis 1 on is 1.
  const Tensor x = floats({1, 2, 2}, {0, 0, 0, 0});
  const auto old = evaluate_at(11, "Softmax", {x});
  ASSERT_TRUE(old.is_ok()) << old.status().message();
  EXPECT_EQ(doubles(*(*old)[0].tensor()), (Doubles{0.25, 0.25, 0.25, 0.25}));
  EXPECT_EQ((*old)[0].tensor()->shape(), (Shape{1, 2, 2}));
}

TEST(MatMul, BroadcastsStacksAndTakesVectors) {
  const Tensor a = floats({2, 1, 2}, {1, 2, 3, 4}), b = floats({2, 1}, {10, 100});
  EXPECT_EQ(doubles(evaluate_tensor("MatMul", {a, b})), (Doubles{210, 430}));
  EXPECT_EQ(doubles(evaluate_tensor("MatMul", {floats({2}, {1, 2}), floats({2}, {3, 4})})),
            (Doubles{11}));
  EXPECT_EQ(inferred("MatMul", {"float[N,1,T,64]", "float[H,64,S]"}), "float[N,H,T,S]");
  EXPECT_EQ(inferred("MatMul", {"float[2]", "float[2]"}), "float[]");
  EXPECT_EQ(inferred("MatMul", {"float[N,3]", "float[4,2]"}),
            "the first factor has 3 columns, but the second has 4 rows");
}

TEST(MatMul, MatchesPlainLoopsAtOddSizes) {
  const int64_t m = 5, k = 7, n = 259;
  std::vector<float> a, b;
  for (int64_t i = 0; i < m * k; ++i) a.push_back(static_cast<float>(i % 11 - 5));
  for (int64_t i = 0; i < k * n; ++i) b.push_back(static_cast<float>(i % 13 - 6));
  const Doubles c = doubles(
      evaluate_tensor("MatMul", {Tensor::from<float>({m, k}, a), Tensor::from<float>({k, n}, b)}));
  ASSERT_EQ(c.size(), static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += static_cast<double>(a[static_cast<size_t>(i * k + p)] *
                                   b[static_cast<size_t>(p * n + j)]);
      ASSERT_EQ(c[static_cast<size_t>(i * n + j)], sum) << i << ", " << j;
    }
  }
}

TEST(MatMul, TakesFewColumns) {
  EXPECT_EQ(doubles(evaluate_tensor("MatMul", {floats({2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
                                               floats({5, 1}, {1, 10, 100, 1000, 10000})})),
            (Doubles{54321, 109876}));
}

TEST(Gemm, TransposesScalesAndAdds) {
  const Tensor a = floats({2, 1}, {1, 2}), b = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(doubles(evaluate_tensor(
                "Gemm", {a, b, floats({3}, {1, 1, 1})},
                {attr("transA", 1), attr("transB", 1), attr("alpha", 2.0f), attr("beta", 3.0f)})),
            (Doubles{13, 25, 37}));
  EXPECT_EQ(inferred("Gemm", {"float[N,8]", "float[4,8]", "float[4]"}, {attr("transB", 1)}),
            "float[N,4]");
  EXPECT_FALSE(evaluate_tensor("Gemm", {a, b}).is_ok());
}

TEST(MatMulInteger, SubtractsZeroPoints) {
  EXPECT_EQ(doubles(evaluate_tensor("MatMulInteger", {Tensor::from<uint8_t>({1, 2}, {11, 7}),
                                                      Tensor::from<uint8_t>({2, 1}, {1, 4}),
                                                      Tensor::scalar(uint8_t{12})})),
            (Doubles{-1 - 20}));
}

TEST(Einsum, SumsWhatTheOutputLeavesOut) {
  EXPECT_EQ(doubles(evaluate_tensor("Einsum", {kMatrix}, {attr("equation", "ij->ji")})),
            (Doubles{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(doubles(evaluate_tensor("Einsum", {kMatrix}, {attr("equation", "ij->i")})),
            (Doubles{6, 15}));
  EXPECT_EQ(doubles(evaluate_tensor("Einsum", {floats({2, 2}, {1, 2, 3, 4})},
                                    {attr("equation", "...ii->...i")})),
            (Doubles{1, 4}));
  EXPECT_EQ(doubles(evaluate_tensor("Einsum", {kMatrix, floats({3}, {1, 10, 100})},
                                    {attr("equation", "ij, j")})),
            (Doubles{321, 654}));
  EXPECT_EQ(inferred("Einsum", {"float[N,H,Q,D]", "float[N,H,K,D]"},
                     {attr("equation", "bhqd,bhkd->bhqk")}),
            "float[N,H,Q,K]");
  EXPECT_FALSE(evaluate_tensor("Einsum", {kMatrix}, {attr("equation", "ij->k")}).is_ok());
}

TEST(CumSum, RunsForwardsOrBackAndWithoutTheElement) {
  const Tensor x = floats({3}, {1, 2, 3}), axis = Tensor::scalar(int64_t{0});
  EXPECT_EQ(doubles(evaluate_tensor("CumSum", {x, axis})), (Doubles{1, 3, 6}));
  EXPECT_EQ(
      doubles(evaluate_tensor("CumSum", {x, axis}, {attr("exclusive", 1), attr("reverse", 1)})),
      (Doubles{5, 3, 0}));
  EXPECT_EQ(doubles(evaluate_tensor("CumProd", {x, axis}, {attr("exclusive", 1)})),
            (Doubles{1, 1, 2}));
}

TEST(Quantize, RoundsHalvesToEvenAndSaturates) {
  const Tensor x = floats({4}, {1, 3, -1000, 1000});
  EXPECT_EQ(doubles(evaluate_tensor("QuantizeLinear",
                                    {x, Tensor::scalar(2.0f), Tensor::scalar(int8_t{1})})),
            (Doubles{1, 3, -128, 127}));  // 0.5 -> 0, 1.5 -> 2
  // Per axis, and blocks of 2 along axis 1.
  const Tensor q = Tensor::from<uint8_t>({1, 4}, {1, 2, 3, 4});
  EXPECT_EQ(doubles(evaluate_tensor("DequantizeLinear", {q, floats({4}, {1, 2, 3, 4})})),
            (Doubles{1, 4, 9, 16}));
  EXPECT_EQ(doubles(evaluate_tensor("DequantizeLinear", {q, floats({1, 2}, {1, 10})},
                                    {attr("block_size", 2)})),
            (Doubles{1, 2, 30, 40}));
  const Result<Tensor> wrong = evaluate_tensor("DequantizeLinear", {q, floats({3}, {1, 2, 3})});
  ASSERT_FALSE(wrong.is_ok());
  EXPECT_NE(wrong.status().message().find("expected 4"), std::string::npos)
      << wrong.status().message();
}

}  // namespace
}  // namespace shipway
