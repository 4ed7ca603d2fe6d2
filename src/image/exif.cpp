// The one thing that EXIF says and every viewer obeys: which way is up.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/byte_reader.h"
#include "image/codec.h"

namespace shipway {
namespace {

// TIFF 6.0, section 2: byte order, 42, offset of the first directory; a directory is a count of
// 12-byte entries.
Result<int> read_orientation(std::span<const std::byte> tiff) {
  ByteReader reader(tiff);
  SHIPWAY_ASSIGN_OR_RETURN(const uint16_t order, reader.read<uint16_t>());
  const bool big_endian = order == 0x4D4D;  // "MM", else "II"
  if (!big_endian && order != 0x4949) return 1;
  auto read16 = [&] {
    return big_endian ? reader.read_big_endian<uint16_t>() : reader.read<uint16_t>();
  };
  auto read32 = [&] {
    return big_endian ? reader.read_big_endian<uint32_t>() : reader.read<uint32_t>();
  };
  SHIPWAY_ASSIGN_OR_RETURN(const uint16_t magic, read16());
  if (magic != 42) return 1;
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t directory, read32());
  SHIPWAY_RETURN_IF_ERROR(reader.seek(directory));
  SHIPWAY_ASSIGN_OR_RETURN(const uint16_t entries, read16());
  for (int i = 0; i < entries; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const uint16_t tag, read16());
    SHIPWAY_ASSIGN_OR_RETURN(const uint16_t type, read16());
    SHIPWAY_RETURN_IF_ERROR(reader.skip(4));
    SHIPWAY_ASSIGN_OR_RETURN(const uint16_t value, read16());
    SHIPWAY_RETURN_IF_ERROR(reader.skip(2));
    constexpr int kOrientationTag = 0x0112, kShort = 3;
    if (tag == kOrientationTag) return type == kShort && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

template <typename T>
std::vector<T> rearrange(const std::vector<T>& source, int64_t width, int64_t height,
                         int64_t channels, int orientation) {
  const bool swapped = orientation >= 5;
  const int64_t new_width = swapped ? height : width;
  const int64_t new_height = swapped ? width : height;
  std::vector<T> result(source.size());
  T* to = result.data();
  for (int64_t y = 0; y < new_height; ++y) {
    for (int64_t x = 0; x < new_width; ++x) {
      int64_t from_x = swapped ? y : x;
      int64_t from_y = swapped ? x : y;
      // Exif 2.3, table 6: where the stored row 0 and column 0 are on the upright picture.
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        from_x = width - 1 - from_x;
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        from_y = height - 1 - from_y;
      to = std::copy_n(source.data() + (from_y * width + from_x) * channels, channels, to);
    }
  }
  return result;
}

}  // namespace

int exif_orientation(std::span<const std::byte> exif) {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  if (exif.size() >= kPrefix.size() &&
      std::memcmp(exif.data(), kPrefix.data(), kPrefix.size()) == 0)
    exif = exif.subspan(kPrefix.size());
  const auto orientation = read_orientation(exif);
  return orientation.is_ok() ? *orientation : 1;
}

Image apply_orientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  std::visit(
      [&](auto& samples) {
        samples = rearrange(samples, image.width, image.height, image.channels, orientation);
      },
      image.pixels);
  if (orientation >= 5) std::swap(image.width, image.height);
  return image;
}

}  // namespace shipway
