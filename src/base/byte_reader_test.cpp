#include "base/byte_reader.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace shipway {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(ByteReader, ReadsBothByteOrders) {
  const auto bytes = bytes_of({1, 2, 3, 4, 1, 2, 0, 0, 0x80, 0x3f, 0x3f, 0x80, 0, 0, 0xff});
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read<uint32_t>().value(), 0x04030201u);
  EXPECT_EQ(reader.read_big_endian<uint16_t>().value(), 0x0102u);
  EXPECT_EQ(reader.read<float>().value(), 1.0f);
  EXPECT_EQ(reader.read_big_endian<float>().value(), 1.0f);
  EXPECT_EQ(reader.read<int8_t>().value(), -1);
  EXPECT_TRUE(reader.at_end());
}

TEST(ByteReader, FailedReadsNameTheOffsetAndMoveNothing) {
  const auto bytes = bytes_of({1, 2, 3});
  ByteReader reader(bytes);
  ASSERT_TRUE(reader.skip(1).is_ok());
  EXPECT_EQ(reader.read<uint32_t>().status().message(),
            "ends early: 4 bytes wanted at offset 1, 2 left");
  EXPECT_FALSE(reader.bytes(3).is_ok());
  EXPECT_FALSE(reader.skip(std::numeric_limits<size_t>::max()).is_ok());
  EXPECT_FALSE(reader.bytes(std::numeric_limits<size_t>::max()).is_ok());
  EXPECT_EQ(reader.position(), 1u);
  EXPECT_EQ(reader.read<uint16_t>().value(), 0x0302u);
  EXPECT_EQ(reader.read<uint8_t>().status().code(), StatusCode::kInvalidModel);
}

TEST(ByteReader, ViewsBytesAndSeeks) {
  const auto bytes = bytes_of({9, 8, 7});
  ByteReader reader(bytes);
  auto view = reader.bytes(2).value();
  EXPECT_EQ(view.data(), bytes.data());
  EXPECT_TRUE(reader.seek(0).is_ok());
  EXPECT_EQ(reader.remaining(), 3u);
  EXPECT_TRUE(reader.seek(3).is_ok());
  EXPECT_TRUE(reader.bytes(0).value().empty());
  EXPECT_EQ(reader.seek(4).message(), "offset 4 lies beyond the end (3 bytes)");
}

TEST(ByteReader, TakesAnEmptySpan) {
  ByteReader reader({});
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(reader.bytes(0).is_ok());
  EXPECT_FALSE(reader.read<uint8_t>().is_ok());
}

}  // namespace
}  // namespace shipway
