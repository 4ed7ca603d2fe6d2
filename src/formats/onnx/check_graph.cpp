// Graphs: names, single assignment, order; and nodes: operators, arity, attributes.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "formats/onnx/check_context.h"
#include "formats/onnx/fields.h"

namespace shipway::onnx_check {
namespace {

namespace f = onnx_fields;

/// Operators of early drafts of ONNX, which files may use without a schema.
bool is_draft_operator(std::string_view domain, std::string_view op_type) {
  constexpr std::string_view kNames[] = {"ATen",
                                         "Affine",
                                         "ConstantFill",
                                         "Crop",
                                         "DynamicSlice",
                                         "GRUUnit",
                                         "GivenTensorFill",
                                         "ImageScaler",
                                         "ParametricSoftplus",
                                         "Scale",
                                         "ScaledTanh"};
  return normalized_domain(domain).empty() &&
         std::find(std::begin(kNames), std::end(kNames), op_type) != std::end(kNames);
}

/// Domains whose operators are all known.
bool is_closed_domain(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx" || domain == "ai.onnx.ml" ||
         domain == "ai.onnx.training";
}

/// The kinds that AttributeProto.type numbers, in that order.
constexpr std::array kKindOfType = {
    AttributeKind::kUndefined,     AttributeKind::kFloat,  AttributeKind::kInt,
    AttributeKind::kString,        AttributeKind::kTensor, AttributeKind::kGraph,
    AttributeKind::kFloats,        AttributeKind::kInts,   AttributeKind::kStrings,
    AttributeKind::kTensors,       AttributeKind::kGraphs, AttributeKind::kSparseTensor,
    AttributeKind::kSparseTensors, AttributeKind::kType,   AttributeKind::kTypes};

std::string expected_count(int least, int most) {
  if (least == most) return format_message("{}", {FormatArg(least)});
  if (most == Schema::kUnlimited) return format_message("at least {}", {FormatArg(least)});
  return format_message("{} to {}", {FormatArg(least), FormatArg(most)});
}

}  // namespace

bool Checker::Attribute::holds(AttributeKind kind_of_value) const {
  return std::find(held.begin(), held.end(), kind_of_value) != held.end();
}

Checker::Node Checker::read_node(Bytes message) {
  Node node;
  FieldReader fields(message);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(f::node::kInput):
        node.inputs.push_back(fields.text());
        break;
      case bytes_field(f::node::kOutput):
        node.outputs.push_back(fields.text());
        break;
      case bytes_field(f::node::kName):
        node.name = fields.text();
        break;
      case bytes_field(f::node::kOpType):
        node.op_type = fields.text();
        break;
      case bytes_field(f::node::kDomain):
        node.domain = fields.text();
        break;
      case bytes_field(f::node::kOverload):
        node.overload = fields.text();
        break;
      case bytes_field(f::node::kAttribute):
        node.attributes.push_back(fields.bytes());
        break;
      default:
        break;
    }
  }
  return node;
}

