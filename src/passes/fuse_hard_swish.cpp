// The clipped lines of mobile networks, spelled out:
//
//   clip(x + 3, 0, 6) / 6          -> HardSigmoid[alpha=1/6, beta=1/2](x), any line clipped to 0..1
//   x clip(x + 3, 0, 6) / 6        -> HardSwish(x)
//   x HardSigmoid[1/6, 1/2](x)     -> HardSwish(x)
//
// clip(v, 0, 6) may also stand as min(max(v, 0), 6) or min(relu(v), 6).
#include "passes/expression.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

/// offset + slope x, clipped to 0..high.
struct ClippedLine {
  ValueId value;
  double high = 0;
};

/// The operand of a Min or Max of two beside the number `limit`.
ValueId beside(Expression& read, const Node& node, double limit) {
  if (node.inputs().size() != 2) return {};
  for (size_t i = 0; i < 2; ++i)
    if (read.number(node.input(i)) == limit) return node.input(1 - i);
  return {};
}

/// What is clipped to 0..high, and the high.
std::optional<ClippedLine> clipped(Expression& read, ValueId value) {
  if (const Node* clip = read.node(value, "Clip")) {
    const auto low = read.number(clip->input(1)), high = read.number(clip->input(2));
    if (low != 0.0 || !high || *high <= 0) return std::nullopt;
    return ClippedLine{clip->input(0), *high};
  }
  const Node* min = read.node(value, "Min");
  if (!min) return std::nullopt;
  for (const double high : {6.0, 1.0}) {
    const ValueId rest = beside(read, *min, high);
    if (!rest.is_valid()) continue;
    if (const Node* relu = read.node(rest, "Relu")) return ClippedLine{relu->input(0), high};
    const Node* max = read.node(rest, "Max");
    const ValueId line = max ? beside(read, *max, 0) : ValueId{};
    if (line.is_valid()) return ClippedLine{line, high};
  }
  return std::nullopt;
}

/// HardSigmoid and HardSwish take bfloat16 from opset 22 on only, where Clip takes it from 13 on; a
/// model that is written back must stay possible.
bool has_type_of_all_opsets(const Model& model, ValueId x) {
  const DType dtype = float_type(model, x);
  return dtype != DType::kUndefined && dtype != DType::kBFloat16;
}

std::optional<Patch> fuse_hard_sigmoid(const Model& model, const Node& node) {
  if (!node.is("Mul") && !node.is("Div") && !node.is("Clip") && !node.is("Min"))
    return std::nullopt;
  Expression read(model, node);
  const Product product = read.product(node.output(0));
  if (product.values.size() != 1 || !product.divisors.empty()) return std::nullopt;
  const std::optional<ClippedLine> line = clipped(read, product.values[0]);
  if (!line) return std::nullopt;
  const Affine inner = read.affine(line->value);
  // A mere clip(x, 0, 1) is simpler as it is.
  if (inner.value == line->value || !has_type_of_all_opsets(model, inner.value) ||
      !is_near(product.factor * line->high, 1, float_type(model, inner.value)) ||
      !read.is_closed(inner.value))
    return std::nullopt;
  const auto alpha = attribute_number(inner.factor / line->high, float_type(model, inner.value));
  const auto beta = attribute_number(inner.offset / line->high, float_type(model, inner.value));
  if (!alpha || !beta) return std::nullopt;
  return read.replaced_by({.op_type = "HardSigmoid",
                           .inputs = {inner.value},
                           .attributes = {{"alpha", *alpha}, {"beta", *beta}}});
}

std::optional<Patch> hard_swish(const Model& model, const Node& node, size_t side) {
  Expression read(model, node);
  const Product product = read.product(node.output(0));
  if (product.values.size() != 2 || !product.divisors.empty()) return std::nullopt;
  const ValueId x = product.values[side], gate = product.values[1 - side];
  const DType dtype = float_type(model, x);
  if (gate == x || dtype == DType::kUndefined) return std::nullopt;
  double slope = 0, offset = 0;  // of a line clipped to 0..1
  if (const Node* sigmoid = read.node(gate, "HardSigmoid")) {
    if (product.factor != 1 || sigmoid->input(0) != x) return std::nullopt;
    slope = static_cast<double>(float_attribute(*sigmoid, "alpha", 0.2f));
    offset = static_cast<double>(float_attribute(*sigmoid, "beta", 0.5f));
  } else {
    const std::optional<ClippedLine> line = clipped(read, gate);
    if (!line || !has_type_of_all_opsets(model, x) ||
        !is_near(product.factor * line->high, 1, dtype))
      return std::nullopt;
    const auto inner = read.polynomial(line->value, x);
    if (!inner || (*inner)[2] != 0 || (*inner)[3] != 0) return std::nullopt;
    slope = (*inner)[1] / line->high;
    offset = (*inner)[0] / line->high;
  }
  if (!is_near(slope, 1.0 / 6, dtype) || !is_near(offset, 0.5, dtype) || !read.is_closed(x))
    return std::nullopt;
  return read.replaced_by({.op_type = "HardSwish", .inputs = {x}});
}

std::optional<Patch> fuse_hard_swish(const Model& model, const Node& node) {
  if (!node.is("Mul") && !node.is("Div")) return std::nullopt;
  std::optional<Patch> patch = hard_swish(model, node, 0);
  return patch ? std::move(patch) : hard_swish(model, node, 1);
}

}  // namespace

const Pass kFuseHardSigmoid = {.name = "fuse_hard_sigmoid",
                               .summary = "recognises a line clipped to 0..1 as HardSigmoid",
                               .level = 2,
                               .rule = fuse_hard_sigmoid};

const Pass kFuseHardSwish = {.name = "fuse_hard_swish",
                             .summary = "recognises HardSwish that an exporter spelled out",
                             .level = 2,
                             .rule = fuse_hard_swish,
                             .opset = 14};

}  // namespace shipway
