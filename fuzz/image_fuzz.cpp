// Bytes as a picture. Nothing crashes or takes memory beyond the limit; what was read upright is a
// valid picture that every step takes; a lossless file made from it reads back the same.
#include <cstdint>
#include <cstdlib>

#include "shipway/image.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shipway;
  const auto decoded = decode_image(std::as_bytes(std::span(data, size)), {.max_pixels = 1 << 16});
  if (!decoded.is_ok()) {
    require(!decoded.status().message().empty());
    return 0;
  }
  const Image& image = *decoded;
  const auto file = encode_image(image, ImageFormat::kPng, {.png_compression = 1});
  require(file.is_ok());
  const auto again = decode_image(*file);
  require(again.is_ok() && *again == image);

  const auto filter = static_cast<ResizeFilter>(size % 5);
  require(resize(image, 1 + static_cast<int64_t>(size % 61), 1 + static_cast<int64_t>(size % 53),
                 {.filter = filter})
              .is_ok());
  const FloatOptions options = {.channels = image.channels};
  const auto tensor = image_to_tensor(image, options);
  require(tensor.is_ok());
  const auto back = tensor_to_image(*tensor, options, image.depth());
  require(back.is_ok() && *back == image);
  return 0;
}
