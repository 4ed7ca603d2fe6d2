// RNN, GRU, LSTM, and attention: what looks along a sequence.
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
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(RNN, AddsItsStateWithAnAffineActivation) {
  // h' = x + h: a running sum, forward and backward.
  const std::vector<RuntimeValue> inputs{floats({3, 1, 1}, {1, 2, 4}), floats({2, 1, 1}, {1, 1}),
                                         floats({2, 1, 1}, {1, 1})};
  const auto y = evaluate("RNN", inputs,
                          {attr("activations", std::vector<std::string>{"Affine", "Affine"}),
                           attr("direction", "bidirectional"), attr("hidden_size", 1)},
                          2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(1, 7, 3, 6, 7, 4));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(7, 7));
  EXPECT_EQ((*y)[0].tensor()->shape(), (Shape{3, 2, 1, 1}));
}

TEST(RNN, StopsWhereASequenceEnds) {
  const std::vector<RuntimeValue> inputs{floats({2, 2, 1}, {1, 10, 2, 20}), floats({1, 1, 1}, {1}),
                                         floats({1, 1, 1}, {1}), RuntimeValue(),
                                         Tensor::from<int32_t>({2}, {2, 1})};
  const std::vector<Attribute> attributes{attr("activations", std::vector<std::string>{"Affine"})};
  const auto y = evaluate("RNN", inputs, attributes, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(1, 10, 3, 0));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(3, 10));
}

TEST(RNN, ClipsWhatGoesIntoTheActivation) {
  const auto y =
      evaluate("RNN", {floats({1, 1, 1}, {100}), floats({1, 1, 1}, {1}), floats({1, 1, 1}, {1})},
               {attr("activations", std::vector<std::string>{"Affine"}), attr("clip", 3.0f)});
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(3));
}

TEST(LSTM, FollowsItsFormulaWithPeepholes) {
  // One unit; W = (i o f c) = (1 2 3 4), R = 0.1 of that, P = (i o f) = (0.5 0.25 -0.5), x = 0.3,
  // h0 = 0.2, c0 = 0.4.
  const auto y = evaluate(
      "LSTM",
      {floats({1, 1, 1}, {0.3f}), floats({1, 4, 1}, {1, 2, 3, 4}),
       floats({1, 4, 1}, {0.1f, 0.2f, 0.3f, 0.4f}), RuntimeValue(), RuntimeValue(),
       floats({1, 1, 1}, {0.2f}), floats({1, 1, 1}, {0.4f}), floats({1, 3}, {0.5f, 0.25f, -0.5f})},
      {attr("hidden_size", 1)}, 3);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  const double i = sigmoid(0.3 + 0.02 + 0.2), f = sigmoid(0.9 + 0.06 - 0.2),
               n = std::tanh(1.2 + 0.08);
  const double c = f * 0.4 + i * n, o = sigmoid(0.6 + 0.04 + 0.25 * c);
  EXPECT_THAT(doubles(*(*y)[2].tensor()), ElementsAre(DoubleNear(c, 1e-6)));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(DoubleNear(o * std::tanh(c), 1e-6)));
}

TEST(GRU, LinearBeforeResetMovesTheResetBehindTheProduct) {
  // W = (z r h) = (1 2 3), R = (0.5 0.25 2), Rbh = 1, x = 0.3, h0 = 0.4.
  const std::vector<RuntimeValue> inputs{floats({1, 1, 1}, {0.3f}),
                                         floats({1, 3, 1}, {1, 2, 3}),
                                         floats({1, 3, 1}, {0.5f, 0.25f, 2}),
                                         floats({1, 6}, {0, 0, 0, 0, 0, 1}),
                                         RuntimeValue(),
                                         floats({1, 1, 1}, {0.4f})};
  const double z = sigmoid(0.3 + 0.2), r = sigmoid(0.6 + 0.1);
  for (int64_t linear : {0, 1}) {
    const double n = std::tanh(0.9 + (linear ? r * (0.8 + 1) : r * 0.4 * 2 + 1));
    const auto y = evaluate("GRU", inputs, {attr("linear_before_reset", linear)});
    ASSERT_TRUE(y.is_ok()) << y.status().message();
    EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(DoubleNear((1 - z) * n + z * 0.4, 1e-6)));
  }
}

