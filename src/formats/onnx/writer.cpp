#include "formats/onnx/writer.h"

#include <algorithm>
#include <new>

#include "base/text.h"
#include "formats/onnx/fields.h"
#include "formats/onnx/type.h"
#include "formats/onnx/write_context.h"

namespace shipway {
namespace {

namespace field = onnx_fields::model;

// protobuf's own limit: its libraries refuse larger messages.
constexpr uint64_t kLargestMessage = 0x7fffffff;

Status check_size(const MessageWriter& message) {
  if (message.size() <= kLargestMessage) return Status::ok();
  return Status::limit(
      "the model has {} bytes; an ONNX file holds at most 2 GB: save with external data "
      "(SaveOptions::external_data = ExternalDataLayout::kOneFile)",
      message.size());
}

}  // namespace

OnnxWriteContext::OnnxWriteContext(const Model& model, const ExternalPlan& external)
    : model_(model), external_(external), dims_(model.dims()), listed_(model.graph_count()) {
  for (const auto& [entity, annotation] : model.annotations()) {
    if (entity.kind != Entity::Kind::kValue) continue;
    const std::string* position = kept::find(&annotation, kept::kValueInfo);
    if (!position) continue;
    const ValueId value{entity.index};
    if (model.value(value).is_removed()) continue;
    listed_[static_cast<size_t>(model.value(value).graph().index)].push_back(
        {parse_int(*position).value_or(0), value});
  }
  for (auto& list : listed_)
    std::stable_sort(list.begin(), list.end(), [](const ListedValue& a, const ListedValue& b) {
      return a.position < b.position;
    });
}

void OnnxWriteContext::write_opset_imports(
    MessageWriter& message, uint32_t number,
    const std::vector<std::pair<std::string, int64_t>>& imports, const Annotation* annotation) {
  namespace id = onnx_fields::opset_id;
  if (const std::string* raw = kept::find(annotation, kept::kOpsetImports)) {
    std::vector<std::pair<std::string, int64_t>> meaning;
    FieldReader list(as_bytes(*raw));
    while (list.next()) {
      auto& import = meaning.emplace_back("", 0);
      FieldReader fields(list.bytes());
      while (fields.next()) {
        if (fields.key() == bytes_field(id::kDomain)) import.first = fields.text();
        if (fields.key() == varint_field(id::kVersion)) import.second = fields.integer();
      }
    }
    if (meaning == imports) return message.append_raw(*raw);
  }
  for (const auto& [domain, version] : imports) {
    MessageWriter import;
    import.add_text(id::kDomain, domain);
    import.add_integer(id::kVersion, version);
    message.add_message(number, std::move(import));
  }
}

Status OnnxWriteContext::write_function(MessageWriter& message, size_t position) {
  namespace f = onnx_fields::function;
  const Function& function = model_.functions()[position];
  const Graph& body = model_.graph(function.body);
  const Annotation* kept = annotation(Entity::Kind::kFunction, static_cast<int32_t>(position));
  kept::add_unknown_fields(message, kept);
  message.add_text_if_any(f::kName, function.name);
  for (ValueId input : body.inputs()) message.add_text(f::kInput, model_.value(input).name());
  for (ValueId output : body.outputs()) message.add_text(f::kOutput, model_.value(output).name());
  for (const std::string& name : function.attributes) message.add_text(f::kAttribute, name);
  SHIPWAY_RETURN_IF_ERROR(write_nodes(message, f::kNode, function.body));
  if (kept) message.add_text_if_any(f::kDocString, kept->doc_string);
  write_opset_imports(message, f::kOpsetImport, function.opset_imports, kept);
  message.add_text_if_any(f::kDomain, function.domain);
  for (const Attribute& attribute : function.attribute_defaults) {
    MessageWriter encoded;
    const Entity entity{Entity::Kind::kAttribute, -1 - static_cast<int32_t>(position),
                        attribute.name};
    SHIPWAY_RETURN_IF_ERROR(write_attribute(encoded, attribute, model_.annotation(entity)));
    message.add_message(f::kAttributeProto, std::move(encoded));
  }
  write_value_infos(message, f::kValueInfo, function.body);
  message.add_text_if_any(f::kOverload, function.overload);
  if (kept) kept::add_metadata(message, f::kMetadataProps, kept->metadata, kept);
  return Status::ok();
}

Result<MessageWriter> write_onnx_model(const Model& model, const ExternalPlan& external) {
  if (model.dialect != "onnx")
    return Status::unsupported(
        "a model in dialect {} cannot be written as ONNX before it is legalized",
        quoted(model.dialect));
  OnnxWriteContext context(model, external);
  MessageWriter message;
  const Annotation* kept = model.annotation({Entity::Kind::kModel, 0, {}});
  // The version first: files are recognised by it.
  if (model.ir_version != 0) message.add_integer(field::kIrVersion, model.ir_version);
  kept::add_unknown_fields(message, kept);
  message.add_text_if_any(field::kProducerName, model.producer_name);
  message.add_text_if_any(field::kProducerVersion, model.producer_version);
  message.add_text_if_any(field::kDomain, model.domain);
  if (model.model_version != 0) message.add_integer(field::kModelVersion, model.model_version);
  message.add_text_if_any(field::kDocString, model.doc_string);
  MessageWriter graph;
  SHIPWAY_RETURN_IF_ERROR(context.write_graph(graph, model.main_graph()));
  message.add_message(field::kGraph, std::move(graph));
  context.write_opset_imports(message, field::kOpsetImport, model.opset_imports, kept);
  kept::add_metadata(message, field::kMetadataProps, model.metadata, kept);
  for (size_t i = 0; i < model.functions().size(); ++i) {
    MessageWriter function;
    SHIPWAY_RETURN_IF_ERROR(context.write_function(function, i));
    message.add_message(field::kFunctions, std::move(function));
  }
  return message;
}

Status save_model(const Model& model, const std::string& path, const SaveOptions& options) {
  try {
    const auto write = [&]() -> Status {
      SHIPWAY_ASSIGN_OR_RETURN(const ExternalPlan external,
                               ExternalPlan::make(model, path, options));
      SHIPWAY_ASSIGN_OR_RETURN(const MessageWriter message, write_onnx_model(model, external));
      SHIPWAY_RETURN_IF_ERROR(check_size(message));
      SHIPWAY_RETURN_IF_ERROR(external.write(path));
      return write_file_atomically(path, message.pieces());
    };
    return write().with_context("writing {}", quoted(path, 400));
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory to write the model");
  }
}

Result<std::string> serialize_model(const Model& model) {
  try {
    SHIPWAY_ASSIGN_OR_RETURN(const MessageWriter message, write_onnx_model(model, {}));
    SHIPWAY_RETURN_IF_ERROR(check_size(message));
    return message.to_string();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory to write the model");
  }
}

}  // namespace shipway