Checker::Attribute Checker::read_attribute(Bytes message) {
  Attribute attribute;
  const auto hold = [&](AttributeKind kind) {
    if (!attribute.holds(kind)) attribute.held.push_back(kind);
  };
  FieldReader fields(message);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(f::attribute::kName):
        attribute.name = fields.text();
        break;
      case bytes_field(f::attribute::kRefAttrName):
        attribute.ref_attr_name = fields.text();
        attribute.has_ref_attr_name = true;
        break;
      case varint_field(f::attribute::kType): {
        const auto type = static_cast<int32_t>(fields.integer());
        if (type < 0 || type >= static_cast<int32_t>(kKindOfType.size()))
          break;  // no such enumerator
        attribute.kind = kKindOfType[static_cast<size_t>(type)];
        attribute.has_type = true;
        break;
      }
      case fixed32_field(f::attribute::kFloat):
        hold(AttributeKind::kFloat);
        break;
      case varint_field(f::attribute::kInt):
        hold(AttributeKind::kInt);
        break;
      case bytes_field(f::attribute::kString):
        hold(AttributeKind::kString);
        break;
      case bytes_field(f::attribute::kTensor):
        hold(AttributeKind::kTensor);
        attribute.tensor = joined(attribute.tensor, fields.bytes());
        break;
      case bytes_field(f::attribute::kGraph):
        hold(AttributeKind::kGraph);
        attribute.graph = joined(attribute.graph, fields.bytes());
        break;
      case bytes_field(f::attribute::kSparseTensor):
        hold(AttributeKind::kSparseTensor);
        attribute.sparse_tensor = joined(attribute.sparse_tensor, fields.bytes());
        break;
      case bytes_field(f::attribute::kTypeProto):
        hold(AttributeKind::kType);
        break;
      case fixed32_field(f::attribute::kFloats):
        hold(AttributeKind::kFloats);
        break;
      case varint_field(f::attribute::kInts):
        hold(AttributeKind::kInts);
        break;
      case bytes_field(f::attribute::kFloats):
        if (!fields.bytes().empty()) hold(AttributeKind::kFloats);
        break;
      case bytes_field(f::attribute::kInts):
        if (!fields.bytes().empty()) hold(AttributeKind::kInts);
        break;
      case bytes_field(f::attribute::kStrings):
        hold(AttributeKind::kStrings);
        break;
      case bytes_field(f::attribute::kTensors):
        hold(AttributeKind::kTensors);
        attribute.tensors.push_back(fields.bytes());
        break;
      case bytes_field(f::attribute::kGraphs):
        hold(AttributeKind::kGraphs);
        attribute.graphs.push_back(fields.bytes());
        break;
      case bytes_field(f::attribute::kSparseTensors):
        hold(AttributeKind::kSparseTensors);
        attribute.sparse_tensors.push_back(fields.bytes());
        break;
      case bytes_field(f::attribute::kTypeProtos):
        hold(AttributeKind::kTypes);
        break;
      default:
        break;
    }
  }
  return attribute;
}

const Schema* Checker::schema(std::string_view domain, std::string_view op_type, int opset) const {
  // ONNX's registry knows its main domain as "" only: "ai.onnx" on a node is a domain without
  // operators.
  if (domain == "ai.onnx") return nullptr;
  const Operator* op = registry_.find(domain, op_type);
  return op ? op->versions.version_at(opset) : nullptr;
}

void Checker::check_graph(Bytes message, const Scope* outer, const Where& where, bool is_main) {
  std::string_view name;
  std::vector<Bytes> inputs, outputs, initializers, sparse_initializers;
  FieldReader fields(message);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(f::graph::kName):
        name = fields.text();
        break;
      case bytes_field(f::graph::kInput):
        inputs.push_back(fields.bytes());
        break;
      case bytes_field(f::graph::kOutput):
        outputs.push_back(fields.bytes());
        break;
      case bytes_field(f::graph::kInitializer):
        initializers.push_back(fields.bytes());
        break;
      case bytes_field(f::graph::kSparseInitializer):
        sparse_initializers.push_back(fields.bytes());
        break;
      default:
        break;
    }
  }
  const bool was_main = is_main_graph_;
  is_main_graph_ = is_main;
  const Where here = is_main ? where : Where{.outer = &where, .what = "graph", .name = name};
  if (name.empty()) problems_.add(here, "the graph has no name");

  const auto name_of = [](Bytes value_info) {
    std::string_view result;
    FieldReader value(value_info);
    while (value.next())
      if (value.key() == bytes_field(f::value_info::kName)) result = value.text();
    return result;
  };
  Scope scope{.outer = outer, .names = {}};
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string_view input = name_of(inputs[i]);
    const Where at{
        .outer = &here, .what = "input", .name = input, .index = static_cast<int64_t>(i)};
    check_value_info(inputs[i], at, is_main);
    if (!scope.names.insert(input).second) problems_.add(at, "another input has this name");
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Where at{.outer = &here,
                   .what = "output",
                   .name = name_of(outputs[i]),
                   .index = static_cast<int64_t>(i)};
    check_value_info(outputs[i], at, is_main);
  }

  std::unordered_set<std::string_view> initialized;
  for (size_t i = 0; i < initializers.size(); ++i) {
    std::string_view tensor_name;
    FieldReader tensor(initializers[i]);
    while (tensor.next())
      if (tensor.key() == bytes_field(f::tensor::kName)) tensor_name = tensor.text();
    const Where at{.outer = &here,
                   .what = "initializer",
                   .name = tensor_name,
                   .index = static_cast<int64_t>(i)};
    if (tensor_name.empty()) {
      problems_.add(at, "has no name");
    } else if (!initialized.insert(tensor_name).second) {
      problems_.add(at, "another initializer has this name");
    }
    check_tensor(initializers[i], at);
    if (ir_version_ > 3) {
      scope.names.insert(tensor_name);
    } else if (!scope.has_here(tensor_name)) {
      problems_.add(at, "is no input of the graph, expected one up to ir_version 3");
    }
  }
  for (size_t i = 0; i < sparse_initializers.size(); ++i) {
    std::optional<Bytes> values;
    FieldReader sparse(sparse_initializers[i]);
    while (sparse.next())
      if (sparse.key() == bytes_field(f::sparse_tensor::kValues))
        values = joined(values, sparse.bytes());
    std::string_view tensor_name;
    FieldReader tensor(values.value_or(Bytes()));
    while (tensor.next())
      if (tensor.key() == bytes_field(f::tensor::kName)) tensor_name = tensor.text();
    const Where at{.outer = &here,
                   .what = "sparse initializer",
                   .name = tensor_name,
                   .index = static_cast<int64_t>(i)};
    if (tensor_name.empty()) {
      problems_.add(at, "has no name");
    } else if (!initialized.insert(tensor_name).second) {
      problems_.add(at, "another initializer has this name");
    }
    check_sparse_tensor(sparse_initializers[i], at);
    scope.names.insert(tensor_name);
  }

  std::unordered_set<std::string_view> unknown_dtypes;
  if (options_.full_check) {
    check_initializers_as_declared(message, here);
    unknown_dtypes = values_of_unknown_dtype(message);
  }

  int64_t index = 0;
  FieldReader nodes(message);
  while (nodes.next()) {
    if (nodes.key() != bytes_field(f::graph::kNode)) continue;
    check_node_in_scope(nodes.bytes(), scope, here, index++, false);
    if (unknown_dtypes.empty()) continue;
    const Node node = read_node(nodes.bytes());
    if (!registry_.find(node.domain, node.op_type)) continue;
    for (const auto* values : {&node.inputs, &node.outputs})
      for (const std::string_view value : *values)
        if (unknown_dtypes.erase(value) > 0)
          problems_.add(here, "value {} is declared with an unknown element type", quoted(value));
  }

  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string_view output = name_of(outputs[i]);
    if (!scope.has_here(output)) {
      const Where at{
          .outer = &here, .what = "output", .name = output, .index = static_cast<int64_t>(i)};
      problems_.add(at, "no node, input or initializer of the graph makes it");
    }
  }
  is_main_graph_ = was_main;
}

