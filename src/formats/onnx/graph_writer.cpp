// GraphProto, NodeProto and AttributeProto.
#include "base/text.h"
#include "formats/onnx/attribute_types.h"
#include "formats/onnx/fields.h"
#include "formats/onnx/type.h"
#include "formats/onnx/write_context.h"
#include "graph/annotation_keys.h"

namespace shipway {

namespace field = onnx_fields::graph;
namespace node_field = onnx_fields::node;
namespace attribute_field = onnx_fields::attribute;
namespace tensor_field = onnx_fields::tensor;

MessageWriter OnnxWriteContext::value_info(ValueId id) {
  namespace f = onnx_fields::value_info;
  const Value& value = model_.value(id);
  const Annotation* kept = annotation(Entity::Kind::kValue, id.index);
  MessageWriter message;
  kept::add_unknown_fields(message, kept);
  message.add_text_if_any(f::kName, value.name());
  add_onnx_type(message, f::kType, value.type(), dims_, kept::find(kept, kept::kType));
  if (kept) message.add_text_if_any(f::kDocString, kept->doc_string);
  if (kept) kept::add_metadata(message, f::kMetadataProps, kept->metadata, kept);
  return message;
}

/// In the file's order: values that stood there, messages kept as they were; then what is known of
/// other values that nodes make.
void OnnxWriteContext::write_value_infos(MessageWriter& message, uint32_t number,
                                         GraphId graph_id) {
  const auto& listed = listed_[static_cast<size_t>(graph_id.index)];
  const Annotation* kept = annotation(Entity::Kind::kGraph, graph_id.index);
  const std::string raw_prefix =
      kept::numbered(kept::kValueInfo, 0).substr(0, kept::kValueInfo.size() + 1);
  size_t raw_left = 0;
  if (kept)
    for (auto at = kept->other.lower_bound(raw_prefix);
         at != kept->other.end() && at->first.starts_with(raw_prefix); ++at)
      ++raw_left;
  const size_t total = listed.size() + raw_left;
  auto next = listed.begin();
  for (size_t position = 0; raw_left > 0 || next != listed.end(); ++position) {
    if (raw_left > 0) {
      if (const std::string* raw = kept::find(kept, kept::numbered(kept::kValueInfo, position))) {
        message.add_text(number, *raw);
        --raw_left;
        continue;
      }
    }
    const bool is_turn = next != listed.end() && next->position <= static_cast<int64_t>(position);
    if (is_turn || (raw_left == 0 && next != listed.end())) {
      message.add_message(number, value_info(next->value));
      ++next;
    } else if (position > 2 * total + model_.value_count()) {
      break;  // positions edited by hand: what is left has none
    }
  }
  for (const Node& node : model_.nodes(graph_id)) {
    for (ValueId output : node.outputs()) {
      if (!output.is_valid()) continue;
      const Value& value = model_.value(output);
      if (value.type().kind() == TypeKind::kUnknown || value.output_count() > 0) continue;
      if (kept::find(annotation(Entity::Kind::kValue, output.index), kept::kValueInfo)) continue;
      message.add_message(number, value_info(output));
    }
  }
}

Status OnnxWriteContext::write_sparse(MessageWriter& message, const SparseTensor& sparse,
                                      const Annotation* kept, const std::string& prefix,
                                      std::string_view name) {
  namespace f = onnx_fields::sparse_tensor;
  OnnxTensor values_form = kept::tensor_form(kept, prefix + "/values");
  if (!name.empty()) {  // an initializer's: the value may have been renamed since
    MessageWriter renamed;
    FieldReader fields(as_bytes(values_form.other_fields));
    while (fields.next())
      if (fields.number() != tensor_field::kName) renamed.append_raw(fields.raw_text());
    renamed.add_text(tensor_field::kName, name);
    values_form.other_fields = renamed.to_string();
  }
  message.append_raw(kept::tensor_form(kept, prefix).other_fields);
  if (sparse.values.is_defined()) {  // a file may leave either out
    MessageWriter values;
    SHIPWAY_RETURN_IF_ERROR(write_onnx_tensor(values, sparse.values, values_form));
    message.add_message(f::kValues, std::move(values));
  }
  if (sparse.indices.is_defined()) {
    MessageWriter indices;
    SHIPWAY_RETURN_IF_ERROR(
        write_onnx_tensor(indices, sparse.indices, kept::tensor_form(kept, prefix + "/indices")));
    message.add_message(f::kIndices, std::move(indices));
  }
  for (int64_t size : sparse.shape) message.add_integer(f::kDims, size);
  return Status::ok();
}

Status OnnxWriteContext::write_initializers(MessageWriter& message, const Graph& graph) {
  for (ValueId id : graph.initializers()) {
    const Value& value = model_.value(id);
    const Constant& constant = *value.constant();
    const Annotation* kept = annotation(Entity::Kind::kInitializer, id.index);
    MessageWriter encoded;
    if (constant.sparse) {
      SHIPWAY_RETURN_IF_ERROR(write_sparse(encoded, *constant.sparse, kept, "", value.name()));
      message.add_message(field::kSparseInitializer, std::move(encoded));
      continue;
    }
    OnnxTensor form = kept::tensor_form(kept, "");
    MessageWriter other;
    kept::add_unknown_fields(other, kept);
    other.add_text_if_any(tensor_field::kName, value.name());
    if (kept) other.add_text_if_any(tensor_field::kDocString, kept->doc_string);
    if (kept) kept::add_metadata(other, tensor_field::kMetadataProps, kept->metadata, kept);
    form.other_fields = other.to_string();
    const Status status = write_onnx_tensor(encoded, constant.tensor, form, external_.place_of(id));
    SHIPWAY_RETURN_IF_ERROR(status.with_context("initializer {}", quoted(value.name())));
    message.add_message(field::kInitializer, std::move(encoded));
  }
  return Status::ok();
}

Status OnnxWriteContext::write_nodes(MessageWriter& message, uint32_t number, GraphId graph) {
  for (const Node& node : model_.nodes(graph)) {
    MessageWriter encoded;
    if (Status status = write_node(encoded, node); !status.is_ok())
      return status.with_context("{}", model_.describe(node.id()));
    message.add_message(number, std::move(encoded));
  }
  return Status::ok();
}

Status OnnxWriteContext::write_graph(MessageWriter& message, GraphId id) {
  const Graph& graph = model_.graph(id);
  const Annotation* kept = annotation(Entity::Kind::kGraph, id.index);
  kept::add_unknown_fields(message, kept);
  SHIPWAY_RETURN_IF_ERROR(write_nodes(message, field::kNode, id));
  message.add_text_if_any(field::kName, graph.name());
  SHIPWAY_RETURN_IF_ERROR(write_initializers(message, graph));
  if (kept) message.add_text_if_any(field::kDocString, kept->doc_string);
  for (ValueId input : graph.inputs()) message.add_message(field::kInput, value_info(input));
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ValueId output = graph.outputs()[i];
    const std::string* raw = kept::find(kept, kept::numbered(kept::kOutput, i));
    bool is_same = false;
    if (raw) {  // as it was, if it still names this value
      FieldReader fields(as_bytes(*raw));
      while (fields.next())
        if (fields.key() == bytes_field(onnx_fields::value_info::kName))
          is_same = fields.text() == model_.value(output).name();
    }
    if (raw && is_same)
      message.add_text(field::kOutput, *raw);
    else
      message.add_message(field::kOutput, value_info(output));
  }
  write_value_infos(message, field::kValueInfo, id);
  if (kept) kept::add_metadata(message, field::kMetadataProps, kept->metadata, kept);
  return Status::ok();
}

