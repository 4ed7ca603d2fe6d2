// NodeProto and AttributeProto.
#include <limits>

#include "base/text.h"
#include "formats/onnx/attribute_types.h"
#include "formats/onnx/fields.h"
#include "formats/onnx/read_context.h"
#include "formats/onnx/type.h"
#include "graph/annotation_keys.h"

namespace shipway {
namespace {

namespace field = onnx_fields::node;
namespace attribute_field = onnx_fields::attribute;

/// The value of a kind before its fields are read: empty lists need none, single values say if
/// theirs is missing.
AttributeValue default_value(AttributeKind kind) {
  switch (kind) {
    case AttributeKind::kInt:
      return int64_t{0};
    case AttributeKind::kFloat:
      return 0.0f;
    case AttributeKind::kString:
      return std::string();
    case AttributeKind::kInts:
      return std::vector<int64_t>();
    case AttributeKind::kFloats:
      return std::vector<float>();
    case AttributeKind::kStrings:
      return std::vector<std::string>();
    case AttributeKind::kTensors:
      return std::vector<Tensor>();
    case AttributeKind::kSparseTensors:
      return std::vector<SparseTensor>();
    case AttributeKind::kGraphs:
      return std::vector<GraphId>();
    case AttributeKind::kTypes:
      return std::vector<Type>();
    case AttributeKind::kType:
      return Type();
    default:
      return std::monostate();  // a tensor or graph cannot be made from nothing
  }
}

bool is_list(AttributeKind kind) { return kind >= AttributeKind::kInts; }

}  // namespace

Result<GraphId> OnnxReadContext::read_subgraph(Bytes message, NameScope& scope) {
  const GraphId graph = builder_.add_graph("");
  SHIPWAY_RETURN_IF_ERROR(read_graph(message, graph, &scope)
                              .with_context("subgraph {}", quoted(model_.graph(graph).name())));
  return graph;
}

Result<Tensor> OnnxReadContext::read_attribute_tensor(Bytes message, const std::string& prefix,
                                                      kept::Keeper& keeper) {
  SHIPWAY_ASSIGN_OR_RETURN(OnnxTensor tensor, read_onnx_tensor(message, source_));
  keeper.tensor(prefix, tensor);
  return std::move(tensor.tensor);
}

Result<SparseTensor> OnnxReadContext::read_sparse(Bytes message, const std::string& prefix,
                                                  kept::Keeper& keeper, std::string_view* name) {
  namespace sparse_field = onnx_fields::sparse_tensor;
  SparseTensor sparse;
  std::vector<int64_t> dims;
  std::string unknown;
  FieldReader fields(message, origin_);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(sparse_field::kValues): {
        SHIPWAY_ASSIGN_OR_RETURN(OnnxTensor values, read_onnx_tensor(fields.bytes(), source_));
        if (name) *name = values.name;
        keeper.tensor(prefix + "/values", values);
        sparse.values = std::move(values.tensor);
        break;
      }
      case bytes_field(sparse_field::kIndices): {
        SHIPWAY_ASSIGN_OR_RETURN(
            sparse.indices, read_attribute_tensor(fields.bytes(), prefix + "/indices", keeper));
        break;
      }
      case varint_field(sparse_field::kDims):
      case bytes_field(sparse_field::kDims):
        SHIPWAY_RETURN_IF_ERROR(fields.append_integers(dims));
        break;
      default:
        unknown += fields.raw_text();
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  if (!unknown.empty())
    keeper.keep(kept::tensor_key(prefix, kept::kOtherFields), std::move(unknown));
  sparse.shape = Shape(std::span<const int64_t>(dims));
  return sparse;
}

Result<Type> OnnxReadContext::read_attribute_type(Bytes message, const std::string& key,
                                                  kept::Keeper& keeper) {
  SHIPWAY_ASSIGN_OR_RETURN(Type type, read_onnx_type(message, model_.dims(), origin_));
  if (auto unusual = unusual_onnx_type(message, type, model_.dims()))
    keeper.keep(key, std::move(*unusual));
  return type;
}

Status OnnxReadContext::read_attribute_value(FieldReader& f, int64_t type, NameScope& scope,
                                             Attribute& attribute, kept::Keeper& keeper) {
  const auto place = [&](auto&& result) -> Status {  // into a list or as the value itself
    using T = std::remove_cvref_t<decltype(*result)>;
    if (!result.is_ok()) return result.status();
    if (auto* list = std::get_if<std::vector<T>>(&attribute.value))
      list->push_back(std::move(*result));
    else
      attribute.value = std::move(*result);
    return Status::ok();
  };
  switch (type) {
    case attribute_field::kTypeFloat:
      attribute.value = f.float32();
      return Status::ok();
    case attribute_field::kTypeInt:
      attribute.value = f.integer();
      return Status::ok();
    case attribute_field::kTypeString:
      attribute.value = std::string(f.text());
      return Status::ok();
    case attribute_field::kTypeFloats:
      return f.append_floats(std::get<std::vector<float>>(attribute.value));
    case attribute_field::kTypeInts:
      return f.append_integers(std::get<std::vector<int64_t>>(attribute.value));
    case attribute_field::kTypeStrings:
      std::get<std::vector<std::string>>(attribute.value).emplace_back(f.text());
      return Status::ok();
    case attribute_field::kTypeTensor:
      return place(read_attribute_tensor(f.bytes(), "tensor", keeper));
    case attribute_field::kTypeTensors: {
      const size_t position = std::get<std::vector<Tensor>>(attribute.value).size();
      return place(read_attribute_tensor(f.bytes(), kept::numbered("tensors", position), keeper));
    }
    case attribute_field::kTypeSparseTensor:
      return place(read_sparse(f.bytes(), "sparse_tensor", keeper, nullptr));
    case attribute_field::kTypeSparseTensors: {
      const size_t position = std::get<std::vector<SparseTensor>>(attribute.value).size();
      return place(
          read_sparse(f.bytes(), kept::numbered("sparse_tensors", position), keeper, nullptr));
    }
    case attribute_field::kTypeGraph:
    case attribute_field::kTypeGraphs:
      return place(read_subgraph(f.bytes(), scope));
    case attribute_field::kTypeTypeProto:
      return place(read_attribute_type(f.bytes(), std::string(kept::kType), keeper));
    case attribute_field::kTypeTypeProtos: {
      const size_t position = std::get<std::vector<Type>>(attribute.value).size();
      return place(read_attribute_type(f.bytes(), kept::numbered(kept::kType, position), keeper));
    }
    default:
      return Status::internal("attribute type {} is not read", type);
  }
}

Result<ReadAttribute> OnnxReadContext::read_attribute(Bytes message, NameScope& scope) {
  ReadAttribute read;
  Attribute& attribute = read.attribute;
  kept::Keeper keeper;
  int64_t declared = attribute_field::kTypeUndefined, type = attribute_field::kTypeUndefined;
  uint32_t lowest = std::numeric_limits<uint32_t>::max();
  FieldReader fields(message, origin_);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(attribute_field::kName):
        keeper.known(fields);
        attribute.name = fields.text();
        break;
      case bytes_field(attribute_field::kRefAttrName):
        keeper.known(fields);
        attribute.refers_to = fields.text();
        break;
      case varint_field(attribute_field::kType):
        keeper.known(fields);
        declared = fields.integer();
        break;
      case bytes_field(attribute_field::kDocString):
        keeper.doc_string(fields);
        break;
      default:
        // Without a type field the value that is there says it; of several the one with the lowest
        // number, so that the order of fields does not matter.
        if (const int64_t implied = type_from_field(fields.key());
            implied != attribute_field::kTypeUndefined && fields.number() < lowest) {
          type = implied;
          lowest = fields.number();
        }
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());