TEST(LSTM, InfersItsOutputsForBothLayouts) {
  const std::vector<InferInput> inputs{"float[T,N,8]", "float[2,64,8]", "float[2,64,16]"};
  const auto plain =
      infer("LSTM", inputs, {attr("direction", "bidirectional"), attr("hidden_size", 16)}, 3);
  ASSERT_TRUE(plain.is_ok()) << plain.status().message();
  EXPECT_THAT(plain->types, ElementsAre("float[T,2,N,16]", "float[2,N,16]", "float[2,N,16]"));
  const auto batch_first = infer("LSTM", {"float[N,T,8]", "float[2,64,8]", "float[2,64,16]"},
                                 {attr("direction", "bidirectional"), attr("layout", 1)}, 3);
  ASSERT_TRUE(batch_first.is_ok()) << batch_first.status().message();
  EXPECT_THAT(batch_first->types, ElementsAre("float[N,T,2,16]", "float[N,2,16]", "float[N,2,16]"));
}

TEST(LSTM, SaysWhatDoesNotFit) {
  EXPECT_THAT(inferred("LSTM", {"float[T,N,8]", "float[1,64,8]", "float[1,64,16]"},
                       {attr("direction", "up")}),
              HasSubstr("'direction' is 'up', expected forward, reverse or bidirectional"));
  EXPECT_THAT(inferred("LSTM", {"float[T,N,8]", "float[1,64,8]", "float[1,64,16]"},
                       {attr("activations", std::vector<std::string>{"Sigmoid"})}),
              HasSubstr("'activations' has 1 values, expected 3"));
  EXPECT_THAT(evaluate_tensor("LSTM", {floats({1, 1, 2}, {1, 2}), floats({1, 4, 1}, {1, 2, 3, 4}),
                                       floats({1, 4, 1}, {1, 2, 3, 4})})
                  .status()
                  .message(),
              HasSubstr("input 'W' is [1x4x1], expected [1x4x2]"));
}

TEST(GRU, TheFirstVersionMisspeltItsDefault) {
  const auto y = evaluate_at(
      1, "GRU",
      {floats({1, 1, 1}, {0}), floats({1, 3, 1}, {1, 1, 1}), floats({1, 3, 1}, {1, 1, 1})}, {}, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(0));
}

TEST(Attention, LooksBackOnlyWhenCausal) {
  // Equal scores: each query averages the values it may see.
  const std::vector<RuntimeValue> inputs{floats({1, 1, 2, 1}, {0, 0}), floats({1, 1, 2, 1}, {1, 1}),
                                         floats({1, 1, 2, 1}, {2, 6})};
  EXPECT_THAT(doubles(evaluate_tensor("Attention", inputs)), ElementsAre(4, 4));
  EXPECT_THAT(doubles(evaluate_tensor("Attention", inputs, {attr("is_causal", 1)})),
              ElementsAre(2, 4));
}

TEST(Attention, GivesZeroWhereNothingMayBeSeen) {
  const Tensor mask = Tensor::from<bool>({2, 2}, {true, false, false, false});
  EXPECT_THAT(doubles(evaluate_tensor("Attention",
                                      {floats({1, 1, 2, 1}, {0, 0}), floats({1, 1, 2, 1}, {1, 1}),
                                       floats({1, 1, 2, 1}, {2, 6}), mask})),
              ElementsAre(2, 0));
}

TEST(Attention, InfersItsCacheAsASum) {
  const auto types = infer("Attention",
                           {"float[N,8,T,64]", "float[N,2,T,64]", "float[N,2,T,32]", "",
                            "float[N,2,P,64]", "float[N,2,P,32]"},
                           {}, 4);
  ASSERT_TRUE(types.is_ok()) << types.status().message();
  EXPECT_THAT(types->types, ElementsAre("float[N,8,T,32]", "float[N,2,T + P,64]",
                                        "float[N,2,T + P,32]", "float[N,8,T,T + P]"));
}

}  // namespace
}  // namespace shipway
