// Which codec reads or writes what, and pictures as files.
#include <algorithm>
#include <cctype>
#include <string>

#include "base/mapped_file.h"
#include "base/text.h"
#include "image/codec.h"

namespace shipway {
namespace {

using namespace std::string_view_literals;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What else it seems to be, for the message; empty when that is unknown.
std::string_view unsupported_format(std::string_view content) {
  struct Signature {
    size_t offset;
    std::string_view bytes;
    std::string_view name;
  };
  static constexpr Signature kSignatures[] = {
      {0, "GIF8", "GIF"},
      {0, {"\0\0\0\x0cJXL ", 8}, "JPEG XL"},
      {0, "\xff\x0a", "JPEG XL"},
      {4, "ftypavif", "AVIF"},
      {4, "ftypheic", "HEIC"},
      {4, "ftypmif1", "HEIF"},
      {0, "8BPS", "Photoshop"},
      {0, "qoif", "QOI"},
      {0, "P7\n", "PAM"},
      {0, "PF\n", "PFM"},
      {0, "Pf\n", "PFM"},
      {0, "<svg", "SVG"},
      {0, {"\0\0\1\0", 4}, "an icon"},
  };
  for (const Signature& signature : kSignatures)
    if (content.size() >= signature.offset &&
        content.substr(signature.offset).starts_with(signature.bytes))
      return signature.name;
  return {};
}

Result<Image> decode_recognised(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const auto format = image_format_from_content(bytes);
  if (!format) {
    const std::string_view seems = unsupported_format(text_of(bytes));
    if (!seems.empty())
      return Status::unsupported(
          "the picture seems to be {}; PNG, JPEG, WebP, BMP, PNM, TIFF and JPEG 2000 are read",
          seems);
    return Status::invalid_argument(
        "not a picture: {} bytes that begin neither as PNG, JPEG, WebP, BMP, PNM, TIFF nor JPEG "
        "2000",
        bytes.size());
  }
  switch (*format) {
    case ImageFormat::kPng:
      return decode_png(bytes, options);
    case ImageFormat::kJpeg:
      return decode_jpeg(bytes, options);
    case ImageFormat::kWebp:
      return decode_webp(bytes, options);
    case ImageFormat::kBmp:
      return decode_bmp(bytes, options);
    case ImageFormat::kPnm:
      return decode_pnm(bytes, options);
    case ImageFormat::kTiff:
      return decode_tiff(bytes, options);
    case ImageFormat::kJpeg2000:
      return decode_jpeg2000(bytes, options);
  }
  return Status::internal("an image format without a decoder");
}

}  // namespace

std::string_view to_string(ImageFormat format) {
  switch (format) {
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kWebp:
      return "WebP";
    case ImageFormat::kBmp:
      return "BMP";
    case ImageFormat::kPnm:
      return "PNM";
    case ImageFormat::kTiff:
      return "TIFF";
    case ImageFormat::kJpeg2000:
      return "JPEG 2000";
  }
  return "unknown";
}

std::optional<ImageFormat> image_format_from_content(std::span<const std::byte> bytes) {
  const std::string_view content = text_of(bytes);
  if (content.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::kPng;
  if (content.starts_with("\xff\xd8\xff")) return ImageFormat::kJpeg;
  if (content.size() >= 12 && content.starts_with("RIFF") && content.substr(8, 4) == "WEBP")
    return ImageFormat::kWebp;
  // Two letters are a weak sign: the size of the second header, below 1024, has zeros in it.
  if (content.size() >= 18 && content.starts_with("BM") &&
      content.substr(16, 2) == std::string_view("\0\0", 2))
    return ImageFormat::kBmp;
  if (content.size() >= 3 && content[0] == 'P' && content[1] >= '1' && content[1] <= '6' &&
      (content[2] == ' ' || content[2] == '#' || (content[2] >= '\t' && content[2] <= '\r')))
    return ImageFormat::kPnm;
  if (content.starts_with("II*\0"sv) || content.starts_with("MM\0*"sv)) return ImageFormat::kTiff;
  if (content.starts_with("\0\0\0\x0cjP  "sv) || content.starts_with("\xff\x4f\xff\x51"))
    return ImageFormat::kJpeg2000;
  return std::nullopt;
}

std::optional<ImageFormat> image_format_from_name(std::string_view path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  std::string extension;
  for (char c : path.substr(dot + 1))
    extension += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  struct Extension {
    std::string_view name;
    ImageFormat format;
  };
  static constexpr Extension kExtensions[] = {
      {"png", ImageFormat::kPng},      {"jpg", ImageFormat::kJpeg},
      {"jpeg", ImageFormat::kJpeg},    {"jpe", ImageFormat::kJpeg},
      {"jfif", ImageFormat::kJpeg},    {"webp", ImageFormat::kWebp},
      {"bmp", ImageFormat::kBmp},      {"pnm", ImageFormat::kPnm},
      {"ppm", ImageFormat::kPnm},      {"pgm", ImageFormat::kPnm},
      {"pbm", ImageFormat::kPnm},      {"tif", ImageFormat::kTiff},
      {"tiff", ImageFormat::kTiff},    {"jp2", ImageFormat::kJpeg2000},
      {"j2k", ImageFormat::kJpeg2000},
  };
  for (const Extension& known : kExtensions)
    if (extension == known.name) return known.format;
  return std::nullopt;
}

Result<Image> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options) {
  return without_throwing([&]() -> Result<Image> {
    auto image = decode_recognised(bytes, options);
    // The byte reader speaks of models; here it read a picture.
    if (image.status().code() == StatusCode::kInvalidModel)
      return Status::invalid_argument("{}: {}", to_string(*image_format_from_content(bytes)),
                                      image.status().message());
    return image;
  });
}

Result<Image> read_image(const std::string& path, const DecodeOptions& options) {
  return without_throwing([&]() -> Result<Image> {
    SHIPWAY_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
    auto image = decode_image(file->bytes(), options);
    if (!image.is_ok()) return image.status().with_context("reading {}", quoted(path, 400));
    return image;
  });
}

Result<std::vector<std::byte>> encode_image(const Image& image, ImageFormat format,
                                            const EncodeOptions& options) {
  using File = Result<std::vector<std::byte>>;
  return without_throwing([&]() -> File {
    SHIPWAY_RETURN_IF_ERROR(check_image(image));
    if (options.quality < 1 || options.quality > 100)
      return Status::invalid_argument("quality is {}, expected 1 to 100", options.quality);
    if (image.order == ChannelOrder::kBgr && image.channels > 1) {
      SHIPWAY_ASSIGN_OR_RETURN(const Image rgb, to_order(image, ChannelOrder::kRgb));
      return encode_image(rgb, format, options);
    }
    if (image.depth() == SampleDepth::k16 && format != ImageFormat::kPng &&
        format != ImageFormat::kPnm)
      return Status::unsupported("{} holds 8 bits a sample, the picture has 16: reduce it first",
                                 format);
    if (image.has_alpha() && format == ImageFormat::kJpeg)
      return Status::unsupported(
          "JPEG holds no alpha: drop it or lay the picture over a colour first");
    switch (format) {
      case ImageFormat::kPng:
        return encode_png(image, options);
      case ImageFormat::kJpeg:
        return encode_jpeg(image, options);
      case ImageFormat::kWebp:
        return encode_webp(image, options);
      case ImageFormat::kBmp:
        return encode_bmp(image);
      case ImageFormat::kPnm:
        return encode_pnm(image);
      case ImageFormat::kTiff:
      case ImageFormat::kJpeg2000:
        return Status::unsupported("{} is read, not written: PNG loses nothing either", format);
    }
    return Status::internal("an image format without an encoder");
  });
}

Status write_image(const std::string& path, const Image& image, const EncodeOptions& options) {
  return without_throwing([&]() -> Status {
    const auto format = image_format_from_name(path);
    if (!format)
      return Status::invalid_argument(
          "cannot tell the format of {}: .png, .jpg, .webp, .bmp, .ppm, .pgm and .pnm are written",
          quoted(path, 400));
    const auto file = encode_image(image, *format, options);
    if (!file.is_ok()) return file.status().with_context("writing {}", quoted(path, 400));
    return write_file_atomically(path, *file);
  });
}

}  // namespace shipway
