// Resizing against Pillow (testdata/make_testdata.py) and against sums by hand.
#include <gmock/gmock.h>

#include "image/test_images.h"

namespace shipway {
namespace {

Image expected(const std::string& name) { return read_image(testdata(name)).value_or_throw(); }

TEST(Resize, EqualsPillowForEveryFilter) {
  const std::pair<std::string, ResizeFilter> filters[] = {{"nearest", ResizeFilter::kNearest},
                                                          {"box", ResizeFilter::kBox},
                                                          {"bilinear", ResizeFilter::kBilinear},
                                                          {"bicubic", ResizeFilter::kBicubic},
                                                          {"lanczos", ResizeFilter::kLanczos}};
  for (const auto& [name, filter] : filters)
    for (const auto& [width, height] :
         {std::pair{7, 5}, std::pair{29, 23}, std::pair{40, 4}, std::pair{16, 3}}) {
      const std::string file =
          "resize_" + name + "_" + std::to_string(width) + "x" + std::to_string(height) + ".png";
      const auto result = resize(pattern(3), width, height, {.filter = filter});
      ASSERT_TRUE(result.is_ok()) << result.status().message();
      EXPECT_EQ(largest_difference(*result, expected(file)), 0) << file;
    }
}

TEST(Resize, EqualsPillowForAlphaAndGrey) {
  EXPECT_EQ(largest_difference(resize(pattern(4), 9, 20).value(), expected("resize_rgba_9x20.png")),
            0);
  EXPECT_EQ(largest_difference(resize(pattern(1), 23, 5).value(), expected("resize_grey_23x5.png")),
            0);
}

TEST(Resize, SixteenBitsFollowTheSameWeights) {
  for (int64_t channels : {1, 3, 4}) {
    Image source = pattern(channels);
    if (channels == 4)  // where alpha is small, 8 bits lose the colour and are no reference
      for (size_t i = 3; i < source.mutable_samples<uint8_t>().size(); i += 4)
        source.mutable_samples<uint8_t>()[i] |= 0x80;
    // Bilinear: a filter that overshoots is clipped between the two passes in 8 bits, in floats at
    // the end only.
    const ResizeOptions options = {.filter = ResizeFilter::kBilinear};
    const Image deep = resize(to_depth(source, SampleDepth::k16).value(), 29, 5, options).value();
    const Image shallow = resize(source, 29, 5, options).value();
    EXPECT_LE(largest_difference(to_depth(deep, SampleDepth::k8).value(), shallow),
              channels == 4 ? 3 : 1);
  }
}

TEST(Resize, WithoutAntialiasSamplesNeighboursOnly) {
  // Halving by bilinear at pixel centres is the mean of the two neighbours; a wider filter would
  // reach further.
  const std::vector<float> row = {0, 10, 100, 200, 50, 70, 0, 0};
  EXPECT_THAT(resize_floats(row, 8, 1, 1, 4, 1,
                            {.filter = ResizeFilter::kBilinear, .antialias = Antialias::kNo})
                  .value(),
              testing::ElementsAre(5, 150, 60, 0));
  // A quarter: centres at 1.5 and 5.5, so the means of 10, 100 and of 70, 0.
  EXPECT_THAT(resize_floats(row, 8, 1, 1, 2, 1,
                            {.filter = ResizeFilter::kBilinear, .antialias = Antialias::kNo})
                  .value(),
              testing::ElementsAre(55, 35));
  EXPECT_THAT(resize_floats(row, 8, 1, 1, 2, 1, {.filter = ResizeFilter::kBox}).value(),
              testing::ElementsAre(77.5f, 30));
}

TEST(Resize, FloatsTakeAnyNumberOfChannels) {
  std::vector<float> two;
  for (int i = 0; i < 12; ++i) {
    two.push_back(static_cast<float>(i));
    two.push_back(static_cast<float>(-i));
  }
  const auto result = resize_floats(two, 4, 3, 2, 7, 5).value();
  ASSERT_EQ(result.size(), 70u);
  for (size_t i = 0; i < result.size(); i += 2) EXPECT_EQ(result[i], -result[i + 1]);
  EXPECT_FALSE(resize_floats(two, 4, 3, 3, 7, 5).is_ok());
}

TEST(Resize, KeepsAFlatColourAndOneSize) {
  Image flat = Image::allocate(13, 7, 3).value();
  std::ranges::fill(flat.mutable_samples<uint8_t>(), uint8_t{200});
  for (ResizeFilter filter : {ResizeFilter::kNearest, ResizeFilter::kBox, ResizeFilter::kBilinear,
                              ResizeFilter::kBicubic, ResizeFilter::kLanczos})
    for (Antialias antialias : {Antialias::kNo, Antialias::kYes})
      for (int64_t size : {1, 2, 13, 31}) {
        const Image result =
            resize(flat, size, size, {.filter = filter, .antialias = antialias}).value();
        EXPECT_THAT(result.samples<uint8_t>(), testing::Each(200)) << size;
      }
  EXPECT_EQ(resize(pattern(3), kPatternWidth, kPatternHeight).value(), pattern(3));
}

TEST(Resize, RefusesSizesByName) {
  EXPECT_EQ(resize(pattern(3), 0, 5).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(resize(pattern(3), INT64_MAX, 5).status().code(), StatusCode::kLimit);
  EXPECT_EQ(resize(pattern(3), 100, 100, {.max_pixels = 9999}).status().code(), StatusCode::kLimit);
  EXPECT_FALSE(resize(pattern(3), 3, 3, {.cubic_coefficient = 1e300}).is_ok());
  EXPECT_FALSE(resize(Image(), 3, 3).is_ok());
}

}  // namespace
}  // namespace shipway
