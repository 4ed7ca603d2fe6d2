#include "formats/onnx/value_proto.h"

#include "formats/onnx/fields.h"
#include "formats/onnx/tensor.h"

namespace shipway {
namespace {

namespace sequence_field = onnx_fields::sequence_value;
namespace optional_field = onnx_fields::optional_value;
namespace map_field = onnx_fields::map_value;
namespace sparse_field = onnx_fields::sparse_tensor;

constexpr int kMaxDepth = 100;

// SequenceProto.DataType and OptionalProto.DataType.
enum ElementKind : int64_t {
  kNothing = 0,
  kTensorKind = 1,
  kSparseKind = 2,
  kSequenceKind = 3,
  kMapKind = 4,
  kOptionalKind = 5
};

enum class Message : uint8_t { kTensor, kSparse, kSequence, kMap, kOptional };

Result<RuntimeValue> read(Bytes message, Message kind, const std::byte* origin, int depth);

Result<RuntimeValue> read_sparse(Bytes message, const std::byte* origin) {
  SparseTensor sparse;
  std::vector<int64_t> dims;
  FieldReader fields(message, origin);
  while (fields.next()) {
    const TensorSource source{origin, nullptr, nullptr};
    if (fields.key() == bytes_field(sparse_field::kValues)) {
      SHIPWAY_ASSIGN_OR_RETURN(OnnxTensor tensor, read_onnx_tensor(fields.bytes(), source));
      sparse.values = std::move(tensor.tensor);
    } else if (fields.key() == bytes_field(sparse_field::kIndices)) {
      SHIPWAY_ASSIGN_OR_RETURN(OnnxTensor tensor, read_onnx_tensor(fields.bytes(), source));
      sparse.indices = std::move(tensor.tensor);
    } else if (fields.number() == sparse_field::kDims &&
               ((fields.key() & 7) == 0 || (fields.key() & 7) == 2)) {
      SHIPWAY_RETURN_IF_ERROR(fields.append_integers(dims));
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  sparse.shape = Shape(std::span<const int64_t>(dims));
  return RuntimeValue(std::move(sparse));
}

Result<RuntimeValue> read_sequence(Bytes message, const std::byte* origin, int depth) {
  Sequence sequence;
  FieldReader fields(message, origin);
  while (fields.next()) {
    Message kind;
    switch (fields.key()) {
      case bytes_field(sequence_field::kTensors):
        kind = Message::kTensor;
        break;
      case bytes_field(sequence_field::kSparseTensors):
        kind = Message::kSparse;
        break;
      case bytes_field(sequence_field::kSequences):
        kind = Message::kSequence;
        break;
      case bytes_field(sequence_field::kMaps):
        kind = Message::kMap;
        break;
      case bytes_field(sequence_field::kOptionals):
        kind = Message::kOptional;
        break;
      default:
        continue;
    }
    SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue element, read(fields.bytes(), kind, origin, depth + 1));
    sequence.push_back(std::move(element));
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return RuntimeValue(std::move(sequence));
}

Result<RuntimeValue> read_optional(Bytes message, const std::byte* origin, int depth) {
  RuntimeValue value;
  FieldReader fields(message, origin);
  while (fields.next()) {
    Message kind;
    switch (fields.key()) {
      case bytes_field(optional_field::kTensor):
        kind = Message::kTensor;
        break;
      case bytes_field(optional_field::kSparseTensor):
        kind = Message::kSparse;
        break;
      case bytes_field(optional_field::kSequence):
        kind = Message::kSequence;
        break;
      case bytes_field(optional_field::kMap):
        kind = Message::kMap;
        break;
      case bytes_field(optional_field::kOptional):
        kind = Message::kOptional;
        break;
      default:
        continue;
    }
    SHIPWAY_ASSIGN_OR_RETURN(value, read(fields.bytes(), kind, origin, depth + 1));
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return value;
}

template <typename Key>
Result<RuntimeValue> zip_map(const std::vector<Key>& keys, Sequence values) {
  if (keys.size() != values.size())
    return Status::invalid_model("a map has {} keys and {} values", keys.size(), values.size());
  std::map<Key, RuntimeValue> entries;
  for (size_t i = 0; i < keys.size(); ++i) entries.insert_or_assign(keys[i], std::move(values[i]));
  return RuntimeValue(Map{std::move(entries)});
}

Result<RuntimeValue> read_map(Bytes message, const std::byte* origin, int depth) {
  int64_t key_type = 0;
  std::vector<int64_t> keys;
  std::vector<std::string> string_keys;
  Sequence values;
  FieldReader fields(message, origin);
  while (fields.next()) {
    switch (fields.key()) {
      case varint_field(map_field::kKeyType):
        key_type = fields.integer();
        break;
      case varint_field(map_field::kKeys):
      case bytes_field(map_field::kKeys):
        SHIPWAY_RETURN_IF_ERROR(fields.append_integers(keys));
        break;
      case bytes_field(map_field::kStringKeys):
        string_keys.emplace_back(fields.text());
        break;
      case bytes_field(map_field::kValues): {
        SHIPWAY_ASSIGN_OR_RETURN(const RuntimeValue read_values,
                                 read_sequence(fields.bytes(), origin, depth + 1));
        values = *read_values.sequence();
        break;
      }
      default:
        break;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  if (key_type == static_cast<int64_t>(DType::kString))
    return zip_map(string_keys, std::move(values));
  return zip_map(keys, std::move(values));
}

Result<RuntimeValue> read(Bytes message, Message kind, const std::byte* origin, int depth) {
  if (depth > kMaxDepth) return Status::limit("a value is nested deeper than {} levels", kMaxDepth);
  switch (kind) {
    case Message::kTensor: {
      SHIPWAY_ASSIGN_OR_RETURN(OnnxTensor tensor,
                               read_onnx_tensor(message, {origin, nullptr, nullptr}));
      return RuntimeValue(std::move(tensor.tensor));
    }
    case Message::kSparse:
      return read_sparse(message, origin);
    case Message::kSequence:
      return read_sequence(message, origin, depth);
    case Message::kMap:
      return read_map(message, origin, depth);
    case Message::kOptional:
      return read_optional(message, origin, depth);
  }
  return Status::internal("unknown kind of value");
}

Message message_of(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kSparseTensor:
      return Message::kSparse;
    case TypeKind::kSequence:
      return Message::kSequence;
    case TypeKind::kMap:
      return Message::kMap;
    case TypeKind::kOptional:
      return Message::kOptional;
    default:
      return Message::kTensor;
  }
}

Message message_of(const RuntimeValue& value) {
  if (value.sparse()) return Message::kSparse;
  if (value.sequence()) return Message::kSequence;
  if (value.map()) return Message::kMap;
  return value.is_absent() ? Message::kOptional : Message::kTensor;
}

Result<MessageWriter> write(const RuntimeValue& value, Message kind, std::string_view name,
                            int depth);

ElementKind element_kind(const RuntimeValue& value) {
  if (value.sparse()) return kSparseKind;
  if (value.sequence()) return kSequenceKind;
  if (value.map()) return kMapKind;
  return value.is_absent() ? kOptionalKind : kTensorKind;
}

Result<MessageWriter> write_sequence(const Sequence& sequence, std::string_view name, int depth) {
  MessageWriter message;
  message.add_text_if_any(sequence_field::kName, name);
  const ElementKind kind = sequence.empty() ? kTensorKind : element_kind(sequence.front());
  message.add_integer(sequence_field::kElemType, kind);
  for (const RuntimeValue& element : sequence) {
    if (element_kind(element) != kind)
      return Status::unsupported("a sequence of different kinds of values cannot be written");
    SHIPWAY_ASSIGN_OR_RETURN(MessageWriter inner,
                             write(element, message_of(element), "", depth + 1));
    message.add_message(sequence_field::kElemType + static_cast<uint32_t>(kind), std::move(inner));
  }
  return message;
}

Result<MessageWriter> write_map(const Map& map, std::string_view name, int depth) {
  MessageWriter message;
  message.add_text_if_any(map_field::kName, name);
  Sequence values;
  if (const auto* by_number = std::get_if<std::map<int64_t, RuntimeValue>>(&map.entries)) {
    message.add_integer(map_field::kKeyType, static_cast<int64_t>(DType::kInt64));
    for (const auto& [key, value] : *by_number) {
      message.add_integer(map_field::kKeys, key);
      values.push_back(value);
    }
  } else {
    message.add_integer(map_field::kKeyType, static_cast<int64_t>(DType::kString));
    for (const auto& [key, value] : std::get<std::map<std::string, RuntimeValue>>(map.entries)) {
      message.add_text(map_field::kStringKeys, key);
      values.push_back(value);
    }
  }
  SHIPWAY_ASSIGN_OR_RETURN(MessageWriter list, write_sequence(values, "", depth + 1));
  message.add_message(map_field::kValues, std::move(list));
  return message;
}

Result<MessageWriter> write_tensor(const Tensor& tensor, std::string_view name) {
  MessageWriter message, named;
  named.add_text_if_any(onnx_fields::tensor::kName, name);
  OnnxTensor form;
  form.other_fields = named.to_string();
  SHIPWAY_RETURN_IF_ERROR(write_onnx_tensor(message, tensor, form));
  return message;
}

Result<MessageWriter> write(const RuntimeValue& value, Message kind, std::string_view name,
                            int depth) {
  if (depth > kMaxDepth) return Status::limit("a value is nested deeper than {} levels", kMaxDepth);
  MessageWriter message;
  switch (kind) {
    case Message::kTensor: {
      SHIPWAY_ASSIGN_OR_RETURN(const Tensor tensor, value.tensor()->contiguous());
      SHIPWAY_ASSIGN_OR_RETURN(const MessageWriter borrowed, write_tensor(tensor, name));
      message.append_raw(borrowed.to_string());  // the contiguous copy ends here
      return message;
    }
    case Message::kSparse: {
      const SparseTensor& sparse = *value.sparse();
      SHIPWAY_ASSIGN_OR_RETURN(MessageWriter values, write_tensor(sparse.values, name));
      SHIPWAY_ASSIGN_OR_RETURN(MessageWriter indices, write_tensor(sparse.indices, ""));
      message.add_message(sparse_field::kValues, std::move(values));
      message.add_message(sparse_field::kIndices, std::move(indices));
      for (int64_t size : sparse.shape) message.add_integer(sparse_field::kDims, size);
      return message;
    }
    case Message::kSequence:
      return write_sequence(*value.sequence(), name, depth);
    case Message::kMap:
      return write_map(*value.map(), name, depth);
    case Message::kOptional: {
      message.add_text_if_any(optional_field::kName, name);
      if (value.is_absent()) {
        message.add_integer(optional_field::kElemType, kNothing);
        return message;
      }
      const ElementKind inner_kind = element_kind(value);
      message.add_integer(optional_field::kElemType, inner_kind);
      SHIPWAY_ASSIGN_OR_RETURN(MessageWriter inner, write(value, message_of(value), "", depth + 1));
      message.add_message(optional_field::kElemType + static_cast<uint32_t>(inner_kind),
                          std::move(inner));
      return message;
    }
  }
  return Status::internal("unknown kind of value");
}

}  // namespace

Result<RuntimeValue> read_value_proto(Bytes message, const Type& type) {
  return read(message, message_of(type), message.data(), 1);
}

Result<Tensor> read_tensor_proto(Bytes message) {
  SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, read(message, Message::kTensor, message.data(), 1));
  return *value.tensor();
}

Result<std::string> write_value_proto(const RuntimeValue& value, std::string_view name,
                                      const Type& type) {
  const Message kind = type.kind() == TypeKind::kUnknown ? message_of(value) : message_of(type);
  const bool fits = kind == Message::kOptional || kind == message_of(value);
  if (!fits)
    return Status::invalid_argument("a value is {}, which does not fit its type", to_string(value));
  SHIPWAY_ASSIGN_OR_RETURN(const MessageWriter message, write(value, kind, name, 1));
  return message.to_string();
}

}  // namespace shipway
