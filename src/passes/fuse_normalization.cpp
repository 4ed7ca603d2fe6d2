// Layer and RMS normalization spelled out, over the trailing axes:
//
//   d / sqrt(mean(d^2) + epsilon), d = x - mean(x)     -> LayerNormalization(x, 1)
//   x i + (B - mean(x) i), i = scale / sqrt(...)       -> LayerNormalization(x, scale, B)
//   x / sqrt(mean(x^2) + epsilon)                      -> RMSNormalization(x, 1)
//
// The quotient may be written with Reciprocal or Pow by -0.5, and x - mean(x) computed twice. What
// follows such a node goes into it, whoever wrote it:
//
//   Cast(LayerNormalization(Cast(x), 1))  -> LayerNormalization(x, 1), statistics in the wider type
//   LayerNormalization(x, s) * c          -> LayerNormalization(x, s c)
//   LayerNormalization(x, s, B) + c       -> LayerNormalization(x, s, B + c)
#include <algorithm>
#include <cmath>

#include "passes/expression.h"
#include "passes/pipelines.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

/// Axes from `axis` on to the last, and how many elements they have.
struct Trailing {
  int64_t axis = 0;  // from the front
  Shape sizes;
};

/// A mean over trailing axes of known sizes.
struct Mean {
  ValueId of;
  Trailing trailing;
};

std::optional<Mean> mean(Expression& read, const Model& model, ValueId value) {
  const Node* node = read.node(value, "ReduceMean");
  const Dims* dims = node ? dims_of(model, node->input(0)) : nullptr;
  if (!dims || int_attribute(*node, "keepdims", 1) == 0) return std::nullopt;
  std::optional<std::vector<int64_t>> axes = constant_ints(model, node->input(1));
  if (!axes || axes->empty()) return std::nullopt;
  const auto rank = static_cast<int64_t>(dims->size());
  for (int64_t& axis : *axes) axis = axis < 0 ? axis + rank : axis;
  std::sort(axes->begin(), axes->end());
  Mean result{node->input(0), {.axis = (*axes)[0], .sizes = {}}};
  for (size_t i = 0; i < axes->size(); ++i)
    if ((*axes)[i] != rank - static_cast<int64_t>(axes->size() - i)) return std::nullopt;
  for (int64_t axis : *axes) {
    const Dim dim = (*dims)[static_cast<size_t>(axis)];
    if (!dim.is_constant()) return std::nullopt;
    result.trailing.sizes.push_back(dim.value());
  }
  return result;
}

/// x - mean(x), or where a square follows mean(x) - x.
std::optional<Mean> centred(Expression& read, const Model& model, ValueId value,
                            bool either_way = false) {
  const Node* sub = read.node(value, "Sub");
  if (!sub) return std::nullopt;
  for (size_t side : {1, 0}) {
    if (side == 0 && !either_way) break;
    const std::optional<Mean> m = mean(read, model, sub->input(side));
    if (m && m->of == sub->input(1 - side)) return m;
  }
  return std::nullopt;
}

/// Something plus epsilon.
struct PlusEpsilon {
  ValueId value;
  double epsilon = 0;
};
std::optional<PlusEpsilon> plus_epsilon(Expression& read, ValueId value) {
  const Affine sum = read.affine(value);
  if (sum.factor != 1 || !(sum.offset > 0)) return std::nullopt;
  return PlusEpsilon{sum.value, sum.offset};
}

