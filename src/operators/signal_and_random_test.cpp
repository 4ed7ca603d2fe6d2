// Operators on signals, losses and random numbers.
#include <gtest/gtest.h>

#include <cmath>

#include "operators/testing.h"

namespace shipway {
namespace {

using Doubles = std::vector<double>;

Tensor doubles_of(Shape shape, std::initializer_list<double> values) {
  return Tensor::from<double>(std::move(shape), values);
}
Tensor whole(int64_t value) { return Tensor::scalar(value); }

void expect_near(const Doubles& found, const Doubles& expected, double bound = 1e-9) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], bound) << "element " << i;
}

TEST(DFT, TransformsAnyLength) {
  for (int64_t length : {1, 2, 5, 8, 12, 31}) {
    std::vector<double> signal;
    for (int64_t i = 0; i < length; ++i) signal.push_back(static_cast<double>(i * i % 7) - 2);
    Doubles expected;  // by the definition
    for (int64_t k = 0; k < length; ++k) {
      double real = 0, imaginary = 0;
      for (int64_t n = 0; n < length; ++n) {
        const double angle = -2 * M_PI * static_cast<double>(k * n) / static_cast<double>(length);
        real += signal[static_cast<size_t>(n)] * std::cos(angle);
        imaginary += signal[static_cast<size_t>(n)] * std::sin(angle);
      }
      expected.insert(expected.end(), {real, imaginary});
    }
    const Result<Tensor> spectrum =
        evaluate_tensor("DFT", {Tensor::from<double>({1, length, 1}, signal)});
    ASSERT_TRUE(spectrum.is_ok()) << spectrum.status().message();
    expect_near(doubles(spectrum), expected);
    const Doubles back = doubles(evaluate_tensor("DFT", {*spectrum}, {attr("inverse", 1)}));
    ASSERT_EQ(back.size(), 2 * signal.size());
    for (size_t i = 0; i < signal.size(); ++i) EXPECT_NEAR(back[2 * i], signal[i], 1e-9);
  }
}

TEST(DFT, GivesBackASignalFromHalfItsSpectrum) {
  const Tensor signal = doubles_of({1, 4, 1}, {1, 2, -3, 5});
  const Result<Tensor> half = evaluate_tensor("DFT", {signal}, {attr("onesided", 1)});
  ASSERT_TRUE(half.is_ok());
  EXPECT_EQ(half->shape(), (Shape{1, 3, 2}));
  expect_near(doubles(evaluate_tensor("DFT", {*half}, {attr("onesided", 1), attr("inverse", 1)})),
              {1, 2, -3, 5});
}

TEST(DFT, InfersLengths) {
  EXPECT_EQ(inferred("DFT", {"float[N,T,1]"}), "float[N,T,2]");
  EXPECT_EQ(inferred("DFT", {"float[N,T,1]"}, {attr("onesided", 1)}), "float[N,T//2 + 1,2]");
  EXPECT_EQ(inferred("DFT", {"float[N,T,1]", whole(16)}), "float[N,16,2]");
  EXPECT_FALSE(evaluate_tensor("DFT", {doubles_of({1, 2, 1}, {1, 2}), {}, whole(-1)}).is_ok());
}

TEST(STFT, TakesFramesOfTheWindow) {
  EXPECT_EQ(inferred("STFT", {"float[N,T,1]", whole(4), "float[8]"}), "float[N,T//4 - 1,5,2]");
  const Tensor signal = doubles_of({1, 4, 1}, {1, 2, 3, 4});
  // Frames {1, 2} and {3, 4}, weighted by {1, 10}: sums and differences.
  expect_near(doubles(evaluate_tensor("STFT", {signal, whole(2), doubles_of({2}, {1, 10})})),
              {21, 0, -19, 0, 43, 0, -37, 0});
  EXPECT_FALSE(evaluate_tensor("STFT", {signal, whole(0)}).is_ok());
}

TEST(Window, IsPeriodicOrSymmetric) {
  expect_near(doubles(evaluate_tensor("HannWindow", {whole(4)})), {0, 0.5, 1, 0.5}, 1e-7);
  expect_near(doubles(evaluate_tensor("HannWindow", {whole(3)}, {attr("periodic", 0)})), {0, 1, 0},
              1e-7);
  EXPECT_EQ(inferred("HammingWindow", {whole(7)}), "float[7]");
}

