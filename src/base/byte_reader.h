// A bounded pull reader over bytes that a stranger wrote.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "shipway/status.h"

namespace shipway {

/// Reads numbers and runs of bytes from front to back. Whatever a file claims, nothing outside the
/// span is touched: a length is compared with what is left, by subtraction. A failed read moves
/// nothing. The reader borrows the bytes; views it returns live as long as they do.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// The next number, little-endian.
  template <typename T>
  requires std::is_arithmetic_v<T> Result<T> read() { return read_number<T>(std::endian::little); }

  /// The next number, most significant byte first.
  template <typename T>
  requires std::is_arithmetic_v<T> Result<T> read_big_endian() {
    return read_number<T>(std::endian::big);
  }

  /// The next `size` bytes, not copied.
  Result<std::span<const std::byte>> bytes(size_t size) {
    if (size > remaining()) return ends_early(size);
    const auto view = bytes_.subspan(position_, size);
    position_ += size;
    return view;
  }

  Status skip(size_t size) {
    if (size > remaining()) return ends_early(size);
    position_ += size;
    return Status::ok();
  }

  /// Continues at `position`, counted from the first byte; the end itself is allowed.
  Status seek(size_t position) {
    if (position > bytes_.size())
      return Status::invalid_model("offset {} lies beyond the end ({} bytes)", position,
                                   bytes_.size());
    position_ = position;
    return Status::ok();
  }

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return position_ == bytes_.size(); }

 private:
  template <typename T>
  Result<T> read_number(std::endian order) {
    static_assert(!std::same_as<T, bool>, "a byte of a file may be neither true nor false");
    static_assert(std::endian::native == std::endian::little,
                  "Shipway runs on little-endian machines");
    if (sizeof(T) > remaining()) return ends_early(sizeof(T));
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes_.data() + position_, sizeof(T));
    if (order == std::endian::big)
      for (size_t i = 0; i < sizeof(T) / 2; ++i) std::swap(raw[i], raw[sizeof(T) - 1 - i]);
    position_ += sizeof(T);
    return std::bit_cast<T>(raw);
  }

  Status ends_early(size_t wanted) const {
    return Status::invalid_model("ends early: {} bytes wanted at offset {}, {} left", wanted,
                                 position_, remaining());
  }

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace shipway