Status OnnxWriteContext::write_node(MessageWriter& message, const Node& node) {
  const Annotation* kept = annotation(Entity::Kind::kNode, node.id().index);
  kept::add_unknown_fields(message, kept);
  const auto name_of = [&](ValueId value) {
    return value.is_valid() ? std::string_view(model_.value(value).name()) : std::string_view();
  };
  for (ValueId input : node.inputs()) message.add_text(node_field::kInput, name_of(input));
  for (ValueId output : node.outputs()) message.add_text(node_field::kOutput, name_of(output));
  message.add_text_if_any(node_field::kName, node.name());
  message.add_text_if_any(node_field::kOpType, node.op_type());
  std::vector<std::string_view> seen;
  for (const Attribute& attribute : node.attributes()) {
    std::string key = attribute.name;
    for (std::string_view before : seen)
      if (before == attribute.name) key += '\n';  // as the reader keeps repeated names apart
    seen.push_back(attribute.name);
    MessageWriter encoded;
    const Annotation* kept_attribute =
        model_.annotations().empty()
            ? nullptr
            : model_.annotation({Entity::Kind::kAttribute, node.id().index, key});
    SHIPWAY_RETURN_IF_ERROR(write_attribute(encoded, attribute, kept_attribute));
    message.add_message(node_field::kAttribute, std::move(encoded));
  }
  if (kept) message.add_text_if_any(node_field::kDocString, kept->doc_string);
  const std::string* written = kept::find(kept, kWrittenDomain);
  message.add_text_if_any(node_field::kDomain,
                          written && node.domain().empty() ? *written : node.domain());
  message.add_text_if_any(node_field::kOverload, node.overload());
  if (kept) kept::add_metadata(message, node_field::kMetadataProps, kept->metadata, kept);
  return Status::ok();
}

Status OnnxWriteContext::write_attribute(MessageWriter& message, const Attribute& attribute,
                                         const Annotation* kept) {
  kept::add_unknown_fields(message, kept);
  message.add_text_if_any(attribute_field::kName, attribute.name);
  message.add_text_if_any(attribute_field::kRefAttrName, attribute.refers_to);
  if (kept) message.add_text_if_any(attribute_field::kDocString, kept->doc_string);
  const int64_t type = type_of_kind(attribute.kind());
  if (type != attribute_field::kTypeUndefined && !kept::find(kept, kept::kAttributeType))
    message.add_integer(attribute_field::kType, type);
  if (!attribute.refers_to.empty()) return Status::ok();
  return write_attribute_value(message, attribute, kept)
      .with_context("attribute {}", quoted(attribute.name));
}