  if (declared != attribute_field::kTypeUndefined)
    type = declared;
  else if (type != attribute_field::kTypeUndefined)
    keeper.keep(kept::kAttributeType, std::string(kept::kAbsent));
  const AttributeKind kind = kind_of_type(type);
  const bool refers = !attribute.refers_to.empty();
  if (refers) {
    attribute.declared_kind = kind;
  } else {
    attribute.value = default_value(kind);
  }
  if (kind == AttributeKind::kUndefined && declared != attribute_field::kTypeUndefined) {
    MessageWriter raw;  // of a later version: kept, not understood
    raw.add_integer(attribute_field::kType, declared);
    keeper.unknown(raw.to_string());
  }

  bool has_value = false;
  FieldReader values(message, origin_);
  while (values.next()) {
    switch (values.key()) {
      case bytes_field(attribute_field::kName):
      case bytes_field(attribute_field::kRefAttrName):
      case varint_field(attribute_field::kType):
      case bytes_field(attribute_field::kDocString):
        continue;
      default:
        break;
    }
    if (refers || kind == AttributeKind::kUndefined || type_from_field(values.key()) != type) {
      keeper.unknown(values.raw_text());
      continue;
    }
    if (has_value && kind == AttributeKind::kGraph)
      return Status::invalid_model("attribute {} has two graphs, expected one",
                                   quoted(attribute.name));
    has_value = true;
    if (Status status = read_attribute_value(values, type, scope, attribute, keeper);
        !status.is_ok())
      return status.with_context("attribute {}", quoted(attribute.name));
  }
  SHIPWAY_RETURN_IF_ERROR(values.status());
  if (!has_value && !refers && !is_list(kind) && kind != AttributeKind::kUndefined)
    keeper.keep(kept::kAttributeValue, std::string(kept::kAbsent));
  if (!has_value && attribute.value.index() == 0 && !refers && kind != AttributeKind::kUndefined) {
    MessageWriter raw;  // a tensor or graph that is not there: only its type can be kept
    raw.add_integer(attribute_field::kType, type);
    keeper.unknown(raw.to_string());
  }
  read.kept = keeper.take();
  return read;
}

