// ImageDecoder on a picture written by hand: PNM's rows are the pixels themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/testing.h"

namespace shipway {
namespace {

using testing::ElementsAre;

Tensor file(std::string_view text) {
  Tensor bytes =
      Tensor::allocate(DType::kUInt8, {static_cast<int64_t>(text.size())}).value_or_throw();
  std::ranges::copy(text, bytes.mutable_as<uint8_t>().begin());
  return bytes;
}

Result<Tensor> decoded(const Tensor& file, const char* pixel_format) {
  return evaluate_tensor("ImageDecoder", {file}, {{"pixel_format", std::string(pixel_format)}});
}

TEST(ImageDecoder, GivesRowsOfPixelsInTheChannelsAskedFor) {
  const Tensor picture = file("P3 2 1 255  10 20 30  255 0 0");
  const auto rgb = decoded(picture, "RGB");
  ASSERT_TRUE(rgb.is_ok()) << rgb.status().message();
  EXPECT_EQ(rgb->shape(), (Shape{1, 2, 3}));
  EXPECT_THAT(rgb->as<uint8_t>(), ElementsAre(10, 20, 30, 255, 0, 0));
  const auto bgr = decoded(picture, "BGR");
  EXPECT_THAT(bgr->as<uint8_t>(), ElementsAre(30, 20, 10, 0, 0, 255));
  // 0.299 R + 0.587 G + 0.114 B
  const auto grey = decoded(picture, "Grayscale");
  EXPECT_EQ(grey->shape(), (Shape{1, 2, 1}));
  EXPECT_THAT(grey->as<uint8_t>(), ElementsAre(18, 76));
}

TEST(ImageDecoder, GivesAnEmptyMatrixForWhatIsNoPicture) {
  const auto empty = decoded(file("P6 2 2 255 ab"), "RGB");
  ASSERT_TRUE(empty.is_ok()) << empty.status().message();
  EXPECT_EQ(empty->shape(), (Shape{0, 0, 3}));
}

}  // namespace
}  // namespace shipway
