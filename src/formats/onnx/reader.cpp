#include "formats/onnx/reader.h"

#include <utility>

#include "base/text.h"
#include "formats/onnx/fields.h"
#include "formats/onnx/read_context.h"

namespace shipway {
namespace {

namespace field = onnx_fields::model;

/// Wire types of ModelProto's fields: 2 for strings and messages, 0 for numbers, 9 for unknown
/// fields.
uint32_t expected_wire_type(uint32_t number) {
  switch (number) {
    case field::kIrVersion:
    case field::kModelVersion:
      return 0;
    case field::kProducerName:
    case field::kProducerVersion:
    case field::kDomain:
    case field::kDocString:
    case field::kGraph:
    case field::kOpsetImport:
    case field::kMetadataProps:
    case field::kTrainingInfo:
    case field::kFunctions:
    case field::kConfiguration:
      return 2;
    default:
      return 9;
  }
}

}  // namespace

bool looks_like_onnx_model(Bytes bytes) {
  bool has_graph = false;
  FieldReader fields(bytes);
  while (fields.next()) {
    const uint32_t expected = expected_wire_type(fields.number());
    if (expected != 9 && expected != (fields.key() & 7)) return false;
    has_graph |= fields.key() == bytes_field(field::kGraph);
  }
  return has_graph || (!fields.status().is_ok() && fields.key() == bytes_field(field::kGraph));
}

Status OnnxReadContext::read_opset_import(const FieldReader& import_field,
                                          std::vector<std::pair<std::string, int64_t>>& imports,
                                          kept::Keeper& keeper) {
  namespace id = onnx_fields::opset_id;
  std::pair<std::string, int64_t> import{"", 0};
  FieldReader fields(import_field.bytes(), origin_);
  while (fields.next()) {
    if (fields.key() == bytes_field(id::kDomain)) import.first = fields.text();
    if (fields.key() == varint_field(id::kVersion)) import.second = fields.integer();
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  imports.push_back(std::move(import));
  keeper.annotation().other[std::string(kept::kOpsetImports)] += import_field.raw_text();
  return Status::ok();
}

Result<Model> read_onnx_model(Bytes bytes, std::shared_ptr<const void> owner,
                              std::optional<std::string> folder, const MappedFile* file) {
  Model model;
  ExternalFiles external(std::move(folder));
  OnnxReadContext context(model, bytes, {bytes.data(), std::move(owner), &external, file});
  kept::Keeper keeper;
  std::optional<Bytes> graph;
  std::vector<Bytes> functions;
  FieldReader fields(bytes, bytes.data());
  const auto read_text = [&](std::string& to) {
    keeper.known(fields);
    to = fields.text();
  };
  const auto read_number = [&](int64_t& to) {
    keeper.known(fields);
    to = fields.integer();
  };
  while (fields.next()) {
    switch (fields.key()) {
      case varint_field(field::kIrVersion):
        read_number(model.ir_version);
        break;
      case bytes_field(field::kProducerName):
        read_text(model.producer_name);
        break;
      case bytes_field(field::kProducerVersion):
        read_text(model.producer_version);
        break;
      case bytes_field(field::kDomain):
        read_text(model.domain);
        break;
      case varint_field(field::kModelVersion):
        read_number(model.model_version);
        break;
      case bytes_field(field::kDocString):
        read_text(model.doc_string);
        break;
      case bytes_field(field::kGraph):
        if (graph)
          return Status::invalid_model("has two graphs, the second at byte {}", fields.offset());
        graph = fields.bytes();
        break;
      case bytes_field(field::kOpsetImport):
        SHIPWAY_RETURN_IF_ERROR(context.read_opset_import(fields, model.opset_imports, keeper)
                                    .with_context("opset_import"));
        break;
      case bytes_field(field::kMetadataProps):
        SHIPWAY_RETURN_IF_ERROR(
            keeper.metadata(fields, bytes.data()).with_context("metadata_props"));
        break;
      case bytes_field(field::kFunctions):
        functions.push_back(fields.bytes());
        break;
      default:
        keeper.unknown(fields.raw_text());
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  if (!graph) return Status::invalid_model("an ONNX model without a graph");
  if (keeper.has_any()) model.metadata = std::exchange(keeper.annotation().metadata, {});
  context.annotate({Entity::Kind::kModel, 0, {}}, keeper.take());

  SHIPWAY_RETURN_IF_ERROR(context.read_graph(*graph, model.main_graph(), nullptr));
  for (size_t i = 0; i < functions.size(); ++i)
    SHIPWAY_RETURN_IF_ERROR(context.read_function(functions[i]).with_context("function #{}", i));
  return model;
}

}  // namespace shipway
