#include "operators/random_state.h"

#include <cmath>

namespace shipway {

RandomState::RandomState(uint32_t seed) {
  for (size_t i = 0; i < kSize; ++i) {
    state_[i] = seed;
    seed = 1812433253u * (seed ^ (seed >> 30)) + static_cast<uint32_t>(i) + 1;
  }
}

RandomState RandomState::of(const AttributeReader& attributes) {
  const Attribute* seed = attributes.node().attribute("seed");
  if (!seed) return RandomState(0);
  if (const int64_t* whole = seed->get<int64_t>())
    return RandomState(static_cast<uint32_t>(*whole));
  const float* real = seed->get<float>();
  constexpr float kLargest = 9.2e18f;
  if (!real || !(std::fabs(*real) < kLargest)) return RandomState(0);
  return RandomState(static_cast<uint32_t>(static_cast<int64_t>(*real)));
}

void RandomState::refill() {
  constexpr size_t kMiddle = 397;
  for (size_t i = 0; i < kSize; ++i) {
    const uint32_t y = (state_[i] & 0x80000000u) | (state_[(i + 1) % kSize] & 0x7fffffffu);
    state_[i] = state_[(i + kMiddle) % kSize] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908b0dfu : 0);
  }
  next_ = 0;
}

uint32_t RandomState::next_uint32() {
  if (next_ == kSize) refill();
  uint32_t y = state_[next_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

double RandomState::uniform() {
  const uint32_t high = next_uint32() >> 5, low = next_uint32() >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

double RandomState::normal() {
  if (spare_) {
    const double value = *spare_;
    spare_.reset();
    return value;
  }
  double x = 0, y = 0, square = 0;
  do {
    x = 2 * uniform() - 1;
    y = 2 * uniform() - 1;
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double factor = std::sqrt(-2 * std::log(square) / square);
  spare_ = factor * x;
  return factor * y;
}

}  // namespace shipway
