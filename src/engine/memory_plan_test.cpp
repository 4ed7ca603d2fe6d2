#include "engine/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace shipway {
namespace {

void expect_valid(std::span<const Lifetime> lives, const MemoryPlan& plan) {
  for (size_t i = 0; i < lives.size(); ++i) {
    EXPECT_EQ(plan.offsets[i] % 64, 0);
    EXPECT_LE(plan.offsets[i] + lives[i].bytes, plan.arena_bytes);
    for (size_t j = 0; j < i; ++j) {
      const bool together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
      const bool apart = plan.offsets[i] + lives[i].bytes <= plan.offsets[j] ||
                         plan.offsets[j] + lives[j].bytes <= plan.offsets[i];
      EXPECT_TRUE(!together || apart || lives[i].bytes == 0 || lives[j].bytes == 0)
          << i << " and " << j;
    }
  }
}

TEST(MemoryPlan, ReusesWhatIsNoLongerAlive) {
  const std::vector<Lifetime> chain = {{1024, 0, 1}, {1024, 1, 2}, {1024, 2, 3}, {1024, 3, 4}};
  const MemoryPlan plan = plan_memory(chain);
  expect_valid(chain, plan);
  EXPECT_EQ(plan.arena_bytes, 2048);
  EXPECT_EQ(plan.lower_bound, 2048);
}

TEST(MemoryPlan, HandlesNothingAndEmptyBuffers) {
  EXPECT_EQ(plan_memory({}).arena_bytes, 0);
  const std::vector<Lifetime> lives = {{0, 0, 5}, {10, 2, 2}};
  EXPECT_EQ(plan_memory(lives).arena_bytes, 64);
}

TEST(MemoryPlan, NeverOverlapsOnRandomLifetimes) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<Lifetime> lives;
    for (int i = 0; i < 200; ++i) {
      const auto first = static_cast<int32_t>(random() % 300);
      lives.push_back({static_cast<int64_t>(random() % 200000), first,
                       first + static_cast<int32_t>(random() % (random() % 10 == 0 ? 200 : 8))});
    }
    const MemoryPlan plan = plan_memory(lives);
    expect_valid(lives, plan);
    EXPECT_LT(static_cast<double>(plan.arena_bytes), 1.25 * static_cast<double>(plan.lower_bound));
  }
}

}  // namespace
}  // namespace shipway
