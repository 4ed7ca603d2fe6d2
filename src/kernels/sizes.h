// How many parts, and how much room: sums that every kernel does.
#pragma once

#include <cstdint>

namespace shipway::kernels {

/// How many parts of `part` > 0 hold `size` >= 0.
constexpr int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }

/// The next multiple of `multiple` > 0.
constexpr int64_t round_up(int64_t size, int64_t multiple) {
  return parts_of(size, multiple) * multiple;
}

/// Floats that whole cache lines of 64 bytes have for `floats`: what is placed behind them in
/// scratch is aligned.
constexpr int64_t whole_lines(int64_t floats) { return round_up(floats, 16); }

}  // namespace shipway::kernels
