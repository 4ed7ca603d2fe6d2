#include "operators/operator.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "operators/contents.h"
#include "tensor/convert.h"

namespace shipway {

// ----------------------------------------------------------------------------------------------
// attributes

/// The node's own value, else the schema's default; null when there is neither.
template <typename T>
const T* AttributeReader::find(std::string_view name) const {
  if (const Attribute* attribute = node_->attribute(name)) {
    if (const T* value = attribute->get<T>()) return value;
  }
  if constexpr (std::is_constructible_v<AttributeDefault, T>) {
    if (const AttributeSchema* declared = schema_->attribute(name))
      return std::get_if<T>(&declared->default_value);
  }
  return nullptr;
}

int64_t AttributeReader::int_attribute(std::string_view name) const {
  const int64_t* value = find<int64_t>(name);
  return value ? *value : 0;
}
float AttributeReader::float_attribute(std::string_view name) const {
  const float* value = find<float>(name);
  return value ? *value : 0;
}
const std::string& AttributeReader::string_attribute(std::string_view name) const {
  static const std::string none;
  const std::string* value = find<std::string>(name);
  return value ? *value : none;
}
std::span<const int64_t> AttributeReader::ints_attribute(std::string_view name) const {
  const auto* values = find<std::vector<int64_t>>(name);
  return values ? std::span<const int64_t>(*values) : std::span<const int64_t>();
}
std::span<const float> AttributeReader::floats_attribute(std::string_view name) const {
  const auto* values = find<std::vector<float>>(name);
  return values ? std::span<const float>(*values) : std::span<const float>();
}
std::span<const std::string> AttributeReader::strings_attribute(std::string_view name) const {
  const auto* values = find<std::vector<std::string>>(name);
  return values ? std::span<const std::string>(*values) : std::span<const std::string>();
}
const Tensor* AttributeReader::tensor_attribute(std::string_view name) const {
  const Attribute* attribute = node_->attribute(name);
  return attribute ? attribute->get<Tensor>() : nullptr;
}
const SparseTensor* AttributeReader::sparse_tensor_attribute(std::string_view name) const {
  const Attribute* attribute = node_->attribute(name);
  return attribute ? attribute->get<SparseTensor>() : nullptr;
}
const Type* AttributeReader::type_attribute(std::string_view name) const {
  const Attribute* attribute = node_->attribute(name);
  return attribute ? attribute->get<Type>() : nullptr;
}
GraphId AttributeReader::graph_attribute(std::string_view name) const {
  const Attribute* attribute = node_->attribute(name);
  const GraphId* graph = attribute ? attribute->get<GraphId>() : nullptr;
  return graph ? *graph : GraphId{};
}

Status check_form(const Node& node, const Schema& schema) {
  const auto arity = [](std::string_view what, size_t found, int least, int most) -> Status {
    const auto count = static_cast<int64_t>(found);
    if (count >= least && count <= most) return Status::ok();
    if (least == most) return Status::invalid_model("has {} {}s, expected {}", count, what, least);
    if (most == Schema::kUnlimited)
      return Status::invalid_model("has {} {}s, expected at least {}", count, what, least);
    return Status::invalid_model("has {} {}s, expected {} to {}", count, what, least, most);
  };
  SHIPWAY_RETURN_IF_ERROR(
      arity("input", node.inputs().size(), schema.min_inputs(), schema.max_inputs()));
  SHIPWAY_RETURN_IF_ERROR(
      arity("output", node.outputs().size(), schema.min_outputs(), schema.max_outputs()));
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const FormalParameter* declared = schema.input(i);
    if (declared && declared->option == FormalParameter::Option::kSingle &&
        !node.input(i).is_valid())
      return Status::invalid_model("input {} ('{}') is left out but required", i, declared->name);
  }
  for (const Attribute& attribute : node.attributes()) {
    const AttributeSchema* declared = schema.attribute(attribute.name);
    if (!declared)
      return Status::invalid_model("attribute {} is not one of version {}", quoted(attribute.name),
                                   schema.since);
    if (to_string(attribute.kind()) != to_string(declared->type))
      return Status::invalid_model("attribute {} is of kind {}, expected {}",
                                   quoted(attribute.name), to_string(attribute.kind()),
                                   to_string(declared->type));
  }
  for (const AttributeSchema& declared : schema.attributes)
    if (declared.required && !node.attribute(declared.name))
      return Status::invalid_model("attribute '{}' is missing", declared.name);
  return Status::ok();
}

// ----------------------------------------------------------------------------------------------
// inference

const Type& InferContext::input_type(size_t i) const {
  static const Type unknown{};
  return i < inputs_.size() ? inputs_[i].type : unknown;
}

std::optional<Contents> InferContext::input_contents(size_t i) const {
  constexpr int64_t kMaxElements = 1024;  // longer ones are data, not shapes
  if (i >= inputs_.size()) return std::nullopt;
  if (inputs_[i].contents) return *inputs_[i].contents;
  const Tensor* constant = inputs_[i].constant;
  if (!constant || constant->rank() > 1 || constant->element_count() > kMaxElements)
    return std::nullopt;
  const DTypeKind kind = kind_of(constant->dtype());
  if (kind != DTypeKind::kSigned && kind != DTypeKind::kUnsigned && kind != DTypeKind::kBool)
    return std::nullopt;
  const Result<std::vector<int64_t>> values = to_ints(*constant);
  if (!values.is_ok()) return std::nullopt;
  return to_contents(*values);
}

