// GraphProto: names and scopes, inputs, initializers, outputs, value_info.
#include "base/text.h"
#include "formats/onnx/fields.h"
#include "formats/onnx/read_context.h"
#include "formats/onnx/type.h"
#include "graph/annotation_keys.h"

namespace shipway {
namespace {

namespace field = onnx_fields::graph;
namespace value_field = onnx_fields::value_info;

/// The fields of a graph, sorted out before any is read: nodes may stand before the initializers
/// they use.
struct GraphParts {
  std::vector<Bytes> initializers, sparse_initializers, inputs, outputs, value_infos;
};

}  // namespace

ValueId OnnxReadContext::use_value(std::string_view name, NameScope& scope) {
  for (NameScope* at = &scope; at; at = at->outer)
    if (const auto found = at->names.find(name); found != at->names.end())
      return found->second.value;
  const ValueId value = builder_.add_value(scope.graph, std::string(name));
  scope.names.emplace(name, NamedValue{value, false});
  return value;
}

ValueId OnnxReadContext::define_value(std::string_view name, NameScope& scope, Definer definer) {
  const auto [found, is_new] = scope.names.try_emplace(name);
  NamedValue& named = found->second;
  if (is_new) {
    named.value = builder_.add_value(scope.graph, std::string(name));
  } else if (named.is_defined) {
    const Value& before = model_.value(named.value);
    std::string& note = builder_.annotate({Entity::Kind::kGraph, scope.graph.index, {}})
                            .other[std::string(kDuplicateDefinitions)];
    note += note.empty() ? "" : "\n";
    note += quoted(name) + " is made by ";
    note += definer.node
                ? "node " + quoted(definer.node->name) + " (" + quoted(definer.node->op_type) + ")"
                : std::string(definer.what);
    note += " after ";
    note += before.producer().is_valid() ? model_.describe(before.producer())
            : before.is_input()          ? "a graph input"
            : before.is_initializer()    ? "an initializer"
                                         : "the same node";
    named.value = builder_.add_value(scope.graph, std::string(name));
  }
  named.is_defined = true;
  return named.value;
}

ValueId OnnxReadContext::initialized_value(std::string_view name, NameScope& scope,
                                           const Type& type) {
  if (const auto found = scope.names.find(name); found != scope.names.end()) {
    const Value& value = model_.value(found->second.value);
    if (value.is_input() && !value.is_initializer()) return value.id();
  }
  const ValueId value = define_value(name, scope, {"an initializer"});
  builder_.set_type(value, type);
  return value;
}

Result<std::string_view> OnnxReadContext::name_of_value_info(Bytes message) const {
  std::string_view name;
  FieldReader fields(message, origin_);
  while (fields.next())
    if (fields.key() == bytes_field(value_field::kName)) name = fields.text();
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return name;
}

Status OnnxReadContext::describe_value(ValueId value, Bytes message) {
  kept::Keeper keeper;
  FieldReader fields(message, origin_);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(value_field::kName):
        keeper.known(fields);
        break;
      case bytes_field(value_field::kDocString):
        keeper.doc_string(fields);
        break;
      case bytes_field(value_field::kMetadataProps):
        SHIPWAY_RETURN_IF_ERROR(keeper.metadata(fields, origin_));
        break;
      case bytes_field(value_field::kType): {
        auto type = read_onnx_type(fields.bytes(), model_.dims(), origin_);
        if (!type.is_ok())
          return type.status().with_context("type of value {}", quoted(model_.value(value).name()));
        if (auto unusual = unusual_onnx_type(fields.bytes(), *type, model_.dims()))
          keeper.keep(kept::kType, std::move(*unusual));
        builder_.set_type(value, std::move(type).value());
        break;
      }
      default:
        keeper.unknown(fields.raw_text());
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  annotate({Entity::Kind::kValue, value.index, {}}, keeper.take());
  if (static_cast<size_t>(value.index) >= described_.size())
    described_.resize(model_.value_count());
  described_[static_cast<size_t>(value.index)] = true;
  return Status::ok();
}

Status OnnxReadContext::read_outputs(const std::vector<Bytes>& messages, NameScope& scope,
                                     kept::Keeper& keeper) {
  for (size_t i = 0; i < messages.size(); ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string_view name, name_of_value_info(messages[i]));
    const ValueId value = use_value(name, scope);
    builder_.add_output(scope.graph, value);
    const Value& v = model_.value(value);
    if (v.graph() != scope.graph || v.is_initializer() || is_described(value)) {
      keeper.keep(kept::numbered(kept::kOutput, i), std::string(as_text(messages[i])));
    } else {
      SHIPWAY_RETURN_IF_ERROR(describe_value(value, messages[i]));
    }
  }
  return Status::ok();
}

Status OnnxReadContext::read_value_infos(const std::vector<Bytes>& messages, NameScope& scope,
                                         kept::Keeper& keeper) {
  for (size_t i = 0; i < messages.size(); ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string_view name, name_of_value_info(messages[i]));
    const auto found = scope.names.find(name);
    if (found == scope.names.end() || is_described(found->second.value)) {
      keeper.keep(kept::numbered(kept::kValueInfo, i), std::string(as_text(messages[i])));
      continue;
    }
    const ValueId value = found->second.value;
    SHIPWAY_RETURN_IF_ERROR(describe_value(value, messages[i]));
    builder_.annotate({Entity::Kind::kValue, value.index, {}})
        .other[std::string(kept::kValueInfo)] = std::to_string(i);
  }
  return Status::ok();
}

