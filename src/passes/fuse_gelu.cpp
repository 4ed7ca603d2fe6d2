// GELU spelled out becomes Gelu, in whatever order and brackets:
//
//   0.5 x (1 + erf(x / sqrt(2)))                           -> Gelu(x)
//   0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))      -> Gelu[approximate=tanh](x)
#include <cmath>

#include "passes/expression.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

/// `side`: which of the two factors is x.
std::optional<Patch> gelu(const Model& model, const Node& node, size_t side) {
  Expression read(model, node);
  const Product product = read.product(node.output(0));
  if (product.values.size() != 2 || !product.divisors.empty()) return std::nullopt;
  const ValueId x = product.values[side];
  const DType dtype = float_type(model, x);
  const auto near = [&](double found, double expected) { return is_near(found, expected, dtype); };

  const Affine share = read.affine(product.values[1 - side]);  // of x: 0.5 + 0.5 erf(...)
  if (dtype == DType::kUndefined || !near(product.factor * share.offset, 0.5) ||
      !near(product.factor * share.factor, 0.5))
    return std::nullopt;
  const Node* erf = read.node(share.value, "Erf");
  const Node* function = erf ? erf : read.node(share.value, "Tanh");
  if (!function) return std::nullopt;
  const auto argument = read.polynomial(function->input(0), x);
  const double root = erf ? std::sqrt(0.5) : std::sqrt(2 / M_PI);
  if (!argument || (*argument)[0] != 0 || !near((*argument)[1], root) || (*argument)[2] != 0 ||
      !near((*argument)[3], erf ? 0 : root * 0.044715) || !read.is_closed(x))
    return std::nullopt;
  NodeSpec spec{.op_type = "Gelu", .inputs = {x}};
  if (!erf) spec.attributes = {{"approximate", std::string("tanh")}};
  return read.replaced_by(std::move(spec));
}

std::optional<Patch> fuse_gelu(const Model& model, const Node& node) {
  if (!node.is("Mul") && !node.is("Div")) return std::nullopt;
  std::optional<Patch> patch = gelu(model, node, 0);
  return patch ? std::move(patch) : gelu(model, node, 1);
}

}  // namespace

const Pass kFuseGelu = {.name = "fuse_gelu",
                        .summary = "recognises GELU, by erf or tanh, that an exporter spelled out",
                        .level = 2,
                        .rule = fuse_gelu,
                        .opset = 20};

}  // namespace shipway
