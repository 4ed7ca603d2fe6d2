// What the shared suite does not see: accuracy of the maths over its whole range, special values,
// and the facts about zero tails.
#include "kernels/simd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/problems.h"
#include "kernels/testing/elementwise_cases.h"

namespace shipway::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class SimdOnIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > cpu_features().isa)
      GTEST_SKIP() << "this machine has no " << to_string(GetParam());
  }
  std::vector<float> apply(Opcode op, const std::vector<float>& a, float p = 0, float q = 0,
                           const std::vector<float>& b = {}) const {
    std::vector<float> y(a.size());
    elementwise_functions(GetParam())[static_cast<size_t>(op)](
        a.data(), b.empty() ? nullptr : b.data(), nullptr, p, q, y.data(),
        static_cast<int64_t>(a.size()));
    return y;
  }
};
INSTANTIATE_TEST_SUITE_P(Every, SimdOnIsa, ::testing::Values(Isa::kSse4, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& parameters) {
                           return std::string(to_string(parameters.param));
                         });

/// Numbers of every size between low and high, both densely and by magnitude.
std::vector<float> sweep(float low, float high) {
  std::vector<float> values;
  for (int i = 0; i <= 20000; ++i)
    values.push_back(low + (high - low) * static_cast<float>(i) / 20000);
  for (float magnitude = 1e-30f; magnitude < 1e30f; magnitude *= 1.37f)
    for (float x : {magnitude, -magnitude})
      if (x >= low && x <= high) values.push_back(x);
  return values;
}

// Bounds: those that maths-inl.h states; the absolute term covers results that cancel or fade to
// nothing.
TEST_P(SimdOnIsa, MathsIsAsAccurateAsStated) {
  struct Case {
    Opcode op;
    float low, high;
    double relative, absolute;
  };
  for (const Case& c :
       {Case{Opcode::kExp, -87, 88, 2e-7, 0}, Case{Opcode::kLog, 1e-37f, 1e30f, 3e-7, 1e-7},
        Case{Opcode::kTanh, -20, 20, 4e-7, 0}, Case{Opcode::kErf, -6, 6, 3e-7, 0},
        Case{Opcode::kSigmoid, -80, 80, 4e-7, 0}, Case{Opcode::kGelu, -8, 8, 1e-6, 2e-7},
        Case{Opcode::kGeluTanh, -8, 8, 1e-6, 3e-7}, Case{Opcode::kSilu, -80, 80, 5e-7, 0},
        Case{Opcode::kSoftplus, -80, 80, 1e-6, 0}, Case{Opcode::kMish, -60, 60, 2e-6, 0},
        Case{Opcode::kElu, -60, 60, 1e-6, 0}}) {
    const float p = c.op == Opcode::kSilu || c.op == Opcode::kElu ? 1.0f : 0.0f;
    const std::vector<float> x = sweep(c.low, c.high), y = apply(c.op, x, p);
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = testing::reference_opcode(c.op, x[i], 0, 0, p, 0);
      ASSERT_LE(std::fabs(y[i] - expected), c.relative * std::fabs(expected) + c.absolute)
          << to_string(c.op) << "(" << x[i] << ") = " << y[i];
    }
  }
}

TEST_P(SimdOnIsa, ExpOverflowsAndFadesLikeTheCLibrary) {
  const std::vector<float> x{89, 1e30f, kInfinity, -103, -104.5f, -1e30f, -kInfinity, 0, -100};
  const std::vector<float> y = apply(Opcode::kExp, x);
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(y[i] == kInfinity ? 1e39 : y[i],
                std::exp(x[i]) == kInfinity ? 1e39 : std::exp(x[i]), 2e-45)
        << x[i];
}

TEST_P(SimdOnIsa, LogOfZeroNegativeAndInfinity) {
  const std::vector<float> y = apply(Opcode::kLog, {0, -0.0f, -1, kInfinity, 1, 1e-44f});
  EXPECT_EQ(y[0], -kInfinity);
  EXPECT_EQ(y[1], -kInfinity);
  EXPECT_TRUE(std::isnan(y[2]));
  EXPECT_EQ(y[3], kInfinity);
  EXPECT_EQ(y[4], 0);
  EXPECT_NEAR(y[5], std::log(1e-44f), 1e-4);
}

TEST_P(SimdOnIsa, NanGoesThrough) {
  const std::vector<float> nan(17, kNan), ones(17, 1);
  for (int i = 0; i <= static_cast<int>(Opcode::kMulAdd); ++i) {
    const Opcode op = static_cast<Opcode>(i);
    // Comparisons and logic give a truth value; Select copies an argument.
    if (op == Opcode::kNot || op == Opcode::kIsNan ||
        (op >= Opcode::kEqual && op <= Opcode::kSelect) || argument_count(op) == 3)
      continue;
    for (float y : apply(op, nan, 0.5f, 0.75f, ones)) EXPECT_TRUE(std::isnan(y)) << to_string(op);
    if (argument_count(op) < 2 || op == Opcode::kPrelu || op == Opcode::kPow) continue;
    for (float y : apply(op, ones, 0.5f, 0.75f, nan)) EXPECT_TRUE(std::isnan(y)) << to_string(op);
  }
}

TEST_P(SimdOnIsa, ZeroTailsAreKeptWhereTheTableSaysSo) {
  const std::vector<float> zeros(5, 0), others(5, 3);
  for (int i = 0; i <= static_cast<int>(Opcode::kMulAdd); ++i) {
    const Opcode op = static_cast<Opcode>(i);
    if (argument_count(op) == 3) continue;
    for (const auto& [p, q] : {std::pair{0.5f, 0.0f}, {-1.0f, 1.0f}, {0.5f, 0.75f}})
      if (preserves_zero_tail(op, p, q)) {
        EXPECT_EQ(apply(op, zeros, p, q, others), zeros) << to_string(op) << " " << p << " " << q;
      }
  }
}

TEST_P(SimdOnIsa, RowFunctionsMeetSpecialValues) {
  const RowFunctions& rows = row_functions(GetParam());
  std::vector<float> x(37, 2);
  x[21] = kNan;
  EXPECT_TRUE(std::isnan(rows.maximum(x.data(), 37)));
  EXPECT_TRUE(std::isnan(rows.minimum(x.data(), 37)));
  EXPECT_EQ(rows.maximum(x.data(), 21), 2);
  EXPECT_EQ(rows.maximum(x.data(), 0), -kInfinity);
  EXPECT_EQ(rows.minimum(x.data(), 0), kInfinity);
  // A mask of -inf: those positions get exactly nothing.
  std::vector<float> masked(19, -kInfinity), y(19, 5);
  masked[3] = masked[18] = 1;
  EXPECT_EQ(rows.exp_sum(masked.data(), 1, y.data(), 19), 2);
  EXPECT_EQ(y[3], 1);
  EXPECT_EQ(y[4], 0);
}

}  // namespace
}  // namespace shipway::kernels
