// BatchNormalization, LayerNormalization and their kin.
#include <gmock/gmock.h>

#include <cmath>

#include "operators/testing.h"

namespace shipway {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

Tensor floats(Shape shape, std::initializer_list<float> values) {
  return Tensor::from<float>(std::move(shape), values);
}

TEST(BatchNormalization, UsesStoredStatistics) {
  // (x - mean) / sqrt(var) * scale + bias with var = 4, epsilon = 0: (x - 1) / 2 * 3 + 10.
  const Result<Tensor> y = evaluate_tensor("BatchNormalization",
                                           {floats({1, 1, 2}, {1, 5}), floats({1}, {3}),
                                            floats({1}, {10}), floats({1}, {1}), floats({1}, {4})},
                                           {attr("epsilon", 0.0f)});
  EXPECT_THAT(doubles(y), ElementsAre(10, 16));
}

TEST(BatchNormalization, TrainingUpdatesTheRunningStatistics) {
  // Batch mean 3, variance 4 (of the whole set); running = 0.5 * old + 0.5 * new.
  const auto y =
      evaluate("BatchNormalization",
               {floats({2, 1}, {1, 5}), floats({1}, {1}), floats({1}, {0}), floats({1}, {1}),
                floats({1}, {2})},
               {attr("epsilon", 0.0f), attr("momentum", 0.5f), attr("training_mode", 1)}, 3);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(-1, 1));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(2));
  EXPECT_THAT(doubles(*(*y)[2].tensor()), ElementsAre(3));
}

TEST(BatchNormalization, OldVersionsMeanTheSameAtInference) {
  const std::vector<Tensor> inputs{floats({1, 1, 2}, {1, 5}), floats({1}, {3}), floats({1}, {10}),
                                   floats({1}, {1}), floats({1}, {4})};
  for (int64_t opset : {1, 6, 7, 9, 14}) {
    std::vector<Attribute> attributes{attr("epsilon", 0.0f)};
    if (opset == 1) attributes.push_back(attr("consumed_inputs", {0, 0, 0, 1, 1}));
    if (opset <= 6) attributes.push_back(attr("is_test", 1));
    const auto y = evaluate_at(opset, "BatchNormalization", inputs, attributes);
    ASSERT_TRUE(y.is_ok()) << opset << ": " << y.status().message();
    EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(10, 16)) << opset;
  }
}

TEST(BatchNormalization, StatisticsOfEveryElementBecomeArithmetic) {
  const auto y = evaluate_at(7, "BatchNormalization",
                             {floats({1, 2}, {1, 5}), floats({2}, {3, 1}), floats({2}, {10, 0}),
                              floats({2}, {0, 1}), floats({2}, {1, 4})},
                             {attr("epsilon", 0.0f), attr("spatial", 0)});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(13, 2));
}

TEST(BatchNormalization, SaysWhichInputDoesNotFit) {
  EXPECT_THAT(inferred("BatchNormalization",
                       {"float[N,3,H]", "float[3]", "float[4]", "float[3]", "float[3]"}),
              HasSubstr("input 2 has 4 elements"));
}

TEST(LayerNormalization, GivesMeanAndInverseDeviationToo) {
  const auto y =
      evaluate("LayerNormalization", {floats({2, 2}, {1, 3, 5, 9}), floats({2}, {1, 10})},
               {attr("epsilon", 0.0f)}, 3);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(-1, 10, -1, 10));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(2, 7));
  EXPECT_THAT(doubles(*(*y)[2].tensor()), ElementsAre(1, 0.5));
  EXPECT_EQ((*y)[1].tensor()->shape(), (Shape{2, 1}));
}

TEST(LayerNormalization, BroadcastsScaleOverAnyAxis) {
  // One scale for each row: it does not repeat along the last axis.
  const Result<Tensor> y =
      evaluate_tensor("LayerNormalization", {floats({2, 2}, {1, 3, 5, 9}), floats({2, 1}, {1, 10})},
                      {attr("epsilon", 0.0f), attr("axis", 0)});
  // Mean 4.5, variance 8.75.
  const double s = std::sqrt(8.75);
  EXPECT_THAT(doubles(y), Pointwise(DoubleNear(1e-5), {-3.5 / s, -1.5 / s, 5 / s, 45 / s}));
}

