// Pictures: reading and writing files, resizing, colour, and the way to tensors and back.
//
//   SHIPWAY_ASSIGN_OR_RETURN(Image photo, read_image("photo.jpg"));
//   SHIPWAY_ASSIGN_OR_RETURN(Tensor input, image_to_tensor(photo));  // [1, 3, H, W], 0..255, RGB
//   ... run a model ...
//   SHIPWAY_ASSIGN_OR_RETURN(Image larger, tensor_to_image(output));
//   SHIPWAY_RETURN_IF_ERROR(write_image("photo_x4.png", larger));
//
// Every function here is safe to call from any thread and never throws: a lack of memory is a
// Status too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shipway/status.h"
#include "shipway/tensor.h"

namespace shipway {

enum class ChannelOrder : uint8_t { kRgb, kBgr };
/// Bits of one sample: 0..255, or 0..65535 for pictures from 16-bit files.
enum class SampleDepth : uint8_t { k8, k16 };

/// More pixels than this are refused unless an option says otherwise: a file of a few kB can claim
/// gigabytes.
inline constexpr int64_t kDefaultMaxPixels = int64_t{1} << 28;

/// A picture: rows from the top, pixels from the left, the samples of a pixel side by side (HWC).
/// 1 channel is grey, 3 are colour, 4 are colour and alpha (0 = transparent, colour not
/// premultiplied). `order` holds for 3 and 4 channels; alpha is always last.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;
  ChannelOrder order = ChannelOrder::kRgb;
  std::variant<std::vector<uint8_t>, std::vector<uint16_t>> pixels;

  /// A picture of zeros. kInvalidArgument for a size below 1 or other channels than 1, 3, 4; kLimit
  /// above `max_pixels`; kOutOfMemory.
  static Result<Image> allocate(int64_t width, int64_t height, int64_t channels,
                                SampleDepth depth = SampleDepth::k8,
                                int64_t max_pixels = kDefaultMaxPixels);

  SampleDepth depth() const { return pixels.index() == 0 ? SampleDepth::k8 : SampleDepth::k16; }
  bool has_alpha() const { return channels == 4; }
  /// All samples as T, uint8_t or uint16_t; empty when the picture has the other depth.
  template <typename T>
  std::span<const T> samples() const {
    const auto* held = std::get_if<std::vector<T>>(&pixels);
    return held ? std::span<const T>(*held) : std::span<const T>();
  }
  template <typename T>
  std::span<T> mutable_samples() {
    auto* held = std::get_if<std::vector<T>>(&pixels);
    return held ? std::span<T>(*held) : std::span<T>();
  }
  friend bool operator==(const Image&, const Image&) = default;
};

// ---- files --------------------------------------------------------------------------------------

/// TIFF and JPEG 2000 are read, not written.
enum class ImageFormat : uint8_t { kPng, kJpeg, kWebp, kBmp, kPnm, kTiff, kJpeg2000 };
std::string_view to_string(ImageFormat format);
/// By the first bytes of a file.
std::optional<ImageFormat> image_format_from_content(std::span<const std::byte> bytes);
/// By the extension of a file name, upper or lower case (.png .jpg .jpeg .jpe .jfif .webp .bmp .pnm
/// .ppm .pgm .pbm).
std::optional<ImageFormat> image_format_from_name(std::string_view path);

struct DecodeOptions {
  int64_t max_pixels = kDefaultMaxPixels;
  bool upright = true;  // turn the picture as its EXIF or TIFF orientation says
};

/// The picture in `bytes`, recognised by content, upright (EXIF orientation is applied), in RGB
/// order:
/// - grey, colour and palette as 1 or 3 channels; with alpha or a transparent colour always 4 (grey
/// too);
/// - 16-bit PNG, PNM, TIFF and JPEG 2000 keep 16 bits, everything else has 8 (1, 2, 4-bit grey is
/// scaled to 0..255);
/// - CMYK JPEG becomes RGB by (255 - C)(255 - K) / 255, samples inverted as Adobe writes them, as
/// Pillow does. Colour profiles and gamma are not applied. Animations are refused. Damaged or cut
/// files are kInvalidArgument, never a part of the picture; sizes beyond `max_pixels` are kLimit
/// before memory is taken.
Result<Image> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options = {});
/// The same from a file; errors start with `reading '<path>'`.
Result<Image> read_image(const std::string& path, const DecodeOptions& options = {});

enum class WebpMode : uint8_t { kLossy, kLossless };
enum class ChromaSubsampling : uint8_t { k444, k420 };
struct EncodeOptions {
  int quality = 95;  // of JPEG and lossy WebP, 1..100
  ChromaSubsampling jpeg_chroma =
      ChromaSubsampling::k444;  // full colour resolution; k420 is smaller
  WebpMode webp = WebpMode::kLossy;
  int png_compression = 6;  // 0 (none, fast) .. 9 (smallest, slow)
};

