// Places buffers of known lifetimes in one arena.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace shipway {

/// A buffer that must exist from step `first` to step `last`, both included.
struct Lifetime {
  int64_t bytes = 0;
  int32_t first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // one per Lifetime, multiples of 64
  int64_t arena_bytes = 0;
  int64_t lower_bound = 0;  // the most bytes alive at one step: no plan needs less
};

/// Offsets such that no two buffers alive at the same step overlap. Each is put at the lowest gap
/// that fits, largest first; where that ends above 1.01 of the lower bound, other orders are tried
/// and the best is taken. O(n^2) in the worst case, near n log n where lifetimes are short.
MemoryPlan plan_memory(std::span<const Lifetime> lifetimes);

}  // namespace shipway
