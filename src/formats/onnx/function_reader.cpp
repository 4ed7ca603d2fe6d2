// FunctionProto.
#include "base/text.h"
#include "formats/onnx/fields.h"
#include "formats/onnx/read_context.h"

namespace shipway {

namespace field = onnx_fields::function;

Status OnnxReadContext::read_function(Bytes message) {
  const auto position = static_cast<int32_t>(model_.functions().size());
  Function function;
  kept::Keeper keeper, body;  // of the function, and of its body's graph
  std::vector<std::string_view> inputs, outputs;
  std::vector<Bytes> attribute_defaults, nodes, value_infos;
  FieldReader fields(message, origin_);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(field::kName):
        keeper.known(fields);
        function.name = fields.text();
        break;
      case bytes_field(field::kDomain):
        keeper.known(fields);
        function.domain = fields.text();
        break;
      case bytes_field(field::kOverload):
        keeper.known(fields);
        function.overload = fields.text();
        break;
      case bytes_field(field::kInput):
        inputs.push_back(fields.text());
        break;
      case bytes_field(field::kOutput):
        outputs.push_back(fields.text());
        break;
      case bytes_field(field::kAttribute):
        function.attributes.emplace_back(fields.text());
        break;
      case bytes_field(field::kAttributeProto):
        attribute_defaults.push_back(fields.bytes());
        break;
      case bytes_field(field::kNode):
        nodes.push_back(fields.bytes());
        break;
      case bytes_field(field::kValueInfo):
        value_infos.push_back(fields.bytes());
        break;
      case bytes_field(field::kDocString):
        keeper.doc_string(fields);
        break;
      case bytes_field(field::kMetadataProps):
        SHIPWAY_RETURN_IF_ERROR(keeper.metadata(fields, origin_));
        break;
      case bytes_field(field::kOpsetImport):
        SHIPWAY_RETURN_IF_ERROR(read_opset_import(fields, function.opset_imports, keeper));
        break;
      default:
        keeper.unknown(fields.raw_text());
    }
  }
  const auto in_function = [&](const Status& status) {
    return status.with_context("{} of domain {}", quoted(function.name), quoted(function.domain));
  };
  if (!fields.status().is_ok()) return in_function(fields.status());

  function.body = builder_.add_graph(function.name);
  NameScope scope{function.body, nullptr, 1, {}};
  for (Bytes attribute : attribute_defaults) {
    auto read = read_attribute(attribute, scope);
    if (!read.is_ok()) return in_function(read.status());
    // Defaults belong to no node: their annotations count the functions downwards from -1.
    annotate({Entity::Kind::kAttribute, -1 - position, read->attribute.name},
             std::move(read->kept));
    function.attribute_defaults.push_back(std::move(read->attribute));
  }
  for (std::string_view name : inputs)
    builder_.add_input(function.body, define_value(name, scope, {"a function input"}));
  for (Bytes node : nodes)
    if (Status status = read_node(node, scope); !status.is_ok()) return in_function(status);
  for (std::string_view name : outputs) builder_.add_output(function.body, use_value(name, scope));
  if (Status status = read_value_infos(value_infos, scope, body); !status.is_ok())
    return in_function(status);
  annotate_graph(function.body, body.take());
  annotate({Entity::Kind::kFunction, position, {}}, keeper.take());
  builder_.add_function(std::move(function));
  return Status::ok();
}

}  // namespace shipway