Status OnnxReadContext::read_initializer(Bytes message, NameScope& scope) {
  SHIPWAY_ASSIGN_OR_RETURN(OnnxTensor tensor, read_onnx_tensor(message, source_));
  const Dims dims(tensor.tensor.shape().begin(), tensor.tensor.shape().end());
  const ValueId value =
      initialized_value(tensor.name, scope, Type::tensor(tensor.tensor.dtype(), dims));

  kept::Keeper keeper;
  FieldReader fields(as_bytes(tensor.other_fields));
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(onnx_fields::tensor::kName):
        keeper.known(fields);
        break;
      case bytes_field(onnx_fields::tensor::kDocString):
        keeper.doc_string(fields);
        break;
      case bytes_field(onnx_fields::tensor::kMetadataProps):
        SHIPWAY_RETURN_IF_ERROR(keeper.metadata(fields, nullptr));
        break;
      case bytes_field(onnx_fields::tensor::kExternalData):
      case varint_field(onnx_fields::tensor::kDataLocation):
        if (!tensor.external) keeper.unknown(fields.raw_text());  // else it is in the Constant
        break;
      default:
        keeper.unknown(fields.raw_text());
    }
  }
  tensor.other_fields.clear();
  keeper.tensor("", tensor);
  builder_.add_initializer(value, {std::move(tensor.tensor), nullptr, std::move(tensor.external)});
  annotate({Entity::Kind::kInitializer, value.index, {}}, keeper.take());
  return Status::ok();
}

Status OnnxReadContext::read_sparse_initializer(Bytes message, NameScope& scope) {
  kept::Keeper keeper;
  std::string_view name;
  SHIPWAY_ASSIGN_OR_RETURN(SparseTensor sparse, read_sparse(message, "", keeper, &name));
  const Dims dims(sparse.shape.begin(), sparse.shape.end());
  const ValueId value =
      initialized_value(name, scope, Type::sparse_tensor(sparse.values.dtype(), dims));
  builder_.add_initializer(value,
                           {{}, std::make_shared<const SparseTensor>(std::move(sparse)), nullptr});
  annotate({Entity::Kind::kInitializer, value.index, {}}, keeper.take());
  return Status::ok();
}

Status OnnxReadContext::read_graph(Bytes message, GraphId graph, NameScope* outer) {
  NameScope scope{graph, outer, outer ? outer->depth + 1 : 1, {}};
  if (scope.depth > kMaxGraphDepth)
    return Status::limit("graphs are nested deeper than {} levels", int{kMaxGraphDepth});
  kept::Keeper keeper;
  GraphParts parts;
  size_t node_count = 0;
  FieldReader fields(message, origin_);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(field::kNode):
        ++node_count;
        break;
      case bytes_field(field::kName):
        keeper.known(fields);
        builder_.set_graph_name(graph, std::string(fields.text()));
        break;
      case bytes_field(field::kInitializer):
        parts.initializers.push_back(fields.bytes());
        break;
      case bytes_field(field::kSparseInitializer):
        parts.sparse_initializers.push_back(fields.bytes());
        break;
      case bytes_field(field::kInput):
        parts.inputs.push_back(fields.bytes());
        break;
      case bytes_field(field::kOutput):
        parts.outputs.push_back(fields.bytes());
        break;
      case bytes_field(field::kValueInfo):
        parts.value_infos.push_back(fields.bytes());
        break;
      case bytes_field(field::kDocString):
        keeper.doc_string(fields);
        break;
      case bytes_field(field::kMetadataProps):
        SHIPWAY_RETURN_IF_ERROR(keeper.metadata(fields, origin_));
        break;
      default:
        keeper.unknown(fields.raw_text());
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());

  scope.names.reserve(node_count + parts.inputs.size() + parts.initializers.size());
  for (Bytes input : parts.inputs) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string_view name, name_of_value_info(input));
    const ValueId value = define_value(name, scope, {"a graph input"});
    builder_.add_input(graph, value);
    SHIPWAY_RETURN_IF_ERROR(describe_value(value, input));
  }
  for (size_t i = 0; i < parts.initializers.size(); ++i)
    SHIPWAY_RETURN_IF_ERROR(
        read_initializer(parts.initializers[i], scope).with_context("initializer #{}", i));
  for (size_t i = 0; i < parts.sparse_initializers.size(); ++i)
    SHIPWAY_RETURN_IF_ERROR(read_sparse_initializer(parts.sparse_initializers[i], scope)
                                .with_context("sparse initializer #{}", i));
  FieldReader nodes(message, origin_);
  while (nodes.next())
    if (nodes.key() == bytes_field(field::kNode))
      SHIPWAY_RETURN_IF_ERROR(read_node(nodes.bytes(), scope));
  SHIPWAY_RETURN_IF_ERROR(read_outputs(parts.outputs, scope, keeper));
  SHIPWAY_RETURN_IF_ERROR(read_value_infos(parts.value_infos, scope, keeper));
  annotate_graph(graph, keeper.take());
  return Status::ok();
}

void OnnxReadContext::annotate_graph(GraphId graph, std::optional<Annotation> kept) {
  if (!kept) return;
  Annotation& annotation = builder_.annotate({Entity::Kind::kGraph, graph.index, {}});
  kept->other.merge(annotation.other);  // duplicates that were noted on the way
  annotation = std::move(*kept);
}

}  // namespace shipway
