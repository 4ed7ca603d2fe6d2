// Pictures of the tests: the pattern that testdata/make_testdata.py writes, and its files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "shipway/image.h"

namespace shipway {

constexpr int64_t kPatternWidth = 17, kPatternHeight = 11;

/// Sample (x, y, c) is (31 x + 17 y + 5 x y + 73 c) mod 256.
inline Image pattern(int64_t channels) {
  Image image = Image::allocate(kPatternWidth, kPatternHeight, channels).value_or_throw();
  uint8_t* to = image.mutable_samples<uint8_t>().data();
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x)
      for (int64_t c = 0; c < channels; ++c)
        *to++ = static_cast<uint8_t>(31 * x + 17 * y + 5 * x * y + 73 * c);
  return image;
}

/// Sample (x, y, c) is (3001 x + 1701 y + 501 x y + 7301 c) mod 65536.
inline Image pattern16(int64_t channels) {
  Image image =
      Image::allocate(kPatternWidth, kPatternHeight, channels, SampleDepth::k16).value_or_throw();
  uint16_t* to = image.mutable_samples<uint16_t>().data();
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x)
      for (int64_t c = 0; c < channels; ++c)
        *to++ = static_cast<uint16_t>(3001 * x + 1701 * y + 501 * x * y + 7301 * c);
  return image;
}

inline std::string testdata(const std::string& name) {
  return std::string(SHIPWAY_SOURCE_DIR) + "/src/image/testdata/" + name;
}

inline std::vector<std::byte> file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// The largest difference of two 8-bit pictures of one form; 256 when the forms differ.
inline int largest_difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels || a.order != b.order)
    return 256;
  const auto left = a.samples<uint8_t>(), right = b.samples<uint8_t>();
  if (left.size() != right.size() || left.empty()) return 256;
  int largest = 0;
  for (size_t i = 0; i < left.size(); ++i)
    largest = std::max(largest, std::abs(left[i] - right[i]));
  return largest;
}

}  // namespace shipway
