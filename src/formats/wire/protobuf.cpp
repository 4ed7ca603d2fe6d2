#include "formats/wire/protobuf.h"

namespace shipway {

bool FieldReader::fail(std::string_view what) {
  status_ = Status::invalid_model("field {} at byte {} {}", key_ >> 3, offset(), what);
  return false;
}

bool FieldReader::fail_too_long(uint64_t length) {
  status_ =
      Status::invalid_model("field {} at byte {} is cut off: {} bytes wanted, {} left", key_ >> 3,
                            offset(), length, static_cast<uint64_t>(end_ - position_));
  return false;
}

void MessageWriter::add_borrowed(uint32_t number, Bytes payload) {
  constexpr size_t kCopiedBelow = 4096;  // a list entry would cost more than the copy
  if (payload.size() < kCopiedBelow) return add_text(number, as_text(payload));
  append_varint(bytes_field(number));
  append_varint(payload.size());
  borrowed_.push_back({bytes_.size(), payload});
  borrowed_bytes_ += payload.size();
}

void MessageWriter::add_message(uint32_t number, MessageWriter&& message) {
  append_varint(bytes_field(number));
  append_varint(message.size());
  for (const Borrowed& borrowed : message.borrowed_)
    borrowed_.push_back({borrowed.position + bytes_.size(), borrowed.payload});
  bytes_ += message.bytes_;
  borrowed_bytes_ += message.borrowed_bytes_;
}

std::vector<Bytes> MessageWriter::pieces() const {
  std::vector<Bytes> pieces;
  const Bytes own = as_bytes(bytes_);
  size_t written = 0;
  for (const Borrowed& borrowed : borrowed_) {
    pieces.push_back(own.subspan(written, borrowed.position - written));
    pieces.push_back(borrowed.payload);
    written = borrowed.position;
  }
  pieces.push_back(own.subspan(written));
  return pieces;
}

std::string MessageWriter::to_string() const {
  std::string text;
  text.reserve(size());
  for (Bytes piece : pieces()) text += as_text(piece);
  return text;
}

}  // namespace shipway
