#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "image/test_images.h"

namespace shipway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Image two_pixels() {
  return {.width = 2,
          .height = 1,
          .channels = 3,
          .pixels = std::vector<uint8_t>{0, 51, 255, 10, 20, 30}};
}

std::vector<float> values(const Tensor& tensor) {
  const auto floats = tensor.as<float>();
  return {floats.begin(), floats.end()};
}

TEST(ImageToTensor, MakesPlanesOfRgbByDefault) {
  const Tensor tensor = image_to_tensor(two_pixels()).value();
  EXPECT_EQ(to_string(tensor.shape()), "1x3x1x2");
  EXPECT_THAT(values(tensor), ElementsAre(0, 10, 51, 20, 255, 30));
}

TEST(ImageToTensor, TakesOrderRangeLayoutMeanAndStd) {
  EXPECT_THAT(values(image_to_tensor(two_pixels(), {.order = ChannelOrder::kBgr}).value()),
              ElementsAre(255, 30, 51, 20, 0, 10));
  const Tensor pixels =
      image_to_tensor(two_pixels(), {.range = ValueRange::k0To1, .layout = TensorLayout::kNhwc})
          .value();
  EXPECT_EQ(to_string(pixels.shape()), "1x1x2x3");
  EXPECT_FLOAT_EQ(values(pixels)[1], 0.2f);
  EXPECT_EQ(values(pixels)[2], 1.0f);
  // (51 / 255 - 0.5) / 0.25 = -1.2, channel 1
  EXPECT_FLOAT_EQ(
      values(image_to_tensor(two_pixels(),
                             {.range = ValueRange::k0To1, .mean = {0, 0.5, 0}, .std = {1, 0.25, 1}})
                 .value())[2],
      -1.2f);
  EXPECT_FLOAT_EQ(
      values(image_to_tensor(two_pixels(), {.mean = {127.5}, .std = {127.5}}).value())[4], 1.0f);
}

TEST(ImageToTensor, MakesTheChannelsAskedFor) {
  EXPECT_EQ(to_string(image_to_tensor(pattern(4)).value().shape()), "1x3x11x17");
  EXPECT_EQ(to_string(image_to_tensor(pattern(1)).value().shape()), "1x3x11x17");
  EXPECT_EQ(to_string(image_to_tensor(pattern(3), {.channels = 1}).value().shape()), "1x1x11x17");
  EXPECT_EQ(to_string(image_to_tensor(pattern(3), {.channels = 4}).value().shape()), "1x4x11x17");
}

TEST(ImageToTensor, SixteenBitsFillTheSameRange) {
  const Image deep = to_depth(two_pixels(), SampleDepth::k16).value();
  EXPECT_THAT(values(image_to_tensor(deep).value()), ElementsAre(0, 10, 51, 20, 255, 30));
  EXPECT_FLOAT_EQ(values(image_to_tensor(deep, {.range = ValueRange::k0To1}).value())[2], 0.2f);
}

TEST(ImageToTensor, RefusesByName) {
  EXPECT_THAT(image_to_tensor(two_pixels(), {.mean = {1, 2}}).status().message(),
              HasSubstr("mean has 2 values, expected none, 1 or 3"));
  EXPECT_THAT(image_to_tensor(two_pixels(), {.std = {0}}).status().message(), HasSubstr("std 0"));
  EXPECT_FALSE(image_to_tensor(two_pixels(), {.channels = 2}).is_ok());
  std::vector<float> small(5);
  EXPECT_THAT(image_to_floats(two_pixels(), {}, small).message(),
              HasSubstr("needs 6 places, 5 are given"));
}

TEST(TensorToImage, IsTheWayBack) {
  for (int64_t channels : {1, 3, 4})
    for (ValueRange range : {ValueRange::k0To255, ValueRange::k0To1})
      for (TensorLayout layout : {TensorLayout::kNchw, TensorLayout::kNhwc}) {
        const FloatOptions options = {
            .range = range, .layout = layout, .channels = channels, .mean = {0.25}, .std = {0.125}};
        const Tensor tensor = image_to_tensor(pattern(channels), options).value();
        EXPECT_EQ(tensor_to_image(tensor, options).value(), pattern(channels));
      }
  const Tensor deep = image_to_tensor(pattern16(3)).value();
  EXPECT_EQ(tensor_to_image(deep, {}, SampleDepth::k16).value(), pattern16(3));
  const FloatOptions bgr = {.order = ChannelOrder::kBgr};
  const Image back = tensor_to_image(image_to_tensor(pattern(3), bgr).value(), bgr).value();
  EXPECT_EQ(back.order, ChannelOrder::kBgr);
  EXPECT_EQ(to_order(back, ChannelOrder::kRgb).value(), pattern(3));
}

TEST(TensorToImage, RoundsToNearestEvenAndClips) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  const Tensor tensor =
      Tensor::from<float>({1, 10}, {0.49f, 0.5f, 1.5f, 2.5f, 254.6f, 300, -1, nan, inf, -inf});
  EXPECT_THAT(tensor_to_image(tensor).value().samples<uint8_t>(),
              ElementsAre(0, 0, 2, 2, 255, 255, 0, 0, 255, 0));
}

TEST(TensorToImage, TakesOtherRanksAndDtypes) {
  EXPECT_EQ(tensor_to_image(Tensor::from<uint8_t>({3, 1, 2}, {1, 2, 3, 4, 5, 6})).value().channels,
            3);
  const Image doubles = tensor_to_image(Tensor::from<double>({1, 1, 1, 2}, {7, 8})).value();
  EXPECT_THAT(doubles.samples<uint8_t>(), ElementsAre(7, 8));
  EXPECT_THAT(
      tensor_to_image(Tensor::from<float>({2, 3, 1, 1}, {1, 2, 3, 4, 5, 6})).status().message(),
      HasSubstr("2x3x1x1 is not one picture"));
  EXPECT_THAT(tensor_to_image(Tensor::from<float>({2, 1, 1}, {1, 2})).status().message(),
              HasSubstr("1, 3 or 4 channels, not 2"));
  EXPECT_FALSE(tensor_to_image(Tensor()).is_ok());
}

}  // namespace
}  // namespace shipway