Status OnnxWriteContext::write_attribute_value(MessageWriter& message, const Attribute& attribute,
                                               const Annotation* kept) {
  // A value that was not there and still says the default stays away.
  const bool was_absent = kept::find(kept, kept::kAttributeValue) != nullptr;
  const auto tensor = [&](uint32_t number, const Tensor& value,
                          const std::string& prefix) -> Status {
    MessageWriter encoded;
    SHIPWAY_RETURN_IF_ERROR(write_onnx_tensor(encoded, value, kept::tensor_form(kept, prefix)));
    message.add_message(number, std::move(encoded));
    return Status::ok();
  };
  const auto sparse = [&](uint32_t number, const SparseTensor& value,
                          const std::string& prefix) -> Status {
    MessageWriter encoded;
    SHIPWAY_RETURN_IF_ERROR(write_sparse(encoded, value, kept, prefix, ""));
    message.add_message(number, std::move(encoded));
    return Status::ok();
  };
  const auto graph = [&](uint32_t number, GraphId value) -> Status {
    MessageWriter encoded;
    SHIPWAY_RETURN_IF_ERROR(write_graph(encoded, value));
    message.add_message(number, std::move(encoded));
    return Status::ok();
  };
  switch (attribute.kind()) {
    case AttributeKind::kUndefined:
      break;
    case AttributeKind::kInt:
      if (const int64_t value = *attribute.get<int64_t>(); value != 0 || !was_absent)
        message.add_integer(attribute_field::kInt, value);
      break;
    case AttributeKind::kFloat:
      if (const float value = *attribute.get<float>(); value != 0 || !was_absent)
        message.add_float32(attribute_field::kFloat, value);
      break;
    case AttributeKind::kString:
      if (const auto& value = *attribute.get<std::string>(); !value.empty() || !was_absent)
        message.add_text(attribute_field::kString, value);
      break;
    case AttributeKind::kTensor:
      return tensor(attribute_field::kTensor, *attribute.get<Tensor>(), "tensor");
    case AttributeKind::kSparseTensor:
      return sparse(attribute_field::kSparseTensor, *attribute.get<SparseTensor>(),
                    "sparse_tensor");
    case AttributeKind::kGraph:
      return graph(attribute_field::kGraph, *attribute.get<GraphId>());
    case AttributeKind::kType:
      if (const Type& value = *attribute.get<Type>();
          value.kind() != TypeKind::kUnknown || !was_absent) {
        const std::string* raw = kept::find(kept, kept::kType);
        if (raw || value.kind() != TypeKind::kUnknown)
          add_onnx_type(message, attribute_field::kTypeProto, value, dims_, raw);
        else
          message.add_text(attribute_field::kTypeProto, "");
      }
      break;
    case AttributeKind::kInts:
      for (int64_t value : *attribute.get<std::vector<int64_t>>())
        message.add_integer(attribute_field::kInts, value);
      break;
    case AttributeKind::kFloats:
      for (float value : *attribute.get<std::vector<float>>())
        message.add_float32(attribute_field::kFloats, value);
      break;
    case AttributeKind::kStrings:
      for (const auto& value : *attribute.get<std::vector<std::string>>())
        message.add_text(attribute_field::kStrings, value);
      break;
    case AttributeKind::kTensors: {
      size_t i = 0;
      for (const Tensor& value : *attribute.get<std::vector<Tensor>>())
        SHIPWAY_RETURN_IF_ERROR(
            tensor(attribute_field::kTensors, value, kept::numbered("tensors", i++)));
      break;
    }
    case AttributeKind::kSparseTensors: {
      size_t i = 0;
      for (const SparseTensor& value : *attribute.get<std::vector<SparseTensor>>())
        SHIPWAY_RETURN_IF_ERROR(
            sparse(attribute_field::kSparseTensors, value, kept::numbered("sparse_tensors", i++)));
      break;
    }
    case AttributeKind::kGraphs:
      for (GraphId value : *attribute.get<std::vector<GraphId>>())
        SHIPWAY_RETURN_IF_ERROR(graph(attribute_field::kGraphs, value));
      break;
    case AttributeKind::kTypes: {
      size_t i = 0;
      for (const Type& value : *attribute.get<std::vector<Type>>()) {
        const std::string* raw = kept::find(kept, kept::numbered(kept::kType, i++));
        if (raw || value.kind() != TypeKind::kUnknown)
          add_onnx_type(message, attribute_field::kTypeProtos, value, dims_, raw);
        else
          message.add_text(attribute_field::kTypeProtos, "");
      }
      break;
    }
  }
  return Status::ok();
}

}  // namespace shipway
