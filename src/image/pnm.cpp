// PBM, PGM and PPM, plain and raw (P1 to P6), by hand. https://netpbm.sourceforge.net/doc/pnm.html
#include <algorithm>
#include <string>

#include "image/codec.h"

namespace shipway {
namespace {

bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

Status ends_early() { return Status::invalid_argument("PNM: the file ends early"); }

/// Numbers in text, between white space and comments from '#' to the end of the line.
class TextReader {
 public:
  explicit TextReader(std::span<const std::byte> bytes)
      : bytes_(as_uint8(bytes.data()), bytes.size()) {}

  Result<int64_t> number() {
    skip_space();
    if (position_ == bytes_.size()) return ends_early();
    int64_t value = 0;
    const size_t start = position_;
    for (; position_ < bytes_.size() && bytes_[position_] >= '0' && bytes_[position_] <= '9';
         ++position_) {
      value = value * 10 + (bytes_[position_] - '0');
      if (value > INT32_MAX)
        return Status::invalid_argument("PNM: a number at offset {} is too large", start);
    }
    if (position_ == start)
      return Status::invalid_argument("PNM: a number is expected at offset {}", position_);
    return value;
  }
  /// One digit of a plain bitmap, where nothing need stand between them.
  Result<int64_t> bit() {
    skip_space();
    if (position_ == bytes_.size()) return ends_early();
    const uint8_t c = bytes_[position_++];
    if (c != '0' && c != '1')
      return Status::invalid_argument("PNM: 0 or 1 is expected at offset {}", position_ - 1);
    return c - '0';
  }
  /// The one white space between the header and raw samples.
  Status separator() {
    if (position_ == bytes_.size()) return ends_early();
    if (!is_space(bytes_[position_++]))
      return Status::invalid_argument("PNM: white space is expected at offset {}", position_ - 1);
    return Status::ok();
  }
  std::span<const uint8_t> rest() const { return bytes_.subspan(position_); }
  void skip(size_t size) { position_ += size; }

 private:
  void skip_space() {
    for (; position_ < bytes_.size(); ++position_) {
      if (bytes_[position_] == '#') {
        while (position_ < bytes_.size() && bytes_[position_] != '\n' && bytes_[position_] != '\r')
          ++position_;
        if (position_ == bytes_.size()) return;
      } else if (!is_space(bytes_[position_])) {
        return;
      }
    }
  }

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
};

struct Header {
  char kind = 0;  // '1' .. '6'
  int64_t width = 0, height = 0, channels = 1;
  int64_t largest = 1;  // the value of white
  bool plain() const { return kind <= '3'; }
  bool bitmap() const { return kind == '1' || kind == '4'; }
};

/// Fills `samples` from `next()`, scaled so that `largest` becomes the most that T holds.
template <typename T, typename Next>
Status fill(std::span<T> samples, const Header& header, const Next& next) {
  constexpr uint64_t kMost = std::numeric_limits<T>::max();
  const auto largest = static_cast<uint64_t>(header.largest);
  for (T& sample : samples) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t value, next());
    const uint64_t clipped = std::min(static_cast<uint64_t>(value), largest);
    sample = static_cast<T>((clipped * kMost + largest / 2) / largest);
  }
  return Status::ok();
}

template <typename T>
Status read_samples(TextReader& reader, const Header& header, std::span<T> samples) {
  if (header.kind == '1') {
    return fill(samples, header, [&]() -> Result<int64_t> {
      SHIPWAY_ASSIGN_OR_RETURN(const int64_t black, reader.bit());
      return 1 - black;
    });
  }
  if (header.plain()) return fill(samples, header, [&] { return reader.number(); });
  const uint8_t* raw = reader.rest().data();
  if (header.kind == '4') {  // eight pixels a byte, rows begin at a byte, 1 is black
    const auto width = static_cast<size_t>(header.width), row_bytes = (width + 7) / 8;
    for (size_t i = 0; i < samples.size(); ++i) {
      const size_t x = i % width;
      samples[i] = (raw[i / width * row_bytes + x / 8] >> (7 - x % 8)) & 1 ? 0 : 255;
    }
    return Status::ok();
  }
  if constexpr (sizeof(T) == 1) {
    if (header.largest == 255) {  // the usual case needs no arithmetic
      std::copy_n(raw, samples.size(), samples.data());
      return Status::ok();
    }
  }
  const bool two_bytes = header.largest > 255;
  return fill(samples, header, [&]() -> Result<int64_t> {
    if (!two_bytes) return *raw++;
    raw += 2;
    return raw[-2] << 8 | raw[-1];
  });
}

}  // namespace

Result<Image> decode_pnm(std::span<const std::byte> bytes, const DecodeOptions& options) {
  TextReader reader(bytes);
  Header header;
  header.kind = static_cast<char>(bytes[1]);  // there: the content was recognised by it
  reader.skip(2);
  SHIPWAY_ASSIGN_OR_RETURN(header.width, reader.number());
  SHIPWAY_ASSIGN_OR_RETURN(header.height, reader.number());
  if (!header.bitmap()) {
    SHIPWAY_ASSIGN_OR_RETURN(header.largest, reader.number());
  }
  if (header.largest < 1 || header.largest > 65535)
    return Status::invalid_argument("PNM: the largest value is {}, expected 1 to 65535",
                                    header.largest);
  header.channels = header.kind == '3' || header.kind == '6' ? 3 : 1;
  SHIPWAY_RETURN_IF_ERROR(check_size(header.width, header.height, options.max_pixels));
  SHIPWAY_RETURN_IF_ERROR(reader.separator());

  // Every sample takes bytes of the file, so a size that the file cannot hold takes no memory.
  const bool deep = header.largest > 255;
  const int64_t row_samples = header.width * header.channels;
  const int64_t row_bytes = header.kind == '4'   ? (row_samples + 7) / 8
                            : header.kind == '1' ? row_samples
                            : header.plain()     ? 2 * row_samples - 1
                            : deep               ? 2 * row_samples
                                                 : row_samples;
  if (static_cast<int64_t>(reader.rest().size()) / row_bytes < header.height) return ends_early();
  SHIPWAY_ASSIGN_OR_RETURN(
      Image image, Image::allocate(header.width, header.height, header.channels,
                                   deep ? SampleDepth::k16 : SampleDepth::k8, options.max_pixels));
  if (deep) {
    SHIPWAY_RETURN_IF_ERROR(read_samples(reader, header, image.mutable_samples<uint16_t>()));
  } else {
    SHIPWAY_RETURN_IF_ERROR(read_samples(reader, header, image.mutable_samples<uint8_t>()));
  }
  return image;
}

Result<std::vector<std::byte>> encode_pnm(const Image& image) {
  if (image.has_alpha())
    return Status::unsupported(
        "PNM holds no alpha: drop it or lay the picture over a colour first");
  const bool deep = image.depth() == SampleDepth::k16;
  const std::string header = std::string(image.channels == 1 ? "P5\n" : "P6\n") +
                             std::to_string(image.width) + " " + std::to_string(image.height) +
                             (deep ? "\n65535\n" : "\n255\n");
  const auto text = std::as_bytes(std::span(header));
  std::vector<std::byte> file(text.begin(), text.end());
  const auto shallow_samples = std::as_bytes(image.samples<uint8_t>());
  file.insert(file.end(), shallow_samples.begin(), shallow_samples.end());
  for (uint16_t sample : image.samples<uint16_t>()) {
    file.push_back(static_cast<std::byte>(sample >> 8));
    file.push_back(static_cast<std::byte>(sample & 0xFF));
  }
  return file;
}

}  // namespace shipway