void Checker::check_node_in_scope(Bytes message, Scope& scope, const Where& where, int64_t index,
                                  bool in_function) {
  const Node node = read_node(message);
  const Where here{
      .outer = &where, .what = "node", .name = node.name, .op_type = node.op_type, .index = index};
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const std::string_view input = node.inputs[i];
    if (input.empty() || (in_function ? scope.has_here(input) : scope.has(input))) continue;
    problems_.add(here, "input {} is {}, which nothing before this node makes", i, quoted(input));
  }
  if (in_function && !options_.skip_opset_compatibility_check)
    check_opset_compatibility(node, *model_imports_, here);
  check_node(node, scope, here);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const std::string_view output = node.outputs[i];
    if (output.empty()) continue;
    if (scope.has(output)) {
      problems_.add(here,
                    "output {} is {}, which was made before: a name may be assigned once only", i,
                    quoted(output));
    }
    scope.names.insert(output);
  }
}

void Checker::check_node(const Node& node, const Scope& scope, const Where& where) {
  if (node.op_type.empty()) {
    problems_.add(where, "op_type is missing");
    return;
  }
  if (node.inputs.empty() && node.outputs.empty()) {
    problems_.add(where, "has neither inputs nor outputs");
    return;
  }
  std::vector<Attribute> attributes;
  attributes.reserve(node.attributes.size());
  for (const Bytes bytes : node.attributes) attributes.push_back(read_attribute(bytes));
  std::unordered_set<std::string_view> names;
  for (size_t i = 0; i < attributes.size(); ++i) {
    const Where at{.outer = &where,
                   .what = "attribute",
                   .name = attributes[i].name,
                   .index = static_cast<int64_t>(i)};
    if (!names.insert(attributes[i].name).second) problems_.add(at, "stands there twice");
    check_attribute(attributes[i], scope, at);
  }

  auto import = imports_.find(node.domain);
  if (import == imports_.end() && node.domain.empty()) import = imports_.find("ai.onnx");
  if (import == imports_.end()) {
    problems_.add(where, "the model imports no opset of domain {}", quoted(node.domain));
    return;
  }
  if (is_draft_operator(node.domain, node.op_type)) return;
  const Schema* declared = schema(node.domain, node.op_type, import->second);
  if (!declared) {
    if (is_closed_domain(node.domain) || options_.check_custom_domain)
      problems_.add(where, "domain {} has no operator {} in opset {}{}", quoted(node.domain),
                    quoted(node.op_type), import->second,
                    node.domain == "ai.onnx" ? " (nodes name ONNX's own domain '')" : "");
  } else if (declared->deprecated) {
    problems_.add(where, "the operator is deprecated since opset {}, the model imports {}",
                  declared->since, import->second);
  } else {
    check_declared_form(node, attributes, *declared, where);
  }
}

