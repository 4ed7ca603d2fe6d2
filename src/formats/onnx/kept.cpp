#include "formats/onnx/kept.h"

#include "formats/onnx/fields.h"

namespace shipway::kept {

namespace entry_field = onnx_fields::entry;

Result<Entry> read_entry(Bytes message, const std::byte* origin) {
  Entry entry;
  FieldReader fields(message, origin);
  while (fields.next()) {
    if (fields.key() == bytes_field(entry_field::kKey)) entry.values.first = fields.text();
    if (fields.key() == bytes_field(entry_field::kValue)) entry.values.second = fields.text();
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  entry.is_usual =
      write_entry(entry.values.first, entry.values.second).to_string() == as_text(message);
  return entry;
}

MessageWriter write_entry(std::string_view key, std::string_view value) {
  MessageWriter message;
  message.add_text(entry_field::kKey, key);
  message.add_text(entry_field::kValue, value);
  return message;
}

Status Keeper::metadata(const FieldReader& field, const std::byte* origin) {
  SHIPWAY_ASSIGN_OR_RETURN(Entry entry, read_entry(field.bytes(), origin));
  Annotation& kept = annotation();
  std::string* raw = nullptr;
  if (const auto found = kept.other.find(std::string(kMetadata)); found != kept.other.end())
    raw = &found->second;
  if (!entry.is_usual && !raw) {
    raw = &kept.other[std::string(kMetadata)];
    MessageWriter before;
    for (const auto& [key, value] : kept.metadata)
      before.add_message(field.number(), write_entry(key, value));
    *raw = before.to_string();
  }
  if (raw) *raw += field.raw_text();
  kept.metadata.push_back(std::move(entry.values));
  return Status::ok();
}

void Keeper::tensor(std::string_view prefix, OnnxTensor& tensor) {
  if (!tensor.data_field.empty())
    keep(tensor_key(prefix, kDataField), std::move(tensor.data_field));
  if (!tensor.payload.empty()) keep(tensor_key(prefix, kPayload), std::move(tensor.payload));
  if (!tensor.other_fields.empty())
    keep(tensor_key(prefix, kOtherFields), std::move(tensor.other_fields));
}

const std::string* find(const Annotation* annotation, std::string_view key) {
  if (!annotation || annotation->other.empty()) return nullptr;
  const auto found = annotation->other.find(std::string(key));
  return found == annotation->other.end() ? nullptr : &found->second;
}

OnnxTensor tensor_form(const Annotation* annotation, std::string_view prefix) {
  OnnxTensor form;
  if (const auto* text = find(annotation, tensor_key(prefix, kDataField))) form.data_field = *text;
  if (const auto* text = find(annotation, tensor_key(prefix, kPayload))) form.payload = *text;
  if (const auto* text = find(annotation, tensor_key(prefix, kOtherFields)))
    form.other_fields = *text;
  return form;
}

void add_unknown_fields(MessageWriter& message, const Annotation* annotation) {
  if (annotation) message.append_raw(annotation->unknown_fields);
}

void add_metadata(MessageWriter& message, uint32_t number,
                  const std::vector<std::pair<std::string, std::string>>& metadata,
                  const Annotation* annotation) {
  if (const std::string* raw = find(annotation, kMetadata)) {
    std::vector<std::pair<std::string, std::string>> meaning;
    FieldReader fields(as_bytes(*raw));
    while (fields.next())
      if (auto entry = read_entry(fields.bytes(), nullptr); entry.is_ok())
        meaning.push_back(entry->values);
    if (meaning == metadata) return message.append_raw(*raw);
  }
  for (const auto& [key, value] : metadata) message.add_message(number, write_entry(key, value));
}

}  // namespace shipway::kept
