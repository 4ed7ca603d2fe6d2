// Reading and writing of every format, against pictures that Pillow wrote
// (testdata/make_testdata.py).
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "image/test_images.h"

namespace shipway {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

Result<Image> decode_text(std::string_view text, const DecodeOptions& options = {}) {
  return decode_image(bytes_of(text), options);
}

Image read(const std::string& name) {
  auto image = read_image(testdata(name));
  EXPECT_TRUE(image.is_ok()) << image.status().message();
  return image.is_ok() ? *std::move(image) : Image();
}

/// The pattern's first channel as it comes out of a 16-colour palette (make_testdata.py).
Image palette_pattern(int64_t channels) {
  const Image grey = pattern(1);
  Image image = Image::allocate(grey.width, grey.height, channels).value_or_throw();
  uint8_t* to = image.mutable_samples<uint8_t>().data();
  for (uint8_t value : grey.samples<uint8_t>()) {
    const int index = value / 16;
    *to++ = static_cast<uint8_t>(16 * index);
    *to++ = static_cast<uint8_t>(255 - 16 * index);
    *to++ = static_cast<uint8_t>(7 * index);
    if (channels == 4) *to++ = index == 3 ? 0 : 255;
  }
  return image;
}

Image black_and_white() {
  Image image = pattern(1);
  for (uint8_t& value : image.mutable_samples<uint8_t>()) value = value >= 128 ? 255 : 0;
  return image;
}

TEST(ReadImage, ReadsLosslessFormatsExactly) {
  EXPECT_EQ(read("grey.png"), pattern(1));
  EXPECT_EQ(read("rgb.png"), pattern(3));
  EXPECT_EQ(read("rgba.png"), pattern(4));
  EXPECT_EQ(read("interlaced.png"), pattern(3));
  EXPECT_EQ(read("palette.png"), palette_pattern(3));
  EXPECT_EQ(read("palette_transparent.png"), palette_pattern(4));
  EXPECT_EQ(read("bits1.png"), black_and_white());
  EXPECT_EQ(read("grey16.png"), pattern16(1));
  EXPECT_EQ(read("grey.tif"), pattern(1));
  EXPECT_EQ(read("rgb.tif"), pattern(3));
  EXPECT_EQ(read("rgb_lzw.tif"), pattern(3));
  EXPECT_EQ(read("rgba.tif"), pattern(4));
  EXPECT_EQ(read("palette.tif"), palette_pattern(3));
  EXPECT_EQ(read("bits1.tif"), black_and_white());
  EXPECT_EQ(read("grey16.tif"), pattern16(1));
  EXPECT_EQ(read("grey.jp2"), pattern(1));
  EXPECT_EQ(read("rgb.jp2"), pattern(3));
  EXPECT_EQ(read("rgba.jp2"), pattern(4));
  EXPECT_EQ(read("rgb.j2k"), pattern(3));
  EXPECT_EQ(read("grey16.jp2"), pattern16(1));
  EXPECT_EQ(read("rgb16.png"), pattern16(3));
  EXPECT_EQ(read("rgba16.png"), pattern16(4));
  EXPECT_EQ(read("rgb.webp"), pattern(3));
  EXPECT_EQ(read("rgba.webp"), pattern(4));
  EXPECT_EQ(read("grey.bmp"), pattern(1));
  EXPECT_EQ(read("rgb.bmp"), pattern(3));
  // Pillow marks no alpha in the header, so there is none for itself and others.
  EXPECT_EQ(read("rgba.bmp"), drop_alpha(pattern(4)).value());
  EXPECT_EQ(read("palette.bmp"), palette_pattern(3));
  EXPECT_EQ(read("bits1.bmp"), black_and_white());
  EXPECT_EQ(read("rgb.ppm"), pattern(3));
  EXPECT_EQ(read("grey.pgm"), pattern(1));
  EXPECT_EQ(read("bits1.pbm"), black_and_white());
}

TEST(ReadImage, GreyWithAlphaBecomesColourWithAlpha) {
  const Image image = read("grey_alpha.png");
  ASSERT_EQ(image.channels, 4);
  const auto samples = image.samples<uint8_t>();
  EXPECT_EQ(samples[4], 31);  // x = 1: grey 31, alpha 31 + 73
  EXPECT_EQ(samples[5], 31);
  EXPECT_EQ(samples[6], 31);
  EXPECT_EQ(samples[7], 104);
}

// Pillow may bundle another release of the JPEG library: one level of rounding is allowed.
TEST(ReadImage, ReadsLossyFormatsAsPillowDoes) {
  EXPECT_LE(largest_difference(read("photo.jpg"), read("photo.jpg.ppm")), 1);
  EXPECT_LE(largest_difference(read("progressive.jpg"), read("progressive.jpg.ppm")), 1);
  EXPECT_LE(largest_difference(read("grey.jpg"), read("grey.jpg.pgm")), 1);
  EXPECT_LE(largest_difference(read("cmyk.jpg"), read("cmyk.jpg.ppm")), 1);
  EXPECT_LE(largest_difference(read("photo.webp"), read("photo.webp.ppm")), 1);
}

TEST(ReadImage, TurnsPicturesUpright) {
  for (int orientation = 2; orientation <= 8; ++orientation) {
    const std::string name = "orientation" + std::to_string(orientation) + ".jpg";
    EXPECT_LE(largest_difference(read(name), read(name + ".ppm")), 1) << name;
  }
  const Image source = pattern(3);
  auto pixel = [](const Image& image, int64_t x, int64_t y) {
    return image.samples<uint8_t>()[static_cast<size_t>((y * image.width + x) * 3)];
  };
  const Image right = read("rgb_orientation6.png");  // to be turned right by 90 degrees
  ASSERT_EQ(right.width, kPatternHeight);
  ASSERT_EQ(right.height, kPatternWidth);
  EXPECT_EQ(pixel(right, kPatternHeight - 1, 2), pixel(source, 2, 0));
  const Image left = read("rgb_orientation8.webp");  // to be turned left
  ASSERT_EQ(left.width, kPatternHeight);
  EXPECT_EQ(pixel(left, 0, kPatternWidth - 1 - 2), pixel(source, 2, 0));
  EXPECT_EQ(read("rgb_orientation6.tif"), right);
  for (const char* name : {"rgb_orientation6.png", "rgb_orientation8.webp", "rgb_orientation6.tif"})
    EXPECT_EQ(read_image(testdata(name), {.upright = false}).value_or_throw(), source) << name;
}

TEST(ReadImage, ReadsPlainPnm) {
  const Image grey =
      decode_text("P2 # a comment\n3 2\n#another\n15\n0 5 15 10 1 3").value_or_throw();
  EXPECT_EQ(grey.width, 3);
  EXPECT_EQ(grey.height, 2);
  EXPECT_THAT(grey.samples<uint8_t>(), testing::ElementsAre(0, 85, 255, 170, 17, 51));
  const Image bits = decode_text("P1 3 1\n1 01").value_or_throw();
  EXPECT_THAT(bits.samples<uint8_t>(), testing::ElementsAre(0, 255, 0));
  const Image color = decode_text("P3\n1 1\n1000\n1000 500 2000\n").value_or_throw();
  EXPECT_EQ(color.depth(), SampleDepth::k16);
  EXPECT_THAT(color.samples<uint16_t>(), testing::ElementsAre(65535, 32768, 65535));
}

TEST(ReadImage, ReadsRawPnmWithSmallMaximum) {
  EXPECT_THAT(decode_text("P5 3 1 3\n\1\2\3").value_or_throw().samples<uint8_t>(),
              testing::ElementsAre(85, 170, 255));
}

// A BMP of 4 x 2 pixels and `bits`, its pixels given; masks and palette follow the header when
// given.
std::string bmp(uint16_t bits, uint32_t compression, const std::string& extra,
                const std::string& pixels, int32_t height = 2) {
  auto number = [](uint64_t value, int size) {
    std::string text;
    for (int i = 0; i < size; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  const uint32_t colors = bits <= 8 ? static_cast<uint32_t>(extra.size() / 4) : 0;
  return "BM" + number(0, 8) + number(54 + extra.size(), 4) + number(40, 4) + number(4, 4) +
         number(static_cast<uint32_t>(height), 4) + number(1, 2) + number(bits, 2) +
         number(compression, 4) + std::string(12, '\0') + number(colors, 4) + number(0, 4) + extra +
         pixels;
}

TEST(ReadImage, ReadsRunLengthBmp) {
  using namespace std::string_literals;
  const std::string palette = "\0\0\0\0\x10\x10\x10\0\x20\x20\x20\0\x30\x30\x30\0"s;
  // Bottom row: 3 times colour 1, then the end of the row; top row: absolute 1 2 3 (padded), end of
  // the picture.
  const Image eight = decode_text(bmp(8, 1, palette, "\3\1\0\0\0\3\1\2\3\0\0\1"s)).value_or_throw();
  EXPECT_THAT(eight.samples<uint8_t>(), testing::ElementsAre(16, 32, 48, 0, 16, 16, 16, 0));
  // Nibbles: run of 4 alternating 1 and 2; then a step of 2 to the right and 1 down, one pixel of
  // colour 3.
  const Image four =
      decode_text(bmp(4, 2, palette, "\4\x12\0\0\0\2\2\0\1\x30\0\1"s)).value_or_throw();
  EXPECT_THAT(four.samples<uint8_t>(), testing::ElementsAre(0, 0, 48, 0, 16, 32, 16, 32));
}

TEST(ReadImage, ReadsBitFieldsAndTopDownBmp) {
  using namespace std::string_literals;
  const std::string masks = "\0\xf8\0\0\xe0\x07\0\0\x1f\0\0\0"s;  // 5-6-5
  const Image image =
      decode_text(bmp(16, 3, masks, "\0\xf8\xe0\x07\x1f\0\xff\xff"s, -1)).value_or_throw();
  EXPECT_EQ(image.height, 1);
  EXPECT_THAT(image.samples<uint8_t>(),
              testing::ElementsAre(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255));
  EXPECT_THAT(decode_text(bmp(16, 3, "\5\0\0\0\0\0\0\0\0\0\0\0"s, "")).status().message(),
              HasSubstr("mask with gaps"));
  EXPECT_EQ(decode_text(bmp(24, 4, "", "")).status().code(), StatusCode::kUnsupported);
}

TEST(ReadImage, RefusesBombsBeforeTakingMemory) {
  const Status pnm = decode_text("P6 30000 30000 255\n").status();
  EXPECT_EQ(pnm.code(), StatusCode::kLimit);
  EXPECT_THAT(pnm.message(), HasSubstr("30000 x 30000 pixels is larger than the limit"));
  EXPECT_EQ(
      decode_text("P6 2147483647 2147483647 65535\n", {.max_pixels = INT64_MAX}).status().message(),
      "PNM: the file ends early");
  auto png = file_bytes(testdata("rgb.png"));
  EXPECT_EQ(decode_image(png, {.max_pixels = 17 * 11 - 1}).status().code(), StatusCode::kLimit);
  EXPECT_TRUE(decode_image(png, {.max_pixels = 17 * 11}).is_ok());
  for (const char* name : {"photo.jpg", "photo.webp", "rgb.bmp", "rgb.ppm", "rgb.tif", "rgb.jp2"})
    EXPECT_EQ(read_image(testdata(name), {.max_pixels = 10}).status().code(), StatusCode::kLimit)
        << name;
}

TEST(ReadImage, NamesWhatIsWrong) {
  EXPECT_THAT(decode_text("hello").status().message(), HasSubstr("not a picture"));
  EXPECT_FALSE(decode_text("").is_ok());
  EXPECT_THAT(decode_text("GIF89a...").status().message(), HasSubstr("seems to be GIF"));
  EXPECT_EQ(decode_text("GIF89a...").status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(read_image(testdata("animation.webp")).status().message(), HasSubstr("an animation"));
  EXPECT_THAT(read_image("/no/such.png").status().message(), HasSubstr("'/no/such.png'"));
  EXPECT_THAT(read_image(testdata("make_testdata.py")).status().message(),
              HasSubstr("make_testdata.py'"));
  EXPECT_EQ(decode_text("P5 2 2 255\nab").status().message(), "PNM: the file ends early");
  EXPECT_THAT(decode_text("P5 x").status().message(),
              HasSubstr("a number is expected at offset 3"));
  EXPECT_EQ(decode_text("P5 0 2 255\n").status().code(), StatusCode::kInvalidArgument);
}

bool is_picture_or_error(const Result<Image>& image) {
  return image.is_ok() ? image->width * image->height > 0 : !image.status().message().empty();
}

class EveryFile : public testing::TestWithParam<std::string> {};

TEST_P(EveryFile, CutAnywhereIsAnErrorOrAPicture) {
  const std::vector<std::byte> file = file_bytes(testdata(GetParam()));
  for (size_t size = 0; size < file.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read beyond the end.
    const std::vector<std::byte> prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
    const auto image = decode_image(prefix, {.max_pixels = 1 << 20});
    EXPECT_TRUE(is_picture_or_error(image)) << size << " bytes";
    EXPECT_TRUE(size >= file.size() / 2 || !image.is_ok()) << "a picture from " << size << " bytes";
  }
}

TEST_P(EveryFile, DamagedAnywhereIsAnErrorOrAPicture) {
  const std::vector<std::byte> file = file_bytes(testdata(GetParam()));
  for (size_t at = 0; at < file.size(); ++at)
    for (unsigned change : {0x01u, 0x80u, 0xFFu}) {
      std::vector<std::byte> damaged = file;
      damaged[at] ^= static_cast<std::byte>(change);
      const auto image = decode_image(damaged, {.max_pixels = 1 << 20});
      EXPECT_TRUE(is_picture_or_error(image)) << "byte " << at;
    }
}

INSTANTIATE_TEST_SUITE_P(Pictures, EveryFile,
                         testing::Values("rgba.png", "interlaced.png", "palette_transparent.png",
                                         "rgb16.png", "rgb_orientation6.png", "photo.jpg",
                                         "progressive.jpg", "cmyk.jpg", "orientation5.jpg",
                                         "photo.webp", "rgba.webp", "rgb_orientation8.webp",
                                         "rgba.bmp", "palette.bmp", "bits1.bmp", "rgb.ppm",
                                         "bits1.pbm", "rgb.tif", "rgb_lzw.tif", "rgba.tif",
                                         "bits1.tif", "rgba.jp2", "rgb.j2k"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(ReadImage, AJpegWithoutItsEndMarkerIsWhole) {
  auto file = file_bytes(testdata("photo.jpg"));
  const Image whole = decode_image(file).value_or_throw();
  file.resize(file.size() - 2);
  EXPECT_EQ(decode_image(file).value_or_throw(), whole);
}

TEST(EncodeImage, LosslessFormatsGiveTheSamePictureBack) {
  for (int64_t channels : {1, 3, 4})
    for (ImageFormat format :
         {ImageFormat::kPng, ImageFormat::kWebp, ImageFormat::kBmp, ImageFormat::kPnm}) {
      if (format == ImageFormat::kPnm && channels == 4) continue;
      const auto file = encode_image(pattern(channels), format, {.webp = WebpMode::kLossless});
      ASSERT_TRUE(file.is_ok()) << file.status().message();
      EXPECT_EQ(image_format_from_content(*file), format);
      Image expected = pattern(channels);
      if (format == ImageFormat::kWebp && channels == 1)
        expected = to_channels(expected, 3).value_or_throw();
      EXPECT_EQ(decode_image(*file).value_or_throw(), expected)
          << to_string(format) << ", channels " << channels;
    }
  for (int64_t channels : {1, 3, 4})
    EXPECT_EQ(decode_image(*encode_image(pattern16(channels), ImageFormat::kPng)).value_or_throw(),
              pattern16(channels));
  EXPECT_EQ(decode_image(*encode_image(pattern16(3), ImageFormat::kPnm)).value_or_throw(),
            pattern16(3));
}

TEST(EncodeImage, LossyFormatsStayNear) {
  const Image photo = read("photo.jpg");
  for (ImageFormat format : {ImageFormat::kJpeg, ImageFormat::kWebp}) {
    const auto fine = encode_image(photo, format, {.quality = 98}),
               coarse = encode_image(photo, format, {.quality = 10});
    ASSERT_TRUE(fine.is_ok() && coarse.is_ok());
    EXPECT_LT(coarse->size(), fine->size());
    EXPECT_LE(largest_difference(decode_image(*fine).value_or_throw(), photo), 16)
        << to_string(format);
  }
  const auto k420 =
      encode_image(photo, ImageFormat::kJpeg, {.jpeg_chroma = ChromaSubsampling::k420});
  EXPECT_LT(k420->size(), encode_image(photo, ImageFormat::kJpeg)->size());
  EXPECT_EQ(decode_image(*encode_image(read("grey.jpg"), ImageFormat::kJpeg))->channels, 1);
}

TEST(EncodeImage, WritesBgrPicturesInTheirOwnColours) {
  const Image bgr = to_order(pattern(3), ChannelOrder::kBgr).value_or_throw();
  EXPECT_NE(bgr, pattern(3));
  EXPECT_EQ(decode_image(*encode_image(bgr, ImageFormat::kPng)).value_or_throw(), pattern(3));
}

TEST(EncodeImage, RefusesWhatAFormatCannotHold) {
  EXPECT_THAT(encode_image(pattern(4), ImageFormat::kJpeg).status().message(),
              HasSubstr("JPEG holds no alpha"));
  EXPECT_THAT(encode_image(pattern(4), ImageFormat::kPnm).status().message(),
              HasSubstr("PNM holds no alpha"));
  EXPECT_THAT(encode_image(pattern16(3), ImageFormat::kJpeg).status().message(),
              HasSubstr("JPEG holds 8 bits"));
  EXPECT_THAT(
      encode_image(Image::allocate(16384, 1, 3).value(), ImageFormat::kWebp).status().message(),
      HasSubstr("WebP holds at most 16383"));
  EXPECT_THAT(
      encode_image(Image::allocate(65501, 1, 3).value(), ImageFormat::kJpeg).status().message(),
      HasSubstr("JPEG holds at most 65500"));
  EXPECT_FALSE(encode_image(pattern(3), ImageFormat::kJpeg, {.quality = 0}).is_ok());
  EXPECT_FALSE(encode_image(pattern(3), ImageFormat::kPng, {.png_compression = 10}).is_ok());
  EXPECT_FALSE(encode_image(Image(), ImageFormat::kPng).is_ok());
  EXPECT_THAT(encode_image(pattern(3), ImageFormat::kTiff).status().message(),
              HasSubstr("TIFF is read, not written"));
  Image torn = pattern(3);
  torn.width += 1;
  EXPECT_THAT(encode_image(torn, ImageFormat::kPng).status().message(),
              HasSubstr("holds 561 samples"));
}

TEST(WriteImage, ChoosesTheFormatByExtension) {
  const fs::path directory =
      fs::path(testing::TempDir()) / ("shipway_image_" + std::to_string(::getpid()));
  fs::create_directories(directory);
  for (const auto& [name, format] :
       std::vector<std::pair<std::string, ImageFormat>>{{"a.png", ImageFormat::kPng},
                                                        {"a.JPG", ImageFormat::kJpeg},
                                                        {"a.webp", ImageFormat::kWebp},
                                                        {"a.b.bmp", ImageFormat::kBmp},
                                                        {"a.ppm", ImageFormat::kPnm}}) {
    ASSERT_TRUE(write_image(directory / name, pattern(3)).is_ok()) << name;
    EXPECT_EQ(image_format_from_content(file_bytes(directory / name)), format);
    EXPECT_EQ(read_image(directory / name)->width, kPatternWidth);
  }
  EXPECT_THAT(write_image(directory / "a.gif", pattern(3)).message(),
              HasSubstr("cannot tell the format of"));
  EXPECT_THAT(write_image(directory / "a.jpg", pattern(4)).message(), HasSubstr("writing '"));
  EXPECT_FALSE(fs::exists(directory / "a.jpg"));
  fs::remove_all(directory);
}

}  // namespace
}  // namespace shipway
