#include "base/checksum.h"

#include <array>
#include <bit>
#include <cstring>

namespace shipway {
namespace {

// Odd, with bits all over: the constants of SplitMix64 and of xxHash64.
constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15u, kFinal = 0xc2b2ae3d27d4eb4fu;

/// One-to-one in `state` for a given word and in `word` for a given state. The rotation brings the
/// high bits down: a product alone would let two changes of the highest bit cancel out.
uint64_t step(uint64_t state, uint64_t word) { return std::rotl((state ^ word) * kMultiplier, 29); }

}  // namespace

uint64_t checksum(std::span<const std::byte> bytes) {
  // Independent lanes: one alone would wait for its multiplication.
  constexpr size_t kLanes = 8, kBlock = kLanes * sizeof(uint64_t);
  std::array<uint64_t, kLanes> lanes{};
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = kFinal * (2 * i + 1);
  const auto add = [&](const std::byte* block) {
    std::array<uint64_t, kLanes> words;
    std::memcpy(words.data(), block, kBlock);
#pragma GCC unroll 8
    for (size_t i = 0; i < kLanes; ++i) lanes[i] = step(lanes[i], words[i]);
  };
  size_t at = 0;
  for (; bytes.size() - at >= kBlock; at += kBlock) add(bytes.data() + at);
  if (at < bytes.size()) {
    std::array<std::byte, kBlock> last{};
    std::memcpy(last.data(), bytes.data() + at, bytes.size() - at);
    add(last.data());
  }
  uint64_t sum = bytes.size() * kMultiplier;
  for (uint64_t lane : lanes) sum = step(sum, lane);
  return (sum ^ (sum >> 32)) * kFinal;
}

}  // namespace shipway