/// mean(d^2) + epsilon of a layer normalization: the mean that d = x - mean(x) takes.
std::optional<std::pair<Mean, double>> variance(Expression& read, const Model& model,
                                                ValueId value) {
  const auto sum = plus_epsilon(read, value);
  const auto squares = sum ? mean(read, model, sum->value) : std::nullopt;
  const auto factors = squares ? read.square(squares->of) : std::nullopt;
  if (!factors) return std::nullopt;
  const auto a = centred(read, model, (*factors)[0], true);
  const auto b = centred(read, model, (*factors)[1], true);
  if (!a || !b || a->of != b->of || a->trailing.axis != b->trailing.axis ||
      a->trailing.axis != squares->trailing.axis)
    return std::nullopt;
  // (x - m)(m - x) would be a square with the wrong sign.
  const Node *first = producer(model, (*factors)[0]), *second = producer(model, (*factors)[1]);
  if (first->input(0) != second->input(0) && first->input(1) != second->input(1))
    return std::nullopt;
  return std::pair(*a, sum->epsilon);
}

/// mean(x^2) + epsilon
std::optional<std::pair<Mean, double>> mean_square(Expression& read, const Model& model,
                                                   ValueId value) {
  const auto sum = plus_epsilon(read, value);
  auto squares = sum ? mean(read, model, sum->value) : std::nullopt;
  const auto factors = squares ? read.square(squares->of) : std::nullopt;
  if (!factors || (*factors)[0] != (*factors)[1]) return std::nullopt;
  squares->of = (*factors)[0];
  return std::pair(*squares, sum->epsilon);
}

/// The v of a quotient by sqrt(v), which leaves the product.
ValueId take_root(Expression& read, const Model& model, Product& product) {
  for (size_t i = 0; i < product.divisors.size(); ++i) {
    const ValueId v = read.square_root(product.divisors[i]);
    if (!v.is_valid()) continue;
    product.divisors.erase(product.divisors.begin() + static_cast<std::ptrdiff_t>(i));
    return v;
  }
  for (size_t i = 0; i < product.values.size(); ++i) {
    const Node* power = producer(model, product.values[i]);
    if (!power || !power->is("Pow") || read.number(power->input(1)) != -0.5) continue;
    read.node(product.values[i], "Pow");
    product.values.erase(product.values.begin() + static_cast<std::ptrdiff_t>(i));
    return power->input(0);
  }
  return {};
}

std::optional<ValueId> filled(Patch& patch, DType dtype, const Shape& sizes, double number,
                              std::string_view name) {
  const Result<int64_t> count = element_count(sizes);
  if (!count.is_ok()) return std::nullopt;
  const std::vector<double> numbers(static_cast<size_t>(*count), number);
  Result<Tensor> tensor = from_doubles(dtype, sizes, numbers);
  if (!tensor.is_ok()) return std::nullopt;
  return patch.add_constant(std::string(name), *std::move(tensor));
}

/// The numbers of a constant that has one for each element of the normalized axes, or one for all.
/// Kernels want constants, so other scales and biases stay outside.
std::optional<std::vector<double>> parameter(const Model& model, ValueId value,
                                             const Trailing& trailing) {
  const Tensor* tensor = value.is_valid() ? model.constant_tensor(value) : nullptr;
  const Result<int64_t> count = element_count(trailing.sizes);
  const size_t rank = static_cast<size_t>(trailing.axis) + trailing.sizes.size();
  if (!tensor || !count.is_ok() || tensor->shape().size() > rank) return std::nullopt;
  Shape shape = tensor->shape();
  while (shape.size() > trailing.sizes.size() && shape.front() == 1) shape.erase(shape.begin());
  if (tensor->element_count() != 1 && shape != trailing.sizes) return std::nullopt;
  std::optional<std::vector<double>> numbers = constant_doubles(model, value);
  if (numbers && numbers->size() == 1)
    numbers->assign(static_cast<size_t>(*count), numbers->front());
  return numbers;
}

/// A scale or bias: the initializer itself where it has the right shape already.
std::optional<ValueId> as_parameter(const Model& model, Patch& patch, ValueId value,
                                    const Trailing& trailing) {
  const auto numbers = parameter(model, value, trailing);
  if (!numbers) return std::nullopt;
  const Tensor& tensor = *model.constant_tensor(value);
  if (tensor.shape() == trailing.sizes) return value;
  Result<Tensor> shaped = from_doubles(tensor.dtype(), trailing.sizes, *numbers);
  if (!shaped.is_ok()) return std::nullopt;
  return patch.add_constant(model.value(value).name(), *std::move(shaped));
}

