// PNG through libspng. https://www.w3.org/TR/png-3/
#include <spng.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "image/codec.h"

namespace shipway {
namespace {

using Context = std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)>;

Status png_error(int error) {
  if (error == SPNG_EMEM) return Status::out_of_memory("PNG: out of memory");
  return Status::invalid_argument("PNG: {}", spng_strerror(error));
}

struct Layout {
  int format;  // of spng
  int64_t channels;
  SampleDepth depth;
};

Layout layout_of(const spng_ihdr& header, bool transparent_color) {
  const bool alpha = transparent_color || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
                     header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  const bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE;
  if (header.bit_depth == 16) {
    if (alpha) return {SPNG_FMT_RGBA16, 4, SampleDepth::k16};
    return {SPNG_FMT_PNG, grey ? 1 : 3,
            SampleDepth::k16};  // as stored, in the machine's byte order
  }
  if (alpha) return {SPNG_FMT_RGBA8, 4, SampleDepth::k8};
  if (grey) return {SPNG_FMT_G8, 1, SampleDepth::k8};
  return {SPNG_FMT_RGB8, 3, SampleDepth::k8};
}

/// The samples as raw bytes, for libraries that fill them.
std::span<std::byte> raw_pixels(Image& image) {
  return std::visit([](auto& samples) { return std::as_writable_bytes(std::span(samples)); },
                    image.pixels);
}

int bits_per_pixel(const spng_ihdr& header) {
  switch (header.color_type) {
    case SPNG_COLOR_TYPE_TRUECOLOR:
      return 3 * header.bit_depth;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
      return 2 * header.bit_depth;
    case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA:
      return 4 * header.bit_depth;
    default:
      return header.bit_depth;
  }
}

}  // namespace

Result<Image> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const Context context(spng_ctx_new(0), &spng_ctx_free);
  if (!context) throw std::bad_alloc();
  // Texts, profiles and the like: 8 MB each and 32 MB together, after decompression.
  constexpr size_t kMaxChunk = size_t{8} << 20, kMaxChunks = size_t{32} << 20;
  spng_set_chunk_limits(context.get(), kMaxChunk, kMaxChunks);
  // A damaged remark is left out, damaged pixels are an error.
  spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
  if (int error = spng_set_png_buffer(context.get(), bytes.data(), bytes.size()))
    return png_error(error);
  spng_ihdr header{};
  if (int error = spng_get_ihdr(context.get(), &header)) return png_error(error);
  SHIPWAY_RETURN_IF_ERROR(check_size(header.width, header.height, options.max_pixels));
  // Deflate shrinks at most 1032 times: a file too short for its size is cut, and no memory need be
  // taken for it.
  const uint64_t stored =
      uint64_t{header.width} * header.height * static_cast<uint64_t>(bits_per_pixel(header)) / 8;
  if (stored / 1032 > bytes.size()) return png_error(SPNG_IO_EOF);

  spng_trns transparency{};
  const bool transparent_color = spng_get_trns(context.get(), &transparency) == 0;
  const Layout layout = layout_of(header, transparent_color);
  SHIPWAY_ASSIGN_OR_RETURN(
      Image image, Image::allocate(header.width, header.height, layout.channels, layout.depth,
                                   options.max_pixels));
  const auto pixels = raw_pixels(image);
  size_t size = 0;
  if (int error = spng_decoded_image_size(context.get(), layout.format, &size))
    return png_error(error);
  if (size != pixels.size())
    return Status::internal("PNG: {} bytes decoded, {} expected", size, pixels.size());
  if (int error =
          spng_decode_image(context.get(), pixels.data(), size, layout.format, SPNG_DECODE_TRNS))
    return png_error(error);

  spng_exif exif{};
  if (!options.upright || spng_get_exif(context.get(), &exif) != 0) return image;
  return apply_orientation(std::move(image),
                           exif_orientation(std::as_bytes(std::span(exif.data, exif.length))));
}

Result<std::vector<std::byte>> encode_png(const Image& image, const EncodeOptions& options) {
  constexpr int64_t kMaxSide = 0x7FFFFFFF;
  if (image.width > kMaxSide || image.height > kMaxSide)
    return Status::unsupported("PNG holds at most {} pixels a side", kMaxSide);
  const Context context(spng_ctx_new(SPNG_CTX_ENCODER), &spng_ctx_free);
  if (!context) throw std::bad_alloc();
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  if (spng_set_option(context.get(), SPNG_IMG_COMPRESSION_LEVEL, options.png_compression) != 0)
    return Status::invalid_argument("png_compression is {}, expected 0 to 9",
                                    options.png_compression);
  spng_ihdr header{};
  header.width = static_cast<uint32_t>(image.width);
  header.height = static_cast<uint32_t>(image.height);
  header.bit_depth = image.depth() == SampleDepth::k8 ? 8 : 16;
  header.color_type = image.channels == 1   ? SPNG_COLOR_TYPE_GRAYSCALE
                      : image.channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR
                                            : SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  if (int error = spng_set_ihdr(context.get(), &header)) return png_error(error);
  const auto pixels = std::visit(
      [](const auto& samples) { return std::as_bytes(std::span(samples)); }, image.pixels);
  if (int error = spng_encode_image(context.get(), pixels.data(), pixels.size(), SPNG_FMT_PNG,
                                    SPNG_ENCODE_FINALIZE))
    return png_error(error);
  size_t size = 0;
  int error = 0;
  const std::unique_ptr<void, decltype(&std::free)> file(
      spng_get_png_buffer(context.get(), &size, &error), &std::free);
  if (!file) return png_error(error);
  const auto* first = static_cast<const std::byte*>(file.get());
  return std::vector<std::byte>(first, first + size);
}

}  // namespace shipway
