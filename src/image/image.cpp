#include "shipway/image.h"

#include "base/checked.h"
#include "image/codec.h"

namespace shipway {

Status check_size(int64_t width, int64_t height, int64_t max_pixels) {
  if (width < 1 || height < 1)
    return Status::invalid_argument("a picture of {} x {} pixels has no content", width, height);
  const auto pixels = checked_mul(width, height);
  if (!pixels || *pixels > max_pixels)
    return Status::limit(
        "a picture of {} x {} pixels is larger than the limit of {} pixels (max_pixels)", width,
        height, max_pixels);
  return Status::ok();
}

Status check_image(const Image& image) {
  if (image.width < 1 || image.height < 1)
    return Status::invalid_argument("a picture of {} x {} pixels has no content", image.width,
                                    image.height);
  if (image.channels != 1 && image.channels != 3 && image.channels != 4)
    return Status::invalid_argument("a picture has 1, 3 or 4 channels, not {}", image.channels);
  const int64_t sizes[] = {image.width, image.height, image.channels};
  const auto expected = checked_product(sizes);
  const size_t found = std::visit([](const auto& samples) { return samples.size(); }, image.pixels);
  if (!expected || static_cast<uint64_t>(*expected) != found)
    return Status::invalid_argument("a picture of {} x {} pixels and {} channels holds {} samples",
                                    image.width, image.height, image.channels, found);
  return Status::ok();
}

Result<Image> Image::allocate(int64_t width, int64_t height, int64_t channels, SampleDepth depth,
                              int64_t max_pixels) {
  return without_throwing([&]() -> Result<Image> {
    if (channels != 1 && channels != 3 && channels != 4)
      return Status::invalid_argument("a picture has 1, 3 or 4 channels, not {}", channels);
    SHIPWAY_RETURN_IF_ERROR(check_size(width, height, max_pixels));
    const int64_t sizes[] = {width, height, channels};
    const auto count = checked_product(sizes);
    if (!count || *count > INT64_MAX / 2) throw std::bad_alloc();
    Image image{.width = width, .height = height, .channels = channels};
    const auto samples = static_cast<size_t>(*count);
    if (depth == SampleDepth::k8) {
      image.pixels = std::vector<uint8_t>(samples);
    } else {
      image.pixels = std::vector<uint16_t>(samples);
    }
    return image;
  });
}

}  // namespace shipway
