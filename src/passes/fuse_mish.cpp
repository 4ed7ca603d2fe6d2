// Softplus and Mish spelled out:
//
//   log(exp(x) + 1)           -> Softplus(x), which does not overflow for large x
//   x tanh(Softplus(x))       -> Mish(x)
#include "passes/expression.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

std::optional<Patch> fuse_softplus(const Model& model, const Node& node) {
  if (!node.is("Log")) return std::nullopt;
  Expression read(model, node);
  read.node(node.output(0), "Log");
  const Affine sum = read.affine(node.input(0));
  const Node* exp = read.node(sum.value, "Exp");
  if (!exp || sum.offset != 1 || sum.factor != 1) return std::nullopt;
  const ValueId x = exp->input(0);
  const DType dtype = float_type(model, x);
  // Softplus takes bfloat16 from opset 22 on only, Log and Exp from 13 on.
  if (dtype == DType::kUndefined || dtype == DType::kBFloat16 || !read.is_closed(x))
    return std::nullopt;
  return read.replaced_by({.op_type = "Softplus", .inputs = {x}});
}

std::optional<Patch> fuse_mish(const Model& model, const Node& node) {
  if (!node.is("Mul")) return std::nullopt;
  for (size_t side : {0, 1}) {
    Expression read(model, node);
    read.node(node.output(0), "Mul");
    const ValueId x = node.input(side);
    const Node* tanh = read.node(node.input(1 - side), "Tanh");
    const Node* softplus = tanh ? read.node(tanh->input(0), "Softplus") : nullptr;
    if (softplus && softplus->input(0) == x && float_type(model, x) != DType::kUndefined &&
        read.is_closed(x))
      return read.replaced_by({.op_type = "Mish", .inputs = {x}});
  }
  return std::nullopt;
}

}  // namespace

const Pass kFuseSoftplus = {.name = "fuse_softplus",
                            .summary = "recognises log(exp(x) + 1) as Softplus",
                            .level = 2,
                            .rule = fuse_softplus};

const Pass kFuseMish = {.name = "fuse_mish",
                        .summary = "recognises Mish that an exporter spelled out",
                        .level = 2,
                        .rule = fuse_mish,
                        .opset = 18};

}  // namespace shipway
