// RandomState: the random numbers of numpy.random.RandomState, bit for bit, which ONNX's reference
// implementation and test data use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "operators/operator.h"

namespace shipway {

/// MT19937 (Matsumoto and Nishimura, 1998) seeded with one number, and what numpy's legacy
/// generator makes of it.
class RandomState {
 public:
  explicit RandomState(uint32_t seed);
  /// Seeded by the attribute `seed` (int or float) truncated to 32 bits; without one by a fixed
  /// number, as every run of a model gives the same here.
  static RandomState of(const AttributeReader& attributes);

  uint32_t next_uint32();
  /// Evenly distributed in [0, 1), 53 bits.
  double uniform();
  /// Normally distributed with mean 0 and deviation 1, by the polar method; makes two at a time.
  double normal();

 private:
  static constexpr size_t kSize = 624;
  void refill();
  std::array<uint32_t, kSize> state_;
  size_t next_ = kSize;
  std::optional<double> spare_;
};

}  // namespace shipway