void Checker::check_declared_form(const Node& node, const std::vector<Attribute>& attributes,
                                  const Schema& schema, const Where& where) {
  const auto check_side = [&](std::string_view side, const std::vector<std::string_view>& values,
                              const std::vector<FormalParameter>& declared, int least, int most) {
    const auto count = static_cast<int64_t>(values.size());
    if (count < least || count > most)
      problems_.add(where, "has {} {}s, expected {}", count, side, expected_count(least, most));
    for (size_t i = 0; i < std::min(values.size(), declared.size()); ++i)
      if (values[i].empty() && declared[i].option == FormalParameter::Option::kSingle)
        problems_.add(where, "{} {} ('{}') is left out but required", side, i, declared[i].name);
  };
  check_side("input", node.inputs, schema.inputs, schema.min_inputs(), schema.max_inputs());
  check_side("output", node.outputs, schema.outputs, schema.min_outputs(), schema.max_outputs());

  for (size_t i = 0; i < attributes.size(); ++i) {
    const Attribute& attribute = attributes[i];
    const Where at{.outer = &where,
                   .what = "attribute",
                   .name = attribute.name,
                   .index = static_cast<int64_t>(i)};
    const AttributeSchema* declared = schema.attribute(attribute.name);
    if (!declared) {
      if (!attribute.name.starts_with("__"))
        problems_.add(at, "the operator has no such attribute in its version {}", schema.since);
      continue;
    }
    if (attribute.kind != declared->type) {
      problems_.add(at, "is of kind {}, expected {}", to_string(attribute.kind),
                    to_string(declared->type));
      continue;
    }
    const bool needs_value =
        declared->type == AttributeKind::kTensor || declared->type == AttributeKind::kGraph ||
        declared->type == AttributeKind::kSparseTensor || declared->type == AttributeKind::kType;
    if (needs_value && attribute.ref_attr_name.empty() && !attribute.holds(declared->type))
      problems_.add(at, "holds no {}", to_string(declared->type));
  }
  for (const AttributeSchema& declared : schema.attributes) {
    const auto is_given = [&](const Attribute& attribute) {
      return attribute.name == declared.name;
    };
    if (declared.required && std::none_of(attributes.begin(), attributes.end(), is_given))
      problems_.add(where, "attribute '{}' is missing, expected {}", declared.name,
                    to_string(declared.type));
  }
}

void Checker::check_attribute(const Attribute& attribute, const Scope& scope, const Where& where) {
  if (attribute.name.empty()) problems_.add(where, "has no name");
  if (ir_version_ >= 2 && !attribute.has_type) problems_.add(where, "its type is missing");
  if (attribute.has_type)
    for (const AttributeKind held : attribute.held)
      if (held != attribute.kind)
        problems_.add(where, "says that it is of kind {}, but holds {}", to_string(attribute.kind),
                      to_string(held));
  if (attribute.held.size() > 1)
    problems_.add(where, "holds values of {} kinds, expected one", attribute.held.size());
  if (!is_main_graph_ && attribute.has_ref_attr_name && !attribute.held.empty())
    problems_.add(where, "refers to the function's attribute {} and has a value too",
                  quoted(attribute.ref_attr_name));
  if (attribute.tensor) check_tensor(*attribute.tensor, where);
  if (attribute.sparse_tensor) check_sparse_tensor(*attribute.sparse_tensor, where);
  if (attribute.graph) check_graph(*attribute.graph, &scope, where, false);
  for (const Bytes tensor : attribute.tensors) check_tensor(tensor, where);
  for (const Bytes sparse : attribute.sparse_tensors) check_sparse_tensor(sparse, where);
  for (const Bytes graph : attribute.graphs) check_graph(graph, &scope, where, false);
}

}  // namespace shipway::onnx_check
