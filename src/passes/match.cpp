#include "passes/match.h"

#include <algorithm>
#include <functional>

#include "tensor/convert.h"

namespace shipway {

bool has_one_use(const Model& model, ValueId id) {
  const Value& value = model.value(id);
  if (value.uses().size() != 1 || value.output_count() > 0 ||
      value.uses()[0].input == Use::kCapture)
    return false;
  for (const StatePair& state : model.graph(value.graph()).states())
    if (state.output == id) return false;
  return true;
}

bool is_unused(const Model& model, ValueId id) {
  if (!id.is_valid()) return true;
  const Value& value = model.value(id);
  if (!value.uses().empty() || value.output_count() > 0) return false;
  const auto states = model.graph(value.graph()).states();
  return std::none_of(states.begin(), states.end(),
                      [&](const StatePair& state) { return state.output == id; });
}

int64_t int_attribute(const Node& node, std::string_view name, int64_t otherwise) {
  const Attribute* attribute = node.attribute(name);
  const int64_t* value = attribute ? attribute->get<int64_t>() : nullptr;
  return value ? *value : otherwise;
}

float float_attribute(const Node& node, std::string_view name, float otherwise) {
  const Attribute* attribute = node.attribute(name);
  const float* value = attribute ? attribute->get<float>() : nullptr;
  return value ? *value : otherwise;
}

std::span<const int64_t> ints_attribute(const Node& node, std::string_view name) {
  const Attribute* attribute = node.attribute(name);
  const auto* values = attribute ? attribute->get<std::vector<int64_t>>() : nullptr;
  return values ? std::span<const int64_t>(*values) : std::span<const int64_t>();
}

std::optional<std::vector<int64_t>> constant_ints(const Model& model, ValueId id) {
  const Tensor* tensor = model.constant_tensor(id);
  if (!tensor) return std::nullopt;
  const DTypeKind kind = kind_of(tensor->dtype());
  if (kind != DTypeKind::kSigned && kind != DTypeKind::kUnsigned && kind != DTypeKind::kBool)
    return std::nullopt;
  Result<std::vector<int64_t>> ints = to_ints(*tensor);
  return ints.is_ok() ? std::optional(*std::move(ints)) : std::nullopt;
}

std::optional<std::vector<double>> constant_doubles(const Model& model, ValueId id) {
  const Tensor* tensor = model.constant_tensor(id);
  if (!tensor || kind_of(tensor->dtype()) != DTypeKind::kFloat) return std::nullopt;
  Result<std::vector<double>> numbers = to_doubles(*tensor);
  return numbers.is_ok() ? std::optional(*std::move(numbers)) : std::nullopt;
}

std::optional<double> constant_fill(const Model& model, ValueId id) {
  // A rule must not read a whole large weight to learn so little.
  constexpr int64_t kMostElements = 1 << 16;
  const Tensor* tensor = model.constant_tensor(id);
  if (!tensor || tensor->element_count() == 0 || tensor->element_count() > kMostElements)
    return std::nullopt;
  const Result<std::vector<double>> numbers = to_doubles(*tensor);
  if (!numbers.is_ok()) return std::nullopt;  // strings and complex numbers
  const bool is_fill =
      std::adjacent_find(numbers->begin(), numbers->end(), std::not_equal_to()) == numbers->end();
  return is_fill ? std::optional(*numbers->begin()) : std::nullopt;
}

const Dims* dims_of(const Model& model, ValueId id) {
  return id.is_valid() && model.value(id).type().is_tensor() ? model.value(id).type().dims()
                                                             : nullptr;
}

bool have_same_dims(const Model& model, ValueId a, ValueId b) {
  const Dims* x = dims_of(model, a);
  const Dims* y = dims_of(model, b);
  if (!x || !y || x->size() != y->size()) return false;
  for (size_t i = 0; i < x->size(); ++i)
    if ((*x)[i].is_unknown() || (*x)[i] != (*y)[i]) return false;
  return true;
}

bool have_same_type(const Model& model, ValueId a, ValueId b) {
  if (!have_same_dims(model, a, b)) return false;
  const DType dtype = model.value(a).type().dtype();
  return dtype != DType::kUndefined && dtype == model.value(b).type().dtype();
}

bool is_random(const Model& model, const Node& node, const Operator& op) {
  if (op.is_random()) return true;
  if (!node.is("Dropout") || !node.input(2).is_valid()) return false;
  const auto training = constant_ints(model, node.input(2));
  return !training ||
         std::any_of(training->begin(), training->end(), [](int64_t on) { return on != 0; });
}

NodeSpec like(const Node& node) {
  NodeSpec spec;
  spec.op_type = node.op_type();
  spec.domain = node.domain();
  spec.overload = node.overload();
  spec.name = node.name();
  spec.attributes.assign(node.attributes().begin(), node.attributes().end());
  return spec;
}

}  // namespace shipway
