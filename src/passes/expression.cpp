#include "passes/expression.h"

#include <algorithm>
#include <cmath>

namespace shipway {
namespace {

constexpr int kMaxDepth = 8;  // of what is read recursively; the formulas need 5

Polynomial sum(const Polynomial& a, const Polynomial& b, double sign) {
  Polynomial c;
  for (size_t i = 0; i < c.size(); ++i) c[i] = a[i] + sign * b[i];
  return c;
}

std::optional<Polynomial> times(const Polynomial& a, const Polynomial& b) {
  Polynomial c{};
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < b.size(); ++j) {
      const double term = a[i] * b[j];
      if (term == 0) continue;
      if (i + j >= c.size()) return std::nullopt;
      c[i + j] += term;
    }
  return c;
}

/// The number of factors when the node is a small power.
std::optional<int> small_power(const Node& node, std::optional<double> exponent) {
  if (!node.is("Pow") || !exponent || (*exponent != 1 && *exponent != 2 && *exponent != 3))
    return std::nullopt;
  return static_cast<int>(*exponent);
}

}  // namespace

const Node* Expression::maker(ValueId value) const {
  const Node* node = producer(model_, value);
  return node && node->graph() == anchor_.graph() && node->output(0) == value ? node : nullptr;
}

void Expression::note(const Node& node) {
  if (std::find(nodes_.begin(), nodes_.end(), node.id()) == nodes_.end())
    nodes_.push_back(node.id());
}

const Node* Expression::node(ValueId value, std::string_view op_type) {
  const Node* node = maker(value);
  if (!node || !node->is(op_type)) return nullptr;
  note(*node);
  return node;
}

std::optional<double> Expression::number(ValueId value) {
  const Tensor* tensor = value.is_valid() ? model_.constant_tensor(value) : nullptr;
  if (!tensor || tensor->element_count() != 1) return std::nullopt;
  const std::optional<double> number = constant_fill(model_, value);
  if (number) rank_ = std::max(rank_, tensor->shape().size());
  return number;
}

Product Expression::product(ValueId value) {
  Product product;
  multiply(value, /*divides=*/false, 0, product);
  return product;
}

void Expression::multiply(ValueId value, bool divides, int depth, Product& product) {
  if (const std::optional<double> n = number(value); n && *n != 0) {
    product.factor *= divides ? 1 / *n : *n;
    return;
  }
  const Node* node = maker(value);
  if (node && depth < kMaxDepth && (depth == 0 || has_one_use(model_, value))) {
    const bool inverts = node->is("Reciprocal");
    if (node->is("Mul") || node->is("Div")) {
      note(*node);
      multiply(node->input(0), divides, depth + 1, product);
      multiply(node->input(1), divides != node->is("Div"), depth + 1, product);
      return;
    }
    if (inverts || node->is("Neg")) {
      note(*node);
      if (!inverts) product.factor = -product.factor;
      multiply(node->input(0), divides != inverts, depth + 1, product);
      return;
    }
    if (const auto power = small_power(*node, number(node->input(1)))) {
      note(*node);
      for (int i = 0; i < *power; ++i) multiply(node->input(0), divides, depth + 1, product);
      return;
    }
  }
  (divides ? product.divisors : product.values).push_back(value);
}

Affine Expression::affine(ValueId value) {
  Affine result{.value = value};
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const Node* node = maker(result.value);
    if (!node) break;
    if (node->is("Neg")) {
      result.factor = -result.factor;
      result.value = node->input(0);
      note(*node);
      continue;
    }
    const bool is_sum = node->is("Add") || node->is("Sub");
    if (!is_sum && !node->is("Mul") && !node->is("Div")) break;
    const std::optional<double> first = number(node->input(0)), second = number(node->input(1));
    if (first.has_value() == second.has_value() || (node->is("Div") && first)) break;
    const double n = first ? *first : *second;
    if (node->is("Div") && n == 0) break;
    if (is_sum) {
      result.offset += result.factor * (node->is("Sub") && second ? -n : n);
      if (node->is("Sub") && first) result.factor = -result.factor;
    } else {
      result.factor *= node->is("Div") ? 1 / n : n;
    }
    result.value = node->input(first ? 1 : 0);
    note(*node);
  }
  return result;
}

std::optional<Polynomial> Expression::polynomial(ValueId value, ValueId x) {
  return polynomial(value, x, 0);
}