std::optional<std::vector<int64_t>> InferContext::input_ints(size_t i) const {
  const std::optional<Contents> contents = input_contents(i);
  if (!contents) return std::nullopt;
  if (const Tensor* constant = input_constant(i)) return to_ints(*constant).value_or_throw();
  std::vector<int64_t> values;
  for (Dim dim : *contents) {
    if (!dim.is_constant()) return std::nullopt;
    values.push_back(dim.value());
  }
  return values;
}

void InferContext::set_output(size_t i, Type type) {
  if (i < outputs_.size()) outputs_[i].type = std::move(type);
}

void InferContext::set_output_contents(size_t i, Contents contents) {
  if (i < outputs_.size())
    outputs_[i].contents = std::make_shared<const Contents>(std::move(contents));
}

Result<std::vector<Type>> InferContext::infer_subgraph(GraphId graph,
                                                       std::span<const Type> inputs) const {
  if (!infer_subgraph_) return Status::unsupported("subgraphs cannot be inferred here");
  return infer_subgraph_(graph, inputs);
}

// ----------------------------------------------------------------------------------------------
// evaluation

Status RunLimits::poll() const {
  if (cancelled && __atomic_load_n(cancelled, __ATOMIC_RELAXED))
    return Status::cancelled("the run was cancelled");
  if (deadline_ns >= 0) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    if (std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() > deadline_ns)
      return Status::limit("the run passed its deadline");
  }
  return Status::ok();
}

const Tensor& EvaluateContext::input(size_t i) const {
  static const Tensor none;
  const Tensor* tensor = i < inputs_.size() ? inputs_[i].tensor() : nullptr;
  return tensor ? *tensor : none;
}

Result<Tensor> EvaluateContext::allocate(DType dtype, const Shape& shape) const {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, storage_bytes(dtype, count));
  if (limits_ && limits_->max_bytes >= 0 && bytes > limits_->max_bytes)
    return Status::limit("a tensor {}[{}] needs {} bytes, the run may use {}", to_string(dtype),
                         to_string(shape), bytes, limits_->max_bytes);
  return is_sub_byte(dtype) ? Tensor::zeros(dtype, shape) : Tensor::allocate(dtype, shape);
}

Result<Tensor> EvaluateContext::allocate_output(size_t i, DType dtype, const Shape& shape) {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor,
                           allocate_ ? allocate_(i, dtype, shape) : allocate(dtype, shape));
  if (i < outputs_.size()) outputs_[i] = tensor;
  return tensor;
}

Result<std::vector<RuntimeValue>> EvaluateContext::run_subgraph(
    GraphId graph, std::span<const RuntimeValue> inputs) const {
  if (!run_subgraph_) return Status::unsupported("subgraphs cannot be run here");
  return run_subgraph_(graph, inputs);
}

Type EvaluateContext::subgraph_output_type(GraphId graph, size_t output) const {
  if (!model_ || !graph.is_valid()) return {};
  const std::span<const ValueId> outputs = model_->graph(graph).outputs();
  return output < outputs.size() ? model_->value(outputs[output]).type() : Type();
}

// ----------------------------------------------------------------------------------------------
// versions

NodeRewrite::NodeRewrite(const Model& model, const Node& node, const Schema& from, int64_t to_since)
    : AttributeReader(node, from),
      model_(&model),
      to_since_(to_since),
      patch_(node.id()),
      inputs_(node.inputs().begin(), node.inputs().end()) {}

const Type& NodeRewrite::input_type(size_t i) const {
  static const Type unknown{};
  const ValueId id = node().input(i);
  return id.is_valid() ? model_->value(id).type() : unknown;
}

void NodeRewrite::set_attribute(Attribute attribute) {
  patch_.set_attribute(node().id(), std::move(attribute));
}

void NodeRewrite::remove_attribute(std::string_view name) {
  patch_.remove_attribute(node().id(), std::string(name));
}

void NodeRewrite::set_input(size_t i, ValueId value) {
  if (i >= inputs_.size()) inputs_.resize(i + 1);
  inputs_[i] = value;
  inputs_changed_ = true;
}

ValueId NodeRewrite::add_constant(std::string hint, Tensor tensor) {
  return patch_.add_constant(std::move(hint), std::move(tensor));
}

ValueId NodeRewrite::insert(std::string op_type, std::vector<ValueId> inputs,
                            std::vector<Attribute> attributes, std::string domain) {
  NodeSpec spec;
  const ValueId output = patch_.add_value(op_type);
  spec.op_type = std::move(op_type);
  spec.domain = std::move(domain);
  spec.inputs = std::move(inputs);
  spec.attributes = std::move(attributes);
  spec.outputs = {output};
  patch_.add_node(std::move(spec));
  return output;
}

void NodeRewrite::replace(std::string op_type, std::vector<ValueId> inputs,
                          std::vector<Attribute> attributes, std::string domain,
                          std::optional<std::vector<ValueId>> outputs) {
  NodeSpec spec;
  spec.op_type = std::move(op_type);
  spec.domain = std::move(domain);
  spec.name = node().name();
  spec.inputs = std::move(inputs);
  spec.attributes = std::move(attributes);
  spec.outputs = outputs ? std::move(*outputs)
                         : std::vector<ValueId>(node().outputs().begin(), node().outputs().end());
  patch_.add_node(std::move(spec));
  if (!replaced_) patch_.remove_node(node().id());
  replaced_ = true;
}

Patch NodeRewrite::take_patch() {
  while (!inputs_.empty() && inputs_.back() == ValueId{})
    inputs_.pop_back();  // provisional ids stay
  if (inputs_changed_ && !replaced_) patch_.set_inputs(node().id(), inputs_);
  return std::move(patch_);
}

}  // namespace shipway
