#include "engine/memory_plan.h"

#include <algorithm>
#include <utility>
#include <vector>

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

/// Buffers alive at the same time as another are found through buckets of a few steps each, so that
/// only neighbours in time are looked at.
class Arena {
 public:
  explicit Arena(std::span<const Lifetime> lifetimes) : lifetimes_(lifetimes) {
    for (const Lifetime& life : lifetimes) last_step_ = std::max(last_step_, life.last);
  }

  /// Places the buffers one after the other in this order, each at the lowest gap that fits; with a
  /// `ceiling` (>= 0), at the very bottom, else right under the ceiling where that is free, else at
  /// the lowest gap. Two ends keep the middle in one piece: the skip of one block lies at the
  /// bottom, that of the next at the top, and the large values inside each block find room beside
  /// it.
  MemoryPlan place(std::span<const std::pair<double, size_t>> order, int64_t ceiling) const {
    MemoryPlan plan;
    plan.offsets.assign(lifetimes_.size(), 0);
    std::vector<std::vector<size_t>> buckets(static_cast<size_t>(last_step_ / kStepsPerBucket) + 1);
    std::vector<std::pair<int64_t, int64_t>> taken;  // [begin, end) of buffers alive at that time
    std::vector<size_t> seen(lifetimes_.size(), static_cast<size_t>(-1));
    for (const auto& [urgency, index] : order) {
      const Lifetime& life = lifetimes_[index];
      if (life.bytes == 0) continue;
      taken.clear();
      for (int32_t b = life.first / kStepsPerBucket; b <= life.last / kStepsPerBucket; ++b) {
        for (size_t other : buckets[static_cast<size_t>(b)]) {
          if (seen[other] == index) continue;
          seen[other] = index;
          if (lifetimes_[other].first <= life.last && life.first <= lifetimes_[other].last)
            taken.emplace_back(plan.offsets[other],
                               plan.offsets[other] + padded(lifetimes_[other].bytes));
        }
      }
      std::sort(taken.begin(), taken.end());
      const int64_t bytes = padded(life.bytes), top = ceiling - bytes;
      int64_t offset = 0, highest = 0;
      bool is_found = false;
      for (const auto& [begin, end] : taken) {
        is_found = is_found || begin - offset >= bytes;
        if (!is_found) offset = std::max(offset, end);
        highest = std::max(highest, end);
      }
      if (offset > 0 && top >= highest) offset = top;
      plan.offsets[index] = offset;
      plan.arena_bytes = std::max(plan.arena_bytes, offset + bytes);
      for (int32_t b = life.first / kStepsPerBucket; b <= life.last / kStepsPerBucket; ++b)
        buckets[static_cast<size_t>(b)].push_back(index);
    }
    return plan;
  }

  /// Bytes alive at each step, where `size` says how many a buffer has.
  std::vector<int64_t> pressure(int64_t (*size)(int64_t) = [](int64_t bytes) {
    return bytes;
  }) const {
    std::vector<int64_t> bytes(static_cast<size_t>(last_step_) + 2, 0);
    for (const Lifetime& life : lifetimes_) {
      bytes[static_cast<size_t>(life.first)] += size(life.bytes);
      bytes[static_cast<size_t>(life.last) + 1] -= size(life.bytes);
    }
    for (size_t i = 1; i < bytes.size(); ++i) bytes[i] += bytes[i - 1];
    return bytes;
  }

 private:
  static constexpr int32_t kStepsPerBucket = 16;
  std::span<const Lifetime> lifetimes_;
  int32_t last_step_ = 0;
};

/// What is placed first: the buffers with the highest number; ties keep the order of the steps.
/// `peak` is the most bytes alive at a step of the buffer's life.
using Urgency = double (*)(const Lifetime& life, int64_t peak);
double length(const Lifetime& life) { return static_cast<double>(life.last - life.first) + 1; }

/// The first is the best nearly always.
constexpr Urgency kUrgencies[] = {
    [](const Lifetime& life, int64_t) { return static_cast<double>(life.bytes); },
    [](const Lifetime& life, int64_t) { return length(life); },
    [](const Lifetime& life, int64_t) { return static_cast<double>(life.bytes) * length(life); },
    [](const Lifetime&, int64_t peak) { return static_cast<double>(peak); },
    [](const Lifetime& life, int64_t) { return -static_cast<double>(life.first); },
    [](const Lifetime& life, int64_t) { return static_cast<double>(life.last); },
};

}  // namespace

MemoryPlan plan_memory(std::span<const Lifetime> lifetimes) {
  const Arena arena(lifetimes);
  const std::vector<int64_t> pressure = arena.pressure(), padded_pressure = arena.pressure(padded);
  const int64_t lower_bound = *std::max_element(pressure.begin(), pressure.end()),
                ceiling = *std::max_element(padded_pressure.begin(), padded_pressure.end());
  std::vector<int64_t> peaks;
  MemoryPlan best;
  std::vector<std::pair<double, size_t>> order(lifetimes.size());
  const auto is_good = [&] { return best.arena_bytes <= lower_bound + lower_bound / 100; };
  for (const Urgency urgency : kUrgencies) {
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = {urgency(lifetimes[i], peaks.empty() ? 0 : peaks[i]), i};
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (int64_t limit : {int64_t{-1}, ceiling}) {
      MemoryPlan plan = arena.place(order, limit);
      if (best.offsets.empty() || plan.arena_bytes < best.arena_bytes) best = std::move(plan);
      if (is_good()) break;
    }
    if (is_good()) break;
    if (!peaks.empty()) continue;
    for (const Lifetime& life : lifetimes)
      peaks.push_back(
          *std::max_element(pressure.begin() + life.first, pressure.begin() + life.last + 1));
  }
  best.lower_bound = lower_bound;
  return best;
}

}  // namespace shipway
