// How the reader keeps what a Model has no place for, and the writer finds it again.
//
// Two rules make load → save give the same model. What Shipway does not know (fields of newer
// versions, training info, quantisation annotations, device configurations) and strings or numbers
// that are present but say the default are kept as encoded fields in Annotation::unknown_fields.
// What it does know, but could be written in several ways (the field a tensor's elements stood in,
// a dimension with a denotation), is kept in Annotation::other under the keys below and used again
// only while it still means what the Model says: an edited model is written from the Model.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "formats/onnx/tensor.h"
#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway::kept {

/// Of a value, or an attribute of type type_proto: its TypeProto, when unusual. In attributes
/// "type/3" for lists.
inline constexpr std::string_view kType = "type";
/// Of any annotation: the metadata_props entries, when one of them is unusual (a key without a
/// value).
inline constexpr std::string_view kMetadata = "metadata";
/// Of a model or function: the opset_import messages (each with its length), when unusual.
inline constexpr std::string_view kOpsetImports = "opset imports";
/// Of a value: its position in its graph's value_info. Of a graph, with "/<position>": a
/// ValueInfoProto as it was, of a value that nothing makes, or a second one for a value.
inline constexpr std::string_view kValueInfo = "value info";
/// Of a graph, with "/<position>": the ValueInfoProto of an output whose value is described
/// elsewhere too (an input, a value of an outer graph).
inline constexpr std::string_view kOutput = "output";
/// Of an attribute: "absent" when it had no type field, or a type but no value field.
inline constexpr std::string_view kAttributeType = "attribute type";
inline constexpr std::string_view kAttributeValue = "attribute value";
inline constexpr std::string_view kAbsent = "absent";
/// Of initializers and attributes holding tensors: OnnxTensor's data_field, payload, other_fields.
/// Each under a prefix: "" for an initializer, "tensor" or "tensors/3" in an attribute; sparse ones
/// add "/values", "/indices".
inline constexpr std::string_view kDataField = "data field";
inline constexpr std::string_view kPayload = "payload";
inline constexpr std::string_view kOtherFields = "other fields";

inline std::string numbered(std::string_view key, size_t position) {
  return std::string(key) + "/" + std::to_string(position);
}
inline std::string tensor_key(std::string_view prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : std::string(prefix) + ": " + std::string(key);
}

/// The annotation of a thing being read, made only when there is something to keep.
class Keeper {
 public:
  bool has_any() const { return annotation_.has_value(); }
  Annotation& annotation() { return annotation_ ? *annotation_ : annotation_.emplace(); }
  void keep(std::string_view key, std::string value) {
    annotation().other[std::string(key)] = std::move(value);
  }
  void unknown(std::string_view raw_field) { annotation().unknown_fields += raw_field; }
  /// A known field just read: kept as an unknown one too when it is present with the default value.
  /// Of a field that comes several times the last one counts.
  void known(const FieldReader& field) {
    if (field.is_default())
      defaults_[field.number()] = field.raw_text();
    else if (!defaults_.empty())
      defaults_.erase(field.number());
  }
  void doc_string(const FieldReader& field) {
    known(field);
    if (!field.is_default() || annotation_) annotation().doc_string = field.text();
  }
  /// One StringStringEntryProto of metadata_props.
  Status metadata(const FieldReader& field, const std::byte* origin);
  /// What a tensor said besides its elements.
  void tensor(std::string_view prefix, OnnxTensor& tensor);
  std::optional<Annotation> take() {
    for (const auto& [number, field] : defaults_) unknown(field);
    return std::move(annotation_);
  }

 private:
  std::optional<Annotation> annotation_;
  std::map<uint32_t, std::string> defaults_;  // encoded fields by number
};

struct Entry {
  std::pair<std::string, std::string> values;
  bool is_usual = false;  // writing the two values gives the same message
};
Result<Entry> read_entry(Bytes message, const std::byte* origin);
MessageWriter write_entry(std::string_view key, std::string_view value);

/// The kept text under `key`; null when there is none (or no annotation).
const std::string* find(const Annotation* annotation, std::string_view key);

/// The form under which a tensor was kept with `prefix`.
OnnxTensor tensor_form(const Annotation* annotation, std::string_view prefix);

/// Unknown fields, doc string and metadata of any message.
void add_unknown_fields(MessageWriter& message, const Annotation* annotation);
void add_metadata(MessageWriter& message, uint32_t number,
                  const std::vector<std::pair<std::string, std::string>>& metadata,
                  const Annotation* annotation);

}  // namespace shipway::kept
