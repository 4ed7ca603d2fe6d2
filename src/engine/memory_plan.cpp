#include "engine/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace shipway {
namespace {

constexpr int64_t kAlignment = 64;
// Large buffers at multiples of 4 KiB from each other fight for the same sets of L1: each gets a
// cache line or two more.
constexpr int64_t kLarge = 1 << 16;
constexpr int64_t kStagger = 128;

int64_t padded(int64_t bytes) {
  return (bytes + (bytes >= kLarge ? kStagger : 0) + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

MemoryPlan plan_memory(std::span<const Lifetime> lifetimes) {
  MemoryPlan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  // Buffers placed so far, by the steps they cover: a bucket holds some steps, so that only
  // neighbours in time are looked at.
  int32_t last_step = 0;
  for (const Lifetime& life : lifetimes) last_step = std::max(last_step, life.last);
  constexpr int32_t kStepsPerBucket = 16;
  std::vector<std::vector<size_t>> buckets(static_cast<size_t>(last_step / kStepsPerBucket) + 1);
  std::vector<std::pair<int64_t, int64_t>> taken;  // [begin, end) of buffers alive at the same time
  std::vector<size_t> seen(lifetimes.size(), static_cast<size_t>(-1));
  for (size_t index : order) {
    const Lifetime& life = lifetimes[index];
    if (life.bytes == 0) continue;
    taken.clear();
    for (int32_t b = life.first / kStepsPerBucket; b <= life.last / kStepsPerBucket; ++b) {
      for (size_t other : buckets[static_cast<size_t>(b)]) {
        if (seen[other] == index) continue;
        seen[other] = index;
        if (lifetimes[other].first <= life.last && life.first <= lifetimes[other].last)
          taken.emplace_back(plan.offsets[other],
                             plan.offsets[other] + padded(lifetimes[other].bytes));
      }
    }
    std::sort(taken.begin(), taken.end());
    int64_t offset = 0;
    for (const auto& [begin, end] : taken) {
      if (begin - offset >= padded(life.bytes)) break;
      offset = std::max(offset, end);
    }
    plan.offsets[index] = offset;
    plan.arena_bytes = std::max(plan.arena_bytes, offset + padded(life.bytes));
    for (int32_t b = life.first / kStepsPerBucket; b <= life.last / kStepsPerBucket; ++b)
      buckets[static_cast<size_t>(b)].push_back(index);
  }

  std::vector<int64_t> change(static_cast<size_t>(last_step) + 2, 0);
  for (const Lifetime& life : lifetimes) {
    change[static_cast<size_t>(life.first)] += life.bytes;
    change[static_cast<size_t>(life.last) + 1] -= life.bytes;
  }
  int64_t alive = 0;
  for (int64_t difference : change)
    plan.lower_bound = std::max(plan.lower_bound, alive += difference);
  return plan;
}

}  // namespace shipway