std::optional<Polynomial> Expression::polynomial(ValueId value, ValueId x, int depth) {
  if (value == x) return Polynomial{0, 1, 0, 0};
  if (const auto n = number(value)) return Polynomial{*n, 0, 0, 0};
  const Node* node = maker(value);
  if (!node || depth >= kMaxDepth) return std::nullopt;
  const auto power = small_power(*node, number(node->input(1)));
  const bool is_binary = node->is("Add") || node->is("Sub") || node->is("Mul") || node->is("Div");
  if (!is_binary && !power && !node->is("Neg")) return std::nullopt;
  const std::optional<Polynomial> a = polynomial(node->input(0), x, depth + 1);
  if (!a) return std::nullopt;
  note(*node);
  if (node->is("Neg")) return sum({}, *a, -1);
  if (power) {
    std::optional<Polynomial> result = a;
    for (int i = 1; i < *power && result; ++i) result = times(*result, *a);
    return result;
  }
  const std::optional<Polynomial> b = polynomial(node->input(1), x, depth + 1);
  if (!b) return std::nullopt;
  if (node->is("Mul")) return times(*a, *b);
  if (!node->is("Div")) return sum(*a, *b, node->is("Sub") ? -1 : 1);
  if ((*b)[0] == 0 || (*b)[1] != 0 || (*b)[2] != 0 || (*b)[3] != 0) return std::nullopt;
  return times(*a, {1 / (*b)[0], 0, 0, 0});
}

ValueId Expression::square_root(ValueId value) {
  if (const Node* root = node(value, "Sqrt")) return root->input(0);
  const Node* power = maker(value);
  if (!power || !power->is("Pow") || number(power->input(1)) != 0.5) return {};
  note(*power);
  return power->input(0);
}

std::optional<std::array<ValueId, 2>> Expression::square(ValueId value) {
  if (const Node* mul = node(value, "Mul")) return std::array{mul->input(0), mul->input(1)};
  const Node* power = maker(value);
  if (!power || !power->is("Pow") || number(power->input(1)) != 2.0) return std::nullopt;
  note(*power);
  return std::array{power->input(0), power->input(0)};
}

bool Expression::is_closed(ValueId x) const {
  const Dims* dims = dims_of(model_, x);
  if (rank_ > (dims ? dims->size() : 0)) return false;
  for (NodeId id : nodes_) {
    if (id == anchor_.id()) continue;
    for (ValueId output : model_.node(id).outputs()) {
      if (!output.is_valid()) continue;
      const Value& value = model_.value(output);
      const auto states = model_.graph(value.graph()).states();
      const bool stays_inside =
          value.output_count() == 0 &&
          std::none_of(states.begin(), states.end(),
                       [&](const StatePair& state) { return state.output == output; }) &&
          std::all_of(value.uses().begin(), value.uses().end(), [&](const Use& use) {
            return use.input != Use::kCapture &&
                   std::find(nodes_.begin(), nodes_.end(), use.node) != nodes_.end();
          });
      if (!stays_inside) return false;
    }
  }
  return true;
}

void Expression::replace_by(NodeSpec spec, Patch& patch) const {
  spec.name = anchor_.name();
  spec.outputs = {anchor_.output(0)};
  for (NodeId id : nodes_) patch.remove_node(id);
  patch.add_node(std::move(spec));
}

Patch Expression::replaced_by(NodeSpec spec) const {
  Patch patch(anchor_.id());
  replace_by(std::move(spec), patch);
  return patch;
}

bool is_near(double found, double expected, DType dtype) {
  // Of exporters' constants the shortest are "1.4142" and "0.79788"; small dtypes round each of a
  // few factors.
  const double rounding = dtype == DType::kFloat16    ? 0x1p-9
                          : dtype == DType::kBFloat16 ? 0x1p-6
                                                      : 0;
  return std::fabs(found - expected) <= (1e-5 + rounding) * std::fabs(expected);
}

std::optional<float> attribute_number(double number, DType dtype) {
  const auto attribute = static_cast<float>(number);
  const bool is_exact = static_cast<double>(attribute) == number;
  return is_exact || dtype != DType::kFloat64 ? std::optional(attribute) : std::nullopt;
}

DType float_type(const Model& model, ValueId value) {
  const Type& type = model.value(value).type();
  const DType dtype = type.is_tensor() ? type.dtype() : DType::kUndefined;
  const bool is_float = dtype == DType::kFloat16 || dtype == DType::kBFloat16 ||
                        dtype == DType::kFloat32 || dtype == DType::kFloat64;
  return is_float ? dtype : DType::kUndefined;
}

}  // namespace shipway