TEST(MelWeightMatrix, RefusesEdgesBeyondTheSpectrum) {
  const Result<Tensor> result = evaluate_tensor(
      "MelWeightMatrix",
      {whole(8), whole(16), whole(8000), Tensor::scalar(0.0f), Tensor::scalar(9000.0f)});
  ASSERT_FALSE(result.is_ok());
  EXPECT_NE(result.status().message().find("reach beyond"), std::string::npos);
}

TEST(Loss, LeavesIgnoredClassesOutOfTheMean) {
  const Tensor scores = doubles_of({3, 2}, {-1, -2, -3, -4, -5, -6});
  const Tensor labels = Tensor::from<int64_t>({3}, {0, 7, 1});
  expect_near(doubles(evaluate_tensor("NegativeLogLikelihoodLoss", {scores, labels},
                                      {attr("ignore_index", 7)})),
              {3.5});
  EXPECT_FALSE(evaluate_tensor("NegativeLogLikelihoodLoss", {scores, labels}).is_ok());
  EXPECT_EQ(inferred("NegativeLogLikelihoodLoss", {"float[N,C,H]", "int64[N,H]"},
                     {attr("reduction", "none")}),
            "float[N,H]");
}

TEST(Random, EqualsNumpysRandomState) {
  // numpy.random.RandomState(42): rand(3), randn(3)
  expect_near(doubles(evaluate_tensor(
                  "RandomUniform", {},
                  {attr("shape", {3}), attr("seed", 42.0f), attr("dtype", DType::kFloat64)})),
              {0.3745401188473625, 0.9507143064099162, 0.7319939418114051}, 1e-15);
  expect_near(doubles(evaluate_tensor(
                  "RandomNormal", {},
                  {attr("shape", {3}), attr("seed", 42.0f), attr("dtype", DType::kFloat64)})),
              {0.4967141530112327, -0.13826430117118466, 0.6476885381006925}, 1e-15);
}

TEST(Random, GivesClassesOfPositiveProbabilityOnly) {
  const Tensor scores = Tensor::from<float>({1, 3}, {-INFINITY, 0, -INFINITY});
  EXPECT_EQ(doubles(evaluate_tensor("Multinomial", {scores}, {attr("sample_size", 4)})),
            (Doubles{1, 1, 1, 1}));
  EXPECT_EQ(doubles(evaluate_tensor("Bernoulli", {Tensor::from<float>({2}, {0, 1})})),
            (Doubles{0, 1}));
  EXPECT_FALSE(evaluate_tensor("Bernoulli", {Tensor::from<float>({1}, {2})}).is_ok());
}

TEST(Dropout, DropsByNumpysNumbersWhileTraining) {
  // numpy.random.RandomState(0).uniform(size=4) = 0.549, 0.715, 0.603, 0.545
  const Tensor x = Tensor::from<float>({4}, {1, 2, 3, 4});
  const auto result =
      evaluate("Dropout", {x, Tensor::scalar(0.6f), Tensor::scalar(true)}, {attr("seed", 0)}, 2);
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  expect_near(doubles(*(*result)[0].tensor()), {0, 5, 7.5, 0}, 1e-5);
  EXPECT_EQ(doubles(*(*result)[1].tensor()), (Doubles{0, 1, 1, 0}));
  const auto old = evaluate_at(7, "Dropout", {x}, {attr("ratio", 0.5f)});
  ASSERT_TRUE(old.is_ok()) << old.status().message();
  EXPECT_EQ(doubles(*(*old)[0].tensor()), (Doubles{1, 2, 3, 4}));
}

TEST(QLinearConv, AddsUpCentredNumbers) {
  // One 2 x 1 filter over a column; pads count as zero: (x - 1) * (w - 0) * 0.5 * 2 / 0.25 + 10.
  const Tensor x = Tensor::from<uint8_t>({1, 1, 3, 1}, {2, 3, 100}),
               w = Tensor::from<int8_t>({1, 1, 2, 1}, {1, 1});
  EXPECT_EQ(doubles(evaluate_tensor(
                "QLinearConv",
                {x, Tensor::scalar(0.5f), Tensor::scalar(uint8_t{1}), w, Tensor::scalar(2.0f),
                 Tensor::scalar(int8_t{0}), Tensor::scalar(0.25f), Tensor::scalar(uint8_t{10})},
                {attr("pads", {1, 0, 0, 0})})),
            (Doubles{14, 22, 255}));
  EXPECT_EQ(doubles(evaluate_tensor("ConvInteger", {x, w, Tensor::scalar(uint8_t{1})})),
            (Doubles{3, 101}));
}

}  // namespace
}  // namespace shipway