/// A new constant from those of two, element by element, rounded once.
template <typename Combine>
std::optional<ValueId> combined(const Model& model, Patch& patch, ValueId a, ValueId b,
                                const Trailing& trailing, Combine combine) {
  auto x = parameter(model, a, trailing);
  const auto y = parameter(model, b, trailing);
  if (!x || !y) return std::nullopt;
  std::transform(x->begin(), x->end(), y->begin(), x->begin(), combine);
  Result<Tensor> tensor = from_doubles(model.constant_tensor(a)->dtype(), trailing.sizes, *x);
  if (!tensor.is_ok()) return std::nullopt;
  return patch.add_constant(model.value(a).name(), *std::move(tensor));
}

NodeSpec normalization(std::string_view op_type, std::vector<ValueId> inputs,
                       const Trailing& trailing, double epsilon) {
  return {.op_type = std::string(op_type),
          .inputs = std::move(inputs),
          .outputs = {},
          .attributes = {{"axis", -static_cast<int64_t>(trailing.sizes.size())},
                         {"epsilon", static_cast<float>(epsilon)}},
          .name = {},
          .domain = {},
          .overload = {}};
}

/// The scale that is left of a product when x / sqrt(...) is taken out: one constant, or a number.
std::optional<ValueId> scale_of(const Model& model, Patch& patch, const Product& rest, DType dtype,
                                const Trailing& trailing) {
  if (!rest.divisors.empty() || rest.values.size() > 1) return std::nullopt;
  if (rest.values.empty()) return filled(patch, dtype, trailing.sizes, rest.factor, "scale");
  return rest.factor == 1 ? as_parameter(model, patch, rest.values[0], trailing) : std::nullopt;
}

std::optional<Patch> layer_normalization(const Model& model, const Node& node) {
  Expression read(model, node);
  Product product = read.product(node.output(0));
  const ValueId root = take_root(read, model, product);
  const auto v = root.is_valid() ? variance(read, model, root) : std::nullopt;
  if (!v || product.values.empty()) return std::nullopt;
  const auto& [x, epsilon] = *v;
  size_t d = 0;
  while (d < product.values.size() && !producer(model, product.values[d])) ++d;  // the scale
  if (d == product.values.size()) return std::nullopt;
  const auto centre = centred(read, model, product.values[d]);
  if (!centre || centre->of != x.of || centre->trailing.axis != x.trailing.axis ||
      float_type(model, x.of) == DType::kUndefined || !read.is_closed(x.of))
    return std::nullopt;
  product.values.erase(product.values.begin() + static_cast<std::ptrdiff_t>(d));
  Patch patch(node.id());
  const auto scale = scale_of(model, patch, product, float_type(model, x.of), x.trailing);
  if (!scale) return std::nullopt;
  read.replace_by(normalization("LayerNormalization", {x.of, *scale}, x.trailing, epsilon), patch);
  return patch;
}

/// x i + (B - mean(x) i): TensorFlow's batch_normalization over moments. `sides` chooses among the
/// orders of the three products' and the sum's operands.
std::optional<Patch> layer_normalization_of_moments(const Model& model, const Node& node,
                                                    unsigned sides) {
  Expression read(model, node);
  const size_t a = sides & 1, b = sides >> 1 & 1, c = sides >> 2 & 1;
  read.node(node.output(0), "Add");
  const Node* scaled = read.node(node.input(a), "Mul");
  const Node* shift = scaled ? read.node(node.input(1 - a), "Sub") : nullptr;
  const Node* scaled_mean = shift ? read.node(shift->input(1), "Mul") : nullptr;
  if (!scaled_mean || scaled_mean->input(c) != scaled->input(b)) return std::nullopt;
  const ValueId x = scaled->input(1 - b);
  const auto m = mean(read, model, scaled_mean->input(1 - c));
  if (!m || m->of != x || float_type(model, x) == DType::kUndefined) return std::nullopt;
  Product inverse = read.product(scaled->input(b));
  const ValueId root = take_root(read, model, inverse);
  const auto v = root.is_valid() ? variance(read, model, root) : std::nullopt;
  if (!v || v->first.of != x || v->first.trailing.axis != m->trailing.axis || !read.is_closed(x))
    return std::nullopt;
  Patch patch(node.id());
  const auto scale = scale_of(model, patch, inverse, float_type(model, x), m->trailing);
  const auto bias = as_parameter(model, patch, shift->input(0), m->trailing);
  if (!scale || !bias) return std::nullopt;
  read.replace_by(normalization("LayerNormalization", {x, *scale, *bias}, m->trailing, v->second),
                  patch);
  return patch;
}

