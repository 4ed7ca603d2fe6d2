#include <gmock/gmock.h>

#include "image/test_images.h"

namespace shipway {
namespace {

using testing::ElementsAre;

Image one_pixel(std::vector<uint8_t> samples) {
  const auto channels = static_cast<int64_t>(samples.size());
  return {.width = 1, .height = 1, .channels = channels, .pixels = std::move(samples)};
}

TEST(Color, GreyIsPillowsBt601) {
  EXPECT_EQ(to_channels(pattern(3), 1).value(), read_image(testdata("rgb_as_grey.pgm")).value());
  const Image bgr = to_order(pattern(3), ChannelOrder::kBgr).value();
  EXPECT_EQ(largest_difference(to_channels(bgr, 1).value(),
                               [&] {
                                 Image grey = read_image(testdata("rgb_as_grey.pgm")).value();
                                 grey.order = ChannelOrder::kBgr;
                                 return grey;
                               }()),
            0);
}

TEST(Color, OrderSwapsRedAndBlueAndLeavesAlpha) {
  const Image bgr = to_order(one_pixel({1, 2, 3, 4}), ChannelOrder::kBgr).value();
  EXPECT_THAT(bgr.samples<uint8_t>(), ElementsAre(3, 2, 1, 4));
  EXPECT_EQ(to_order(bgr, ChannelOrder::kRgb).value(), one_pixel({1, 2, 3, 4}));
}

TEST(Color, ChannelsAreAddedAndDropped) {
  EXPECT_EQ(to_channels(one_pixel({7}), 3).value(), one_pixel({7, 7, 7}));
  EXPECT_EQ(to_channels(one_pixel({7}), 4).value(), one_pixel({7, 7, 7, 255}));
  EXPECT_EQ(to_channels(one_pixel({1, 2, 3, 4}), 3).value(), one_pixel({1, 2, 3}));
  EXPECT_EQ(drop_alpha(one_pixel({1, 2, 3, 4})).value(), one_pixel({1, 2, 3}));
  EXPECT_EQ(drop_alpha(one_pixel({9})).value(), one_pixel({9}));
  EXPECT_FALSE(to_channels(one_pixel({9}), 2).is_ok());
}

TEST(Color, DepthGoesThereAndBack) {
  const Image deep = to_depth(pattern(3), SampleDepth::k16).value();
  EXPECT_EQ(deep.samples<uint16_t>()[1], 73 * 257);
  EXPECT_EQ(to_depth(deep, SampleDepth::k8).value(), pattern(3));
}

TEST(Color, CompositesOverAColour) {
  EXPECT_EQ(composite_over(one_pixel({100, 200, 50, 0}), 1, 2, 3).value(), one_pixel({1, 2, 3}));
  EXPECT_EQ(composite_over(one_pixel({100, 200, 50, 255}), 1, 2, 3).value(),
            one_pixel({100, 200, 50}));
  // 100 * 51/255 + 0 * 204/255 = 20
  EXPECT_EQ(composite_over(one_pixel({100, 100, 100, 51}), 0, 0, 0).value(),
            one_pixel({20, 20, 20}));
  const Image bgr = to_order(one_pixel({100, 200, 50, 0}), ChannelOrder::kBgr).value();
  EXPECT_THAT(composite_over(bgr, 1, 2, 3).value().samples<uint8_t>(), ElementsAre(3, 2, 1));
}

TEST(Color, AlphaIsTakenApartAndPutBack) {
  const Image whole = pattern(4);
  EXPECT_EQ(with_alpha(drop_alpha(whole).value(), alpha_plane(whole).value()).value(), whole);
  EXPECT_EQ(alpha_plane(one_pixel({1, 2, 3})).value(), one_pixel({255}));
  EXPECT_FALSE(with_alpha(pattern(3), one_pixel({1})).is_ok());
  const Image deep_alpha = to_depth(alpha_plane(whole).value(), SampleDepth::k16).value();
  EXPECT_EQ(with_alpha(whole, deep_alpha).value(), whole);
}

}  // namespace
}  // namespace shipway
