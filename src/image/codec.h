// What the codecs share. Each reads or writes one file format; decode.cpp and encode.cpp choose
// among them.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <vector>

#include "shipway/image.h"
#include "shipway/status.h"

namespace shipway {

Result<Image> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<Image> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<Image> decode_webp(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<Image> decode_bmp(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<Image> decode_pnm(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<Image> decode_tiff(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<Image> decode_jpeg2000(std::span<const std::byte> bytes, const DecodeOptions& options);

// The encoders get a valid picture in RGB order.
Result<std::vector<std::byte>> encode_png(const Image& image, const EncodeOptions& options);
Result<std::vector<std::byte>> encode_jpeg(const Image& image, const EncodeOptions& options);
Result<std::vector<std::byte>> encode_webp(const Image& image, const EncodeOptions& options);
Result<std::vector<std::byte>> encode_bmp(const Image& image);
Result<std::vector<std::byte>> encode_pnm(const Image& image);

/// kInvalidArgument unless width, height, channels and the number of samples agree.
Status check_image(const Image& image);
/// kInvalidArgument for an empty picture, kLimit for one of more than `max_pixels`.
Status check_size(int64_t width, int64_t height, int64_t max_pixels);

/// The orientation 1..8 in an EXIF block (a TIFF header, with or without "Exif\0\0" before it); 1
/// when there is none or the block is damaged: a wrong remark must not cost the picture.
int exif_orientation(std::span<const std::byte> exif);
/// The upright picture of one stored with `orientation`.
Image apply_orientation(Image image, int orientation);

inline const uint8_t* as_uint8(const std::byte* bytes) {
  return reinterpret_cast<const uint8_t*>(bytes);
}

/// Runs the body of a public function: a lack of memory becomes a Status.
template <typename Body>
auto without_throwing(const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("not enough memory for the picture");
  }
}

}  // namespace shipway