std::optional<Patch> rms_normalization(const Model& model, const Node& node) {
  Expression read(model, node);
  Product product = read.product(node.output(0));
  const ValueId root = take_root(read, model, product);
  const auto square = root.is_valid() ? mean_square(read, model, root) : std::nullopt;
  if (!square) return std::nullopt;
  const auto& [x, epsilon] = *square;
  const auto found = std::find(product.values.begin(), product.values.end(), x.of);
  if (found == product.values.end() || float_type(model, x.of) == DType::kUndefined ||
      !read.is_closed(x.of))
    return std::nullopt;
  product.values.erase(found);
  Patch patch(node.id());
  const auto scale = scale_of(model, patch, product, float_type(model, x.of), x.trailing);
  if (!scale) return std::nullopt;
  read.replace_by(normalization("RMSNormalization", {x.of, *scale}, x.trailing, epsilon), patch);
  return patch;
}

/// A normalization whose only result goes into the formula at hand.
struct Normalization {
  const Node* node = nullptr;
  Trailing trailing;
};
std::optional<Normalization> normalization_of(Expression& read, const Model& model, ValueId value,
                                              std::string_view op_type) {
  const Node* node = read.node(value, op_type);
  const Dims* dims = node ? dims_of(model, node->input(0)) : nullptr;
  if (!dims || !is_unused(model, node->output(1)) || !is_unused(model, node->output(2)))
    return std::nullopt;
  const auto rank = static_cast<int64_t>(dims->size());
  int64_t axis = int_attribute(*node, "axis", -1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return std::nullopt;
  Normalization result{node, {.axis = axis, .sizes = {}}};
  for (auto i = static_cast<size_t>(axis); i < dims->size(); ++i) {
    if (!(*dims)[i].is_constant()) return std::nullopt;
    result.trailing.sizes.push_back((*dims)[i].value());
  }
  return result;
}

std::optional<Patch> absorb_scale(const Model& model, const Node& node, std::string_view op_type) {
  for (size_t side : {0, 1}) {
    Expression read(model, node);
    read.node(node.output(0), "Mul");
    const auto norm = normalization_of(read, model, node.input(side), op_type);
    if (!norm || !read.is_closed(norm->node->input(0))) continue;
    const ValueId factor = node.input(1 - side), scale = norm->node->input(1);
    Patch patch(node.id());
    std::vector<ValueId> inputs = {norm->node->input(0)};
    const auto scaled =
        constant_fill(model, scale) == 1.0
            ? as_parameter(model, patch, factor, norm->trailing)
            : combined(model, patch, scale, factor, norm->trailing, std::multiplies<double>());
    if (!scaled) continue;
    inputs.push_back(*scaled);
    if (const ValueId bias = norm->node->input(2); bias.is_valid()) {
      const auto shifted =
          combined(model, patch, bias, factor, norm->trailing, std::multiplies<double>());
      if (!shifted) continue;
      inputs.push_back(*shifted);
    }
    NodeSpec spec = like(*norm->node);
    spec.inputs = std::move(inputs);
    read.replace_by(std::move(spec), patch);
    return patch;
  }
  return std::nullopt;
}

std::optional<Patch> absorb_bias(const Model& model, const Node& node) {
  for (size_t side : {0, 1}) {
    Expression read(model, node);
    read.node(node.output(0), "Add");
    const auto norm = normalization_of(read, model, node.input(side), "LayerNormalization");
    if (!norm || !read.is_closed(norm->node->input(0))) continue;
    const ValueId addend = node.input(1 - side), bias = norm->node->input(2);
    Patch patch(node.id());
    const auto shifted =
        bias.is_valid() ? combined(model, patch, bias, addend, norm->trailing, std::plus<double>())
                        : as_parameter(model, patch, addend, norm->trailing);
    if (!shifted) continue;
    NodeSpec spec = like(*norm->node);
    spec.inputs = {norm->node->input(0), norm->node->input(1), *shifted};
    read.replace_by(std::move(spec), patch);
    return patch;
  }
  return std::nullopt;
}

/// Cast(f(Cast(x), 1)): the operators compute in float by themselves and give the type of x.
std::optional<Patch> absorb_casts(const Model& model, const Node& node, std::string_view op_type) {
  Expression read(model, node);
  read.node(node.output(0), "Cast");
  const auto norm = normalization_of(read, model, node.input(0), op_type);
  const Node* widened = norm ? producer(model, norm->node->input(0)) : nullptr;
  if (!widened || !widened->is("Cast") || norm->node->input(2).is_valid() ||
      constant_fill(model, norm->node->input(1)) != 1.0)
    return std::nullopt;
  const ValueId x = widened->input(0);
  const DType dtype = float_type(model, x);
  if ((dtype != DType::kFloat16 && dtype != DType::kBFloat16) ||
      float_type(model, norm->node->input(0)) != DType::kFloat32 ||
      int_attribute(node, "to", 0) != static_cast<int64_t>(dtype) || !read.is_closed(x))
    return std::nullopt;
  Patch patch(node.id());
  const auto scale = filled(patch, dtype, norm->trailing.sizes, 1, "scale");
  if (!scale) return std::nullopt;
  NodeSpec spec = like(*norm->node);
  spec.inputs = {x, *scale};
  read.replace_by(std::move(spec), patch);
  return patch;
}

std::optional<Patch> fuse_layer_normalization(const Model& model, const Node& node) {
  constexpr std::string_view kName = "LayerNormalization";
  if (node.is("Cast")) return absorb_casts(model, node, kName);
  if (node.is("Add")) {
    if (auto patch = absorb_bias(model, node)) return patch;
    for (unsigned sides = 0; sides < 8; ++sides)
      if (auto patch = layer_normalization_of_moments(model, node, sides)) return patch;
    return std::nullopt;
  }
  if (!node.is("Mul") && !node.is("Div")) return std::nullopt;
  if (auto patch = layer_normalization(model, node)) return patch;
  return node.is("Mul") ? absorb_scale(model, node, kName) : std::nullopt;
}

std::optional<Patch> fuse_rms_normalization(const Model& model, const Node& node) {
  constexpr std::string_view kName = "RMSNormalization";
  if (node.is("Cast")) return absorb_casts(model, node, kName);
  if (!node.is("Mul") && !node.is("Div")) return std::nullopt;
  if (auto patch = rms_normalization(model, node)) return patch;
  return node.is("Mul") ? absorb_scale(model, node, kName) : std::nullopt;
}

}  // namespace

const Pass kFuseLayerNormalization = {
    .name = "fuse_layer_normalization",
    .summary = "recognises layer normalization that an exporter spelled out",
    .level = 2,
    .rule = fuse_layer_normalization,
    .opset = 17};

const Pass kFuseRmsNormalization = {
    .name = "fuse_rms_normalization",
    .summary = "recognises RMS normalization that an exporter spelled out",
    .level = 2,
    .rule = fuse_rms_normalization,
    .opset = 23};

}  // namespace shipway
