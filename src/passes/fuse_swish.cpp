// Swish (SiLU) spelled out becomes Swish:
//
//   x sigmoid(alpha x)      -> Swish[alpha](x)
//   x / (1 + exp(-alpha x)) -> Swish[alpha](x)
#include "passes/expression.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

/// The alpha x inside sigmoid(alpha x), written as a factor or as 1 / (1 + exp(-alpha x)).
std::optional<double> gate_of(Expression& read, const Product& product, ValueId x, ValueId gate) {
  if (gate == x) return std::nullopt;
  std::optional<Polynomial> argument;
  double sign = 1;
  if (product.divisors.empty()) {
    const Node* sigmoid = read.node(gate, "Sigmoid");
    if (sigmoid) argument = read.polynomial(sigmoid->input(0), x);
  } else {
    const Affine sum = read.affine(gate);
    const Node* exp = read.node(sum.value, "Exp");
    if (exp && sum.offset == 1 && sum.factor == 1) argument = read.polynomial(exp->input(0), x);
    sign = -1;
  }
  if (!argument || (*argument)[0] != 0 || (*argument)[1] == 0 || (*argument)[2] != 0 ||
      (*argument)[3] != 0)
    return std::nullopt;
  return sign * (*argument)[1];
}

std::optional<Patch> swish(const Model& model, const Node& node, size_t side) {
  Expression read(model, node);
  const Product product = read.product(node.output(0));
  if (product.factor != 1 || product.values.size() + product.divisors.size() != 2 ||
      product.values.size() <= side)
    return std::nullopt;
  const ValueId x = product.values[side];
  const ValueId gate = product.divisors.empty() ? product.values[1 - side] : product.divisors[0];
  if (float_type(model, x) == DType::kUndefined) return std::nullopt;
  const std::optional<double> alpha = gate_of(read, product, x, gate);
  if (!alpha || !read.is_closed(x)) return std::nullopt;
  const std::optional<float> attribute = attribute_number(*alpha, float_type(model, x));
  if (!attribute) return std::nullopt;
  NodeSpec spec{.op_type = "Swish", .inputs = {x}};
  if (*attribute != 1) spec.attributes = {{"alpha", *attribute}};
  return read.replaced_by(std::move(spec));
}

std::optional<Patch> fuse_swish(const Model& model, const Node& node) {
  if (!node.is("Mul") && !node.is("Div")) return std::nullopt;
  std::optional<Patch> patch = swish(model, node, 0);
  return patch ? std::move(patch) : swish(model, node, 1);
}

}  // namespace

const Pass kFuseSwish = {.name = "fuse_swish",
                         .summary = "recognises Swish (SiLU) that an exporter spelled out",
                         .level = 2,
                         .rule = fuse_swish,
                         .opset = 24};

}  // namespace shipway