/// The file that holds `image`. What the format cannot hold is refused by name, never dropped:
/// alpha in JPEG and PNM; 16 bits in JPEG, WebP and BMP (see drop_alpha, composite_over, to_depth).
Result<std::vector<std::byte>> encode_image(const Image& image, ImageFormat format,
                                            const EncodeOptions& options = {});
/// The same into a file, format by extension; written beside and renamed.
Status write_image(const std::string& path, const Image& image, const EncodeOptions& options = {});

// ---- size ---------------------------------------------------------------------------------------

enum class ResizeFilter : uint8_t { kNearest, kBox, kBilinear, kBicubic, kLanczos };
/// Whether a shrinking filter widens with the factor, so that every source pixel counts (Pillow,
/// torch with antialias=True), or samples a few neighbours only (OpenCV, torch with
/// antialias=False).
enum class Antialias : uint8_t { kNo, kYes };
struct ResizeOptions {
  ResizeFilter filter = ResizeFilter::kBicubic;
  Antialias antialias = Antialias::kYes;
  double cubic_coefficient =
      -0.5;  // Pillow, Keys 1981; OpenCV and torch without antialias have -0.75
  int64_t max_pixels = kDefaultMaxPixels;
};

/// `image` at another size, pixel centres at half positions. With the default coefficient and
/// antialias, 8-bit results equal those of Pillow 13 to the byte: two passes with 22-bit
/// weights, colour premultiplied by alpha meanwhile.
Result<Image> resize(const Image& image, int64_t width, int64_t height,
                     const ResizeOptions& options = {});
/// The same for floats in HWC order (one channel: a plane, such as a mask or a heat map); nothing
/// is clipped.
Result<std::vector<float>> resize_floats(std::span<const float> hwc, int64_t width, int64_t height,
                                         int64_t channels, int64_t new_width, int64_t new_height,
                                         const ResizeOptions& options = {});

// ---- colour -------------------------------------------------------------------------------------

/// The same colours with the channels of a pixel in another order.
Result<Image> to_order(const Image& image, ChannelOrder order);
/// As 1, 3 or 4 channels. Colour to grey is ITU-R BT.601, L = 0.299 R + 0.587 G + 0.114 B; grey to
/// colour repeats; new alpha is opaque; alpha that has no place is dropped.
Result<Image> to_channels(const Image& image, int64_t channels);
/// With 8 or 16 bits: v * 257, or v / 257 rounded to nearest.
Result<Image> to_depth(const Image& image, SampleDepth depth);
/// Without alpha, colours as stored.
Result<Image> drop_alpha(const Image& image);
/// Without alpha, laid over one colour (red, green, blue in 0..255).
Result<Image> composite_over(const Image& image, uint8_t red, uint8_t green, uint8_t blue);
/// The alpha of a picture as a grey one (opaque where there is none), and a picture with another's
/// grey as alpha. Super-resolution upscales the two apart: models know colour only.
Result<Image> alpha_plane(const Image& image);
Result<Image> with_alpha(const Image& image, const Image& alpha);

// ---- tensors ------------------------------------------------------------------------------------

enum class ValueRange : uint8_t { k0To255, k0To1 };
enum class TensorLayout : uint8_t { kNchw, kNhwc };

/// How samples become floats: t = (v - mean) / std, v the sample in `range` (16-bit samples in the
/// same range).
struct FloatOptions {
  ValueRange range = ValueRange::k0To255;
  ChannelOrder order = ChannelOrder::kRgb;
  TensorLayout layout = TensorLayout::kNchw;
  int64_t channels = 3;  // 1, 3 or 4, as to_channels makes them
  std::vector<float>
      mean;  // none, one for all, or one per channel, in tensor order and in units of `range`
  std::vector<float> std;
};

/// Writes the picture into `out`, which must have channels * height * width places: planes (kNchw)
/// or pixels.
Status image_to_floats(const Image& image, const FloatOptions& options, std::span<float> out);
/// The way back: v = t * std + mean, clipped to the range, rounded to the nearest level, ties to
/// even (numpy's astype would truncate and darken by half a level). NaN becomes 0. The picture has
/// `options.order`.
Result<Image> floats_to_image(std::span<const float> values, int64_t width, int64_t height,
                              const FloatOptions& options, SampleDepth depth = SampleDepth::k8);

/// image_to_floats as a float tensor [1, channels, height, width] (or [1, height, width,
/// channels]).
Result<Tensor> image_to_tensor(const Image& image, const FloatOptions& options = {});
/// floats_to_image from a tensor of rank 4 (batch 1), 3, or 2 (one plane); the number of channels
/// is the tensor's. Any float or integer dtype.
Result<Image> tensor_to_image(const Tensor& tensor, const FloatOptions& options = {},
                              SampleDepth depth = SampleDepth::k8);

}  // namespace shipway
