#include "base/checked.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <vector>

namespace shipway {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(Checked, AddsAndMultipliesUpToTheEdge) {
  EXPECT_EQ(checked_add(kMax - 1, 1), kMax);
  EXPECT_FALSE(checked_add(kMax, 1));
  EXPECT_FALSE(checked_add(kMin, -1));
  EXPECT_EQ(checked_mul(int64_t{1} << 31, int64_t{1} << 31), int64_t{1} << 62);
  EXPECT_FALSE(checked_mul(int64_t{1} << 32, int64_t{1} << 31));
  EXPECT_FALSE(checked_mul(kMin, -1));
  EXPECT_FALSE(checked_add(std::numeric_limits<size_t>::max(), 1));
  EXPECT_EQ(checked_mul(size_t{3}, 4), 12u);
}

TEST(Checked, ProductOfDims) {
  EXPECT_EQ(checked_product(std::vector<int64_t>{1, 3, 224, 224}), 150528);
  EXPECT_EQ(checked_product(std::vector<int64_t>{}), 1);
  EXPECT_FALSE(checked_product(std::vector<int64_t>{1 << 30, 1 << 30, 1 << 30}));
  EXPECT_EQ(checked_product(std::vector<int64_t>{kMax, kMax, 0}), 0);
  EXPECT_EQ(checked_product(std::span<const size_t>(std::vector<size_t>{2, 5})), 10u);
}

}  // namespace
}  // namespace shipway
