#include "base/checksum.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace shipway {
namespace {

std::vector<std::byte> numbered(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

TEST(Checksum, ChangesWithEveryFlippedBit) {
  for (size_t size : {1, 8, 63, 64, 65, 200}) {
    std::vector<std::byte> bytes = numbered(size);
    const uint64_t want = checksum(bytes);
    for (size_t bit = 0; bit < 8 * size; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      EXPECT_NE(checksum(bytes), want) << "bit " << bit << " of " << size << " bytes";
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
  }
}

TEST(Checksum, TwoFlipsOfHighestBitsInOneLaneDoNotCancelOut) {
  std::vector<std::byte> bytes = numbered(192);
  const uint64_t want = checksum(bytes);
  bytes[7] ^= std::byte{0x80};
  bytes[71] ^= std::byte{0x80};
  EXPECT_NE(checksum(bytes), want);
}

TEST(Checksum, TellsLengthsOfZerosApart) {
  std::set<uint64_t> sums;
  for (size_t size = 0; size < 300; ++size)
    sums.insert(checksum(std::vector<std::byte>(size, std::byte{0})));
  EXPECT_EQ(sums.size(), 300u);
}

TEST(Checksum, StaysWhatPlanFilesSay) {
  // Written down when the format was made, from a model of the same arithmetic in Python.
  EXPECT_EQ(checksum({}), 0x92891d8c8cd161c1u);
  EXPECT_EQ(checksum(numbered(100)), 0x78cdc0378e225d45u);
}

}  // namespace
}  // namespace shipway
