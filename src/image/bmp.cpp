// BMP by hand: headers of Windows and OS/2, 1 to 32 bits, palettes, bit fields, run lengths.
// https://learn.microsoft.com/windows/win32/gdi/bitmap-storage and MS-WMF 2.2.2.3 (v4 and v5
// headers).
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "base/byte_reader.h"
#include "image/codec.h"

namespace shipway {
namespace {

constexpr uint32_t kFileHeaderSize = 14, kCoreHeaderSize = 12, kInfoHeaderSize = 40,
                   kOs2HeaderSize = 64;
enum Compression : uint32_t {
  kNone = 0,
  kRunLength8 = 1,
  kRunLength4 = 2,
  kBitFields = 3,
  kAlphaBitFields = 6
};

struct Header {
  uint32_t pixel_offset = 0;
  int64_t width = 0, height = 0;
  bool top_down = false;
  int bits = 0;  // of a pixel
  uint32_t compression = kNone;
  std::array<uint32_t, 4> masks{};  // red, green, blue, alpha
  std::array<std::array<uint8_t, 3>, 256> palette{};
  bool grey_palette = true;
};

Status read_palette(ByteReader& reader, uint32_t colors, size_t entry_size, Header& header) {
  const uint32_t most = 1u << header.bits;
  if (colors == 0 || colors > most) colors = most;
  for (uint32_t i = 0; i < colors; ++i) {
    // A palette cut short by the pixels is common; the colours missing stay black.
    if (reader.position() + entry_size > std::max(header.pixel_offset, kFileHeaderSize)) break;
    SHIPWAY_ASSIGN_OR_RETURN(const auto entry, reader.bytes(entry_size));
    const uint8_t* bgr = as_uint8(entry.data());
    header.palette[i] = {bgr[2], bgr[1], bgr[0]};
    header.grey_palette = header.grey_palette && bgr[0] == bgr[1] && bgr[1] == bgr[2];
  }
  return Status::ok();
}

Status check_header(const Header& header, uint32_t header_size) {
  switch (header.compression) {
    case kNone:
      if (header.bits == 1 || header.bits == 2 || header.bits == 4 || header.bits == 8 ||
          header.bits == 16 || header.bits == 24 || header.bits == 32)
        return Status::ok();
      break;
    case kRunLength8:
      if (header.bits == 8) return Status::ok();
      break;
    case kRunLength4:
      if (header.bits == 4) return Status::ok();
      break;
    case kBitFields:
    case kAlphaBitFields:
      if (header_size == kOs2HeaderSize) break;  // means fax compression there
      if (header.bits == 16 || header.bits == 32) return Status::ok();
      break;
    default:
      break;
  }
  return Status::unsupported("BMP: {} bits a pixel with compression {}", header.bits,
                             header.compression);
}

Result<Header> read_header(ByteReader& reader) {
  Header header;
  SHIPWAY_RETURN_IF_ERROR(reader.skip(10));  // "BM", size of the file (often wrong), reserved
  SHIPWAY_ASSIGN_OR_RETURN(header.pixel_offset, reader.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t header_size, reader.read<uint32_t>());
  if (header_size == kCoreHeaderSize) {
    SHIPWAY_ASSIGN_OR_RETURN(header.width, reader.read<uint16_t>());
    SHIPWAY_ASSIGN_OR_RETURN(header.height, reader.read<uint16_t>());
    SHIPWAY_RETURN_IF_ERROR(reader.skip(2));  // planes
    SHIPWAY_ASSIGN_OR_RETURN(header.bits, reader.read<uint16_t>());
    SHIPWAY_RETURN_IF_ERROR(check_header(header, header_size));
    if (header.bits <= 8) SHIPWAY_RETURN_IF_ERROR(read_palette(reader, 0, 3, header));
    return header;
  }
  if (header_size < kInfoHeaderSize || header_size > 1024)
    return Status::unsupported("BMP: a header of {} bytes", header_size);
  SHIPWAY_ASSIGN_OR_RETURN(header.width, reader.read<int32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(header.height, reader.read<int32_t>());
  header.top_down = header.height < 0;
  header.height = std::abs(header.height);
  SHIPWAY_RETURN_IF_ERROR(reader.skip(2));
  SHIPWAY_ASSIGN_OR_RETURN(header.bits, reader.read<uint16_t>());
  SHIPWAY_ASSIGN_OR_RETURN(header.compression, reader.read<uint32_t>());
  SHIPWAY_RETURN_IF_ERROR(reader.skip(12));  // size of the pixels, resolution
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t colors, reader.read<uint32_t>());
  SHIPWAY_RETURN_IF_ERROR(reader.skip(4));
  SHIPWAY_RETURN_IF_ERROR(check_header(header, header_size));

  size_t end = kFileHeaderSize + header_size;
  if (header.compression == kBitFields || header.compression == kAlphaBitFields) {
    // The masks are part of larger headers, and follow the smallest one.
    const bool alpha = header_size >= 56 || header.compression == kAlphaBitFields;
    for (size_t i = 0; i < (alpha ? 4u : 3u); ++i) {
      SHIPWAY_ASSIGN_OR_RETURN(header.masks[i], reader.read<uint32_t>());
    }
    end = std::max(end, reader.position());
  } else if (header.bits == 16) {
    header.masks = {0x7C00, 0x03E0, 0x001F, 0};
  } else {
    header.masks = {0xFF0000, 0xFF00, 0xFF, 0};
  }
  for (uint32_t mask : header.masks) {
    const uint32_t ones = mask == 0 ? 0 : mask >> std::countr_zero(mask);
    if ((ones & (ones + 1)) != 0)
      return Status::invalid_argument("BMP: a colour mask with gaps ({})", mask);
  }
  SHIPWAY_RETURN_IF_ERROR(reader.seek(end));
  if (header.bits <= 8) SHIPWAY_RETURN_IF_ERROR(read_palette(reader, colors, 4, header));
  return header;
}

/// The bits of `pixel` under `mask`, scaled to 0..255.
uint8_t field(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const uint64_t most = mask >> shift, value = (pixel & mask) >> shift;
  return static_cast<uint8_t>((value * 255 + most / 2) / most);
}

/// One palette index a byte, from rows of 1, 2, 4 or 8 bits a pixel.
void unpack_indices(const uint8_t* row, int bits, std::span<uint8_t> indices) {
  const size_t per_byte = 8u / static_cast<unsigned>(bits);
  for (size_t x = 0; x < indices.size(); ++x) {
    const size_t shift = 8 - static_cast<size_t>(bits) * (x % per_byte + 1);
    indices[x] = static_cast<uint8_t>((row[x / per_byte] >> shift) & ((1u << bits) - 1));
  }
}

/// Run lengths of 8 or 4 bits into one index a byte, stored row by row; what runs skip stays 0.
Status unpack_run_lengths(ByteReader& reader, const Header& header, std::span<uint8_t> indices) {
  int64_t x = 0, y = 0;
  auto put = [&](unsigned index) {
    if (x < header.width && y < header.height)
      indices[static_cast<size_t>(y * header.width + x)] = static_cast<uint8_t>(index);
    ++x;
  };
  const bool nibbles = header.compression == kRunLength4;
  while (y < header.height) {
    if (reader.at_end() && y == header.height - 1 && x >= header.width)
      return Status::ok();  // no end mark
    SHIPWAY_ASSIGN_OR_RETURN(const uint8_t count, reader.read<uint8_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const uint8_t value, reader.read<uint8_t>());
    if (count > 0) {
      for (int i = 0; i < count; ++i) put(nibbles ? (i % 2 == 0 ? value >> 4 : value & 15) : value);
    } else if (value == 0) {  // end of the row
      x = 0;
      ++y;
    } else if (value == 1) {  // end of the picture
      return Status::ok();
    } else if (value == 2) {  // a step to the right and down
      SHIPWAY_ASSIGN_OR_RETURN(const uint8_t right, reader.read<uint8_t>());
      SHIPWAY_ASSIGN_OR_RETURN(const uint8_t down, reader.read<uint8_t>());
      x += right;
      y += down;
    } else {  // pixels as they are, padded to an even number of bytes
      const size_t size = nibbles ? (value + 1u) / 2 : value;
      SHIPWAY_ASSIGN_OR_RETURN(const auto raw, reader.bytes(size));
      const uint8_t* bytes = as_uint8(raw.data());
      for (unsigned i = 0; i < value; ++i)
        put(nibbles ? (i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15) : bytes[i]);
      SHIPWAY_RETURN_IF_ERROR(reader.skip(size % 2));
    }
  }
  return Status::ok();
}

void write_indexed_row(const Header& header, std::span<const uint8_t> indices, uint8_t* to) {
  for (uint8_t index : indices) {
    const auto& color = header.palette[index];
    if (header.grey_palette) {
      *to++ = color[0];
    } else {
      to = std::copy(color.begin(), color.end(), to);
    }
  }
}

void write_color_row(const Header& header, const uint8_t* row, bool alpha, uint8_t* to) {
  const int bytes = header.bits / 8;
  for (int64_t x = 0; x < header.width; ++x, row += bytes) {
    uint32_t pixel = 0;
    for (int i = 0; i < bytes; ++i) pixel |= uint32_t{row[i]} << (8 * i);
    for (size_t channel = 0; channel < (alpha ? 4u : 3u); ++channel)
      *to++ = field(pixel, header.masks[channel]);
  }
}

template <typename T>
void append(std::vector<std::byte>& file, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    file.push_back(static_cast<std::byte>((static_cast<uint64_t>(value) >> (8 * i)) & 0xFF));
}

}  // namespace

Result<Image> decode_bmp(std::span<const std::byte> bytes, const DecodeOptions& options) {
  ByteReader reader(bytes);
  SHIPWAY_ASSIGN_OR_RETURN(const Header header, read_header(reader));
  SHIPWAY_RETURN_IF_ERROR(check_size(header.width, header.height, options.max_pixels));
  SHIPWAY_RETURN_IF_ERROR(reader.seek(header.pixel_offset));
  const bool run_lengths = header.compression == kRunLength8 || header.compression == kRunLength4;
  // max_pixels is a caller's number: sizes below 2^31 a side keep these products within 64 bits.
  const int64_t row_bytes = (header.width * header.bits + 7) / 8;
  const int64_t stride = (row_bytes + 3) / 4 * 4;
  if (!run_lengths) {  // the padding of the last row may be missing
    const auto available = static_cast<int64_t>(reader.remaining());
    if (row_bytes > available || header.height - 1 > (available - row_bytes) / stride)
      return Status::invalid_argument(
          "BMP: the file ends early: {} rows of {} bytes expected, {} bytes left", header.height,
          stride, available);
  }
  const bool indexed = header.bits <= 8;
  const bool alpha = !indexed && header.masks[3] != 0;
  const int64_t channels = indexed && header.grey_palette ? 1 : alpha ? 4 : 3;
  SHIPWAY_ASSIGN_OR_RETURN(Image image, Image::allocate(header.width, header.height, channels,
                                                        SampleDepth::k8, options.max_pixels));
  const auto width = static_cast<size_t>(header.width);
  std::vector<uint8_t> indices(run_lengths ? width * static_cast<size_t>(header.height)
                               : indexed   ? width
                                           : 0);
  if (run_lengths) SHIPWAY_RETURN_IF_ERROR(unpack_run_lengths(reader, header, indices));

  const uint8_t* pixels = as_uint8(bytes.data()) + reader.position();
  uint8_t* samples = image.mutable_samples<uint8_t>().data();
  for (int64_t y = 0; y < header.height; ++y) {
    uint8_t* to = samples + (header.top_down ? y : header.height - 1 - y) * header.width * channels;
    if (run_lengths) {
      write_indexed_row(header, std::span(indices).subspan(static_cast<size_t>(y) * width, width),
                        to);
    } else if (indexed) {
      unpack_indices(pixels + y * stride, header.bits, indices);
      write_indexed_row(header, indices, to);
    } else {
      write_color_row(header, pixels + y * stride, alpha, to);
    }
  }
  return image;
}

Result<std::vector<std::byte>> encode_bmp(const Image& image) {
  constexpr uint32_t kV4HeaderSize = 108;
  const int64_t row_bytes = image.width * image.channels;
  const int64_t stride = (row_bytes + 3) / 4 * 4;
  const uint32_t header_size = image.has_alpha() ? kV4HeaderSize : kInfoHeaderSize;
  const uint32_t colors = image.channels == 1 ? 256 : 0;
  const uint32_t pixel_offset = kFileHeaderSize + header_size + colors * 4;
  if (image.width > INT32_MAX / 4 || image.height > (INT32_MAX - pixel_offset) / stride)
    return Status::unsupported("BMP: {} x {} pixels do not fit into 2 GB", image.width,
                               image.height);

  std::vector<std::byte> file;
  file.reserve(static_cast<size_t>(pixel_offset + stride * image.height));
  file.push_back(std::byte{'B'});
  file.push_back(std::byte{'M'});
  append(file, static_cast<uint32_t>(pixel_offset + stride * image.height));
  append(file, uint32_t{0});
  append(file, pixel_offset);
  append(file, header_size);
  append(file, static_cast<uint32_t>(image.width));
  append(file, static_cast<uint32_t>(image.height));
  append(file, uint16_t{1});  // planes
  append(file, static_cast<uint16_t>(image.channels * 8));
  append(file, static_cast<uint32_t>(image.has_alpha() ? kBitFields : kNone));
  append(file, static_cast<uint32_t>(stride * image.height));
  append(file, uint32_t{2835});  // 72 dots per inch, in dots per metre
  append(file, uint32_t{2835});
  append(file, colors);
  append(file, uint32_t{0});
  if (image.has_alpha()) {
    for (uint32_t mask : {0x00FF0000u, 0x0000FF00u, 0x000000FFu, 0xFF000000u}) append(file, mask);
    append(file, uint32_t{0x73524742});  // "sRGB"
    file.resize(kFileHeaderSize + header_size);
  }
  for (uint32_t grey = 0; grey < colors; ++grey) append(file, grey * 0x010101u);
  const uint8_t* samples = image.samples<uint8_t>().data();
  for (int64_t y = image.height - 1; y >= 0; --y) {
    const uint8_t* pixel = samples + y * row_bytes;
    for (int64_t x = 0; x < image.width; ++x, pixel += image.channels) {
      if (image.channels == 1) {
        file.push_back(std::byte{pixel[0]});
        continue;
      }
      for (int channel : {2, 1, 0}) file.push_back(std::byte{pixel[channel]});
      if (image.has_alpha()) file.push_back(std::byte{pixel[3]});
    }
    file.resize(file.size() + static_cast<size_t>(stride - row_bytes));
  }
  return file;
}

}  // namespace shipway
