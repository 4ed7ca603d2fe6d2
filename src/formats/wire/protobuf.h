// Protobuf's wire format: a bounded pull reader and a writer that keeps big payloads by reference.
// https://protobuf.dev/programming-guides/encoding/
//
// protozero's pbf_reader was the plan and is what the tests write with. It keeps lengths in 32
// bits, reports errors as exceptions without a position and leaves wire types to asserts, so files
// of strangers go through this one instead.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shipway/status.h"

namespace shipway {

using Bytes = std::span<const std::byte>;

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// A field's number and wire type in one number, as on the wire: the cases of a switch. A known
/// number with an unexpected wire type thus falls among the unknown fields, as in protobuf itself.
constexpr uint32_t varint_field(uint32_t number) { return number << 3; }
constexpr uint32_t fixed64_field(uint32_t number) { return number << 3 | 1; }
constexpr uint32_t bytes_field(uint32_t number) { return number << 3 | 2; }
constexpr uint32_t fixed32_field(uint32_t number) { return number << 3 | 5; }

/// Steps over the fields of one message:
///
///     FieldReader field(message, file.data());
///     while (field.next()) {
///       switch (field.key()) {
///         case bytes_field(3): name = field.text(); break;
///         default: unknown.append(field.raw_text());
///       }
///     }
///     SHIPWAY_RETURN_IF_ERROR(field.status());
///
/// Nothing outside the message is touched whatever lengths it claims. Views live as long as the
/// message. Errors give positions counted from `origin`.
class FieldReader {
 public:
  explicit FieldReader(Bytes message, const std::byte* origin = nullptr)
      : position_(message.data()),
        end_(message.data() + message.size()),
        origin_(origin ? origin : message.data()) {}

  /// Goes to the next field; false at the end and on an error (see status()).
  bool next() {
    if (position_ == end_ || !status_.is_ok()) return false;
    start_ = position_;
    uint64_t key = 0;
    if (!read_varint(key)) return fail("has a malformed field key");
    if (key >> 3 == 0 || key >> 32 != 0) return fail("has an impossible field number");
    key_ = static_cast<uint32_t>(key);
    switch (key_ & 7) {
      case 0:
        return read_varint(number_) || fail("has a malformed or cut-off varint");
      case 1:
        return take_fixed(8);
      case 5:
        return take_fixed(4);
      case 2: {
        uint64_t length = 0;
        if (!read_varint(length)) return fail("has a malformed length");
        if (length > static_cast<uint64_t>(end_ - position_)) return fail_too_long(length);
        bytes_ = {position_, static_cast<size_t>(length)};
        position_ += length;
        return true;
      }
      default:
        return fail("has a wire type that protobuf 2 and 3 files do not use");
    }
  }
  const Status& status() const { return status_; }

  uint32_t key() const { return key_; }
  uint32_t number() const { return key_ >> 3; }
  /// The value of a varint field.
  int64_t integer() const { return static_cast<int64_t>(number_); }
  uint64_t unsigned_integer() const { return number_; }
  /// The payload of any other field.
  Bytes bytes() const { return bytes_; }
  std::string_view text() const { return as_text(bytes_); }
  float float32() const { return load<float>(bytes_.data()); }
  double float64() const { return load<double>(bytes_.data()); }
  /// The whole field, key included.
  std::string_view raw_text() const {
    return {reinterpret_cast<const char*>(start_), static_cast<size_t>(position_ - start_)};
  }
  /// True for a string, bytes or message without content, and for the number zero: present, but
  /// saying the default.
  bool is_default() const {
    return (key_ & 7) == 2 ? bytes_.empty() : (key_ & 7) == 0 && number_ == 0;
  }
  size_t offset() const { return static_cast<size_t>(start_ - origin_); }

  /// Appends the number(s) of a repeated varint field, packed (bytes) or single.
  template <typename T>
  Status append_integers(std::vector<T>& to) {
    if ((key_ & 7) == 0) {
      to.push_back(static_cast<T>(number_));
      return Status::ok();
    }
    FieldReader packed(bytes_, origin_);
    packed.start_ = start_;
    packed.key_ = key_;
    while (packed.position_ != packed.end_) {
      uint64_t value = 0;
      if (!packed.read_varint(value)) {
        packed.fail("has a malformed or cut-off varint");
        return packed.status_;
      }
      to.push_back(static_cast<T>(value));
    }
    return Status::ok();
  }
  /// The same for float and double, which are fixed32 and fixed64.
  template <typename T>
  Status append_floats(std::vector<T>& to) {
    if (bytes_.size() % sizeof(T) != 0) {
      fail("has a length that is no multiple of its element's");
      return status_;
    }
    const size_t before = to.size();
    to.resize(before + bytes_.size() / sizeof(T));
    if (!bytes_.empty()) std::memcpy(to.data() + before, bytes_.data(), bytes_.size());
    return Status::ok();
  }

 private:
  template <typename T>
  static T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  bool read_varint(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && position_ != end_; shift += 7) {
      const auto byte = std::to_integer<uint64_t>(*position_++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool take_fixed(size_t size) {
    if (size > static_cast<size_t>(end_ - position_)) return fail_too_long(size);
    bytes_ = {position_, size};
    position_ += size;
    return true;
  }
  bool fail(std::string_view what);
  bool fail_too_long(uint64_t length);

  const std::byte* position_;
  const std::byte* end_;
  const std::byte* origin_;
  const std::byte* start_ = nullptr;
  uint32_t key_ = 0;
  uint64_t number_ = 0;
  Bytes bytes_;
  Status status_;
};

/// A message being written. Payloads given by `add_borrowed` are not copied: they must live until
/// the message has been consumed.
class MessageWriter {
 public:
  void add_integer(uint32_t number, int64_t value) {
    add_unsigned(number, static_cast<uint64_t>(value));
  }
  void add_unsigned(uint32_t number, uint64_t value) {
    append_varint(varint_field(number));
    append_varint(value);
  }
  void add_float32(uint32_t number, float value) {
    append_varint(fixed32_field(number));
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void add_text(uint32_t number, std::string_view text) {
    append_varint(bytes_field(number));
    append_varint(text.size());
    bytes_ += text;
  }
  /// As add_text, but nothing when empty.
  void add_text_if_any(uint32_t number, std::string_view text) {
    if (!text.empty()) add_text(number, text);
  }
  void add_borrowed(uint32_t number, Bytes payload);
  void add_message(uint32_t number, MessageWriter&& message);
  /// Integers in packed form.
  template <typename T>
  void add_packed(uint32_t number, const std::vector<T>& values) {
    MessageWriter packed;
    for (T value : values) packed.append_varint(static_cast<uint64_t>(static_cast<int64_t>(value)));
    add_message(number, std::move(packed));
  }
  /// Fields that are already encoded.
  void append_raw(std::string_view fields) { bytes_ += fields; }

  uint64_t size() const { return bytes_.size() + borrowed_bytes_; }
  /// All bytes, in order, as views of this message and the borrowed payloads.
  std::vector<Bytes> pieces() const;
  std::string to_string() const;

 private:
  void append_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  struct Borrowed {
    size_t position;  // in bytes_, before which the payload stands
    Bytes payload;
  };
  std::string bytes_;
  std::vector<Borrowed> borrowed_;
  uint64_t borrowed_bytes_ = 0;
};

}  // namespace shipway
