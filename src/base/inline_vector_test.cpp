#include "shipway/inline_vector.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <ranges>
#include <utility>
#include <vector>

namespace shipway {
namespace {

using Dims = InlineVector<int64_t, 4>;

static_assert(std::ranges::contiguous_range<Dims>);
static_assert(std::is_convertible_v<Dims&, std::span<const int64_t>>);
static_assert(std::is_convertible_v<const Dims&, std::span<const int64_t>>);
static_assert(sizeof(InlineVector<int32_t, 2>) == 16);

std::vector<int64_t> values(std::span<const int64_t> span) { return {span.begin(), span.end()}; }
using Values = std::vector<int64_t>;

TEST(InlineVector, StaysInlineUpToNAndMovesToTheHeapBeyond) {
  Dims dims;
  for (int64_t i = 0; i < 4; ++i) dims.push_back(i);
  EXPECT_TRUE(dims.is_inline());
  dims.push_back(4);
  EXPECT_FALSE(dims.is_inline());
  EXPECT_EQ(values(dims), (Values{0, 1, 2, 3, 4}));
  EXPECT_EQ(dims.front(), 0);
  EXPECT_EQ(dims.back(), 4);
}

TEST(InlineVector, CopiesAndMovesInlineAndHeap) {
  for (size_t size : {0u, 1u, 4u, 5u, 100u}) {
    Dims original(size);
    std::iota(original.begin(), original.end(), 7);
    const Values expected = values(original);
    Dims copy(original);
    EXPECT_EQ(copy, original);
    Dims moved(std::move(copy));
    EXPECT_EQ(values(moved), expected);
    EXPECT_TRUE(copy.empty());  // NOLINT: a moved-from vector is empty, by contract
    for (size_t before : {0u, 4u, 50u}) {
      Dims target(before, -1);
      target = original;
      EXPECT_EQ(values(target), expected);
      Dims target2(before, -1);
      target2 = std::move(target);
      EXPECT_EQ(values(target2), expected);
      target = {1, 2};
      EXPECT_EQ(values(target), (Values{1, 2}));
    }
    Dims& self = original;
    original = self;
    EXPECT_EQ(values(original), expected);
    original = std::move(self);
    EXPECT_EQ(values(original), expected);
    std::swap(original, moved);
    EXPECT_EQ(values(moved), expected);
  }
}

TEST(InlineVector, MayBeGivenItsOwnElements) {
  Dims dims = {1, 2, 3, 4};
  dims.push_back(dims[0]);
  EXPECT_EQ(values(dims), (Values{1, 2, 3, 4, 1}));
  dims.append(dims);
  EXPECT_EQ(values(dims), (Values{1, 2, 3, 4, 1, 1, 2, 3, 4, 1}));
  dims.assign(std::span(dims).subspan(2, 3));
  EXPECT_EQ(values(dims), (Values{3, 4, 1}));
  dims.insert(dims.begin() + 1, dims[2]);
  EXPECT_EQ(values(dims), (Values{3, 1, 4, 1}));
  dims.insert(dims.begin() + 1, std::span(dims).subspan(0, 2));
  EXPECT_EQ(values(dims), (Values{3, 3, 1, 1, 4, 1}));
}

TEST(InlineVector, ComparesByElements) {
  EXPECT_EQ((Dims{1, 2}), (Dims{1, 2}));
  EXPECT_NE((Dims{1, 2}), (Dims{1, 2, 3}));
  EXPECT_NE((Dims{1, 2}), (Dims{1, 3}));
  EXPECT_EQ((Dims{1, 2}), (InlineVector<int64_t, 1>{1, 2}));
}

TEST(InlineVector, IsBuiltFromRangesAndResizes) {
  const std::vector<int64_t> source = {5, 6, 7, 8, 9};
  EXPECT_EQ(values(Dims(source)), source);
  EXPECT_EQ(values(Dims(source.begin(), source.end())), source);
  Dims dims(2, 9);
  dims.resize(6);
  EXPECT_EQ(values(dims), (Values{9, 9, 0, 0, 0, 0}));
  dims.resize(1);
  EXPECT_EQ(values(dims), (Values{9}));
  dims.clear();
  EXPECT_TRUE(dims.empty());
  EXPECT_EQ(values(Dims(dims.rbegin(), dims.rend())), Values());
}

TEST(InlineVector, RefusesSizesBeyond32Bits) {
  InlineVector<uint8_t, 8> bytes;
  EXPECT_THROW(bytes.reserve(size_t{1} << 32), std::bad_alloc);
}

TEST(InlineVector, AgreesWithStdVectorOverRandomEdits) {
  std::mt19937 random(20240607);
  Dims dims;
  Values expected;
  for (int step = 0; step < 20000; ++step) {
    const size_t at = random() % (expected.size() + 1);
    const int64_t value = static_cast<int64_t>(random() % 1000);
    switch (random() % 7) {
      case 0:
        dims.push_back(value), expected.push_back(value);
        break;
      case 1: {
        const auto where = dims.insert(dims.begin() + at, value);
        ASSERT_EQ(static_cast<size_t>(where - dims.begin()), at);
        expected.insert(expected.begin() + static_cast<ptrdiff_t>(at), value);
        break;
      }
      case 2: {
        const Values more(random() % 6, value);
        dims.insert(dims.begin() + at, more);
        expected.insert(expected.begin() + static_cast<ptrdiff_t>(at), more.begin(), more.end());
        break;
      }
      case 3:
      case 4: {
        const size_t last = at + random() % (expected.size() - at + 1);
        const auto where = dims.erase(dims.begin() + at, dims.begin() + last);
        ASSERT_EQ(static_cast<size_t>(where - dims.begin()), at);
        expected.erase(expected.begin() + static_cast<ptrdiff_t>(at),
                       expected.begin() + static_cast<ptrdiff_t>(last));
        break;
      }
      case 5:
        if (!expected.empty()) dims.pop_back(), expected.pop_back();
        break;
      case 6: {
        const size_t size = random() % 9;
        dims.resize(size, value), expected.resize(size, value);
        break;
      }
    }
    ASSERT_EQ(values(dims), expected) << "after step " << step;
  }
}

}  // namespace
}  // namespace shipway