Status OnnxReadContext::read_node(Bytes message, NameScope& scope) {
  NodeSpec spec;
  kept::Keeper keeper;
  std::vector<std::string_view> inputs, outputs;
  std::vector<Bytes> attributes;
  FieldReader fields(message, origin_);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(field::kInput):
        inputs.push_back(fields.text());
        break;
      case bytes_field(field::kOutput):
        outputs.push_back(fields.text());
        break;
      case bytes_field(field::kAttribute):
        attributes.push_back(fields.bytes());
        break;
      case bytes_field(field::kName):
        keeper.known(fields);
        spec.name = fields.text();
        break;
      case bytes_field(field::kOpType):
        keeper.known(fields);
        spec.op_type = fields.text();
        break;
      case bytes_field(field::kDomain):
        keeper.known(fields);
        spec.domain = fields.text();
        break;
      case bytes_field(field::kOverload):
        keeper.known(fields);
        spec.overload = fields.text();
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
  const auto in_node = [&](const Status& status) {
    const size_t position = model_.graph(scope.graph).node_count();
    const auto begin = static_cast<size_t>(message.data() - origin_);
    return status.with_context("node #{} {} ({}), bytes {} to {}", position, quoted(spec.name),
                               quoted(spec.op_type), begin, begin + message.size());
  };
  if (!fields.status().is_ok()) return in_node(fields.status());
  if (spec.domain == "ai.onnx") {
    keeper.keep(kWrittenDomain, std::move(spec.domain));
    spec.domain.clear();
  }

  // Inputs first: a subgraph must not bring a name into this graph before the node itself uses it.
  for (std::string_view name : inputs)
    spec.inputs.push_back(name.empty() ? ValueId{} : use_value(name, scope));
  std::vector<std::pair<std::string, Annotation>> kept_attributes;
  for (Bytes attribute : attributes) {
    auto read = read_attribute(attribute, scope);
    if (!read.is_ok()) return in_node(read.status());
    std::string key = read->attribute.name;
    for (const Attribute& before : spec.attributes)
      if (before.name == read->attribute.name)
        key += '\n';  // repeated names: each has its own annotation
    if (read->kept) kept_attributes.emplace_back(std::move(key), std::move(*read->kept));
    spec.attributes.push_back(std::move(read->attribute));
  }
  for (std::string_view name : outputs)
    spec.outputs.push_back(name.empty() ? ValueId{} : define_value(name, scope, {"", &spec}));
  SHIPWAY_ASSIGN_OR_RETURN(const NodeId node, builder_.add_node(scope.graph, std::move(spec)));
  annotate({Entity::Kind::kNode, node.index, {}}, keeper.take());
  for (auto& [key, annotation] : kept_attributes)
    annotate({Entity::Kind::kAttribute, node.index, key}, std::move(annotation));
  return Status::ok();
}

}  // namespace shipway
