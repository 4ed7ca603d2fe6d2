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

double ratio(std::span<const Lifetime> lives) {
  const MemoryPlan plan = plan_memory(lives);
  expect_valid(lives, plan);
  return static_cast<double>(plan.arena_bytes) / static_cast<double>(plan.lower_bound);
}

TEST(MemoryPlan, KeepsLargeHiddenValuesInOnePieceBetweenSkips) {
  // Blocks as in ConvNeXt, Swin and ViT: a skip of one unit over the whole block, four units twice
  // inside it. Largest first needs 10 units where 9 are alive.
  constexpr int64_t kUnit = 1 << 20;
  std::vector<Lifetime> lives;
  for (int32_t block = 0; block < 12; ++block) {
    const int32_t t = 10 * block;
    lives.push_back({kUnit, t, t + 10});
    for (int32_t i = 1; i < 6; ++i) lives.push_back({kUnit, t + i, t + i + 1});
    lives.push_back({4 * kUnit, t + 6, t + 7});
    lives.push_back({4 * kUnit, t + 7, t + 8});
    lives.push_back({kUnit, t + 8, t + 9});
  }
  EXPECT_LE(ratio(lives), 1.01);
}

TEST(MemoryPlan, IsNearTheLowerBoundForNestedSkipsAndForFeaturePyramids) {
  std::vector<Lifetime> unet;  // halves going down, skips to the way up
  for (int32_t level = 0; level < 5; ++level) {
    const int64_t bytes = int64_t{1 << 22} >> level;
    unet.push_back({bytes, 2 * level, 2 * level + 1});
    unet.push_back({bytes, 2 * level + 1, 30 - 2 * level});
    unet.push_back({bytes / 4, 2 * level + 1, 2 * level + 2});
    unet.push_back({2 * bytes, 29 - 2 * level, 30 - 2 * level});
    unet.push_back({bytes, 30 - 2 * level, 31 - 2 * level});
  }
  EXPECT_LE(ratio(unet), 1.1);
  std::vector<Lifetime> pyramid;  // pieces of a concatenation, and three scales kept to the end
  for (int32_t stage = 0; stage < 6; ++stage) {
    const int64_t bytes = int64_t{6 << 20} >> stage;
    const int32_t t = 12 * stage;
    pyramid.push_back({bytes, t, t + (stage > 2 ? 80 - t : 12)});
    for (int32_t piece = 0; piece < 4; ++piece)
      pyramid.push_back({bytes / 2, t + 1 + 2 * piece, t + 10});
    for (int32_t piece = 0; piece < 4; ++piece)
      pyramid.push_back({bytes / 2, t + 2 + 2 * piece, t + 3 + 2 * piece});
    pyramid.push_back({2 * bytes, t + 10, t + 11});
  }
  EXPECT_LE(ratio(pyramid), 1.1);
}

}  // namespace
}  // namespace shipway
