#include "shipway/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace shipway {
namespace {

TEST(Storage, AsksAgainForContentsThatCouldNotBeMade) {  // and loses no memory: LeakSanitizer looks
  int calls = 0;
  const auto storage = Storage::deferred(8, [&](std::span<std::byte> to) {
    if (++calls == 1) throw std::runtime_error("not yet");
    std::fill(to.begin(), to.end(), std::byte{7});
  });
  EXPECT_THROW(storage->data(), std::runtime_error);
  EXPECT_TRUE(storage->is_deferred());
  EXPECT_EQ(storage->data()[7], std::byte{7});
  EXPECT_EQ(storage->data()[0], std::byte{7});
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace shipway