TEST(LayerNormalization, InfersTheTypesOfAllOutputs) {
  const auto types = infer("LayerNormalization", {"float16[N,T,64]", "float16[64]"}, {}, 3);
  ASSERT_TRUE(types.is_ok()) << types.status().message();
  EXPECT_THAT(types->types, ElementsAre("float16[N,T,64]", "float[N,T,1]", "float[N,T,1]"));
  EXPECT_THAT(inferred("LayerNormalization", {"float[2,3]", "float[3]"}, {attr("axis", 2)}),
              HasSubstr("attribute 'axis' is 2"));
}

TEST(GroupNormalization, OldVersionRepeatsTheScaleOfAGroup) {
  // Two groups of two channels; each normalises {-1, 1} to itself, then scales by 2 and 3, shifts
  // by 0, 1.
  const auto y =
      evaluate_at(18, "GroupNormalization",
                  {floats({1, 4, 1}, {-1, 1, -1, 1}), floats({2}, {2, 3}), floats({2}, {0, 1})},
                  {attr("num_groups", 2), attr("epsilon", 0.0f)});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(-2, 2, -2, 4));
}

TEST(GroupNormalization, RefusesGroupsThatDoNotDivideTheChannels) {
  EXPECT_THAT(inferred("GroupNormalization", {"float[1,5,2]", "float[5]", "float[5]"},
                       {attr("num_groups", 2)}),
              HasSubstr("does not divide 5 channels"));
}

TEST(InstanceNormalization, NormalisesEveryPlane) {
  const Result<Tensor> y =
      evaluate_tensor("InstanceNormalization",
                      {floats({1, 2, 2}, {1, 3, 10, 30}), floats({2}, {1, 2}), floats({2}, {0, 5})},
                      {attr("epsilon", 0.0f)});
  EXPECT_THAT(doubles(y), ElementsAre(-1, 1, 3, 7));
}

TEST(RMSNormalization, HasTheDTypeOfItsScale) {
  const auto scale = from_doubles(DType::kFloat16, {2}, std::vector<double>{1, 2});
  const Result<Tensor> y = evaluate_tensor("RMSNormalization", {floats({1, 2}, {3, 3}), *scale},
                                           {attr("epsilon", 0.0f)});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ(y->dtype(), DType::kFloat16);
  EXPECT_THAT(doubles(y), ElementsAre(1, 2));
}

TEST(LpNormalization, GivesZerosForZeros) {
  const Result<Tensor> y =
      evaluate_tensor("LpNormalization", {floats({2, 2}, {3, 0, 4, 0})}, {attr("axis", 0)});
  EXPECT_THAT(doubles(y), Pointwise(DoubleNear(1e-7), {0.6, 0.0, 0.8, 0.0}));
}

TEST(LRN, LooksAtNeighbourChannels) {
  // size 3, alpha 3, beta 1, bias 1: y = x / (1 + sum of squares of three channels).
  const Result<Tensor> y = evaluate_tensor(
      "LRN", {floats({1, 3, 1}, {1, 2, 3})},
      {attr("size", 3), attr("alpha", 3.0f), attr("beta", 1.0f), attr("bias", 1.0f)});
  EXPECT_THAT(doubles(y), Pointwise(DoubleNear(1e-6), {1 / 6.0, 2 / 15.0, 3 / 14.0}));
}

TEST(MeanVarianceNormalization, TakesTheAxesGiven) {
  const Result<Tensor> y = evaluate_tensor("MeanVarianceNormalization",
                                           {floats({2, 2}, {1, 10, 3, 30})}, {attr("axes", {0})});
  EXPECT_THAT(doubles(y), Pointwise(DoubleNear(1e-6), {-1.0, -1.0, 1.0, 1.0}));
}

}  // namespace
}  // namespace shipway
