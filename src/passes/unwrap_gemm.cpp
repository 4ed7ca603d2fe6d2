// Gemm that was wrapped into two Reshapes to multiply a stack of matrices becomes MatMul and Add:
//
//   Reshape(Gemm(Reshape(x, [-1, K]), W, b), [..., N])  ->  MatMul(x, W) + b
//
// where x has the result's axes but for the last. Exporters of addmm over three axes write it so
// (Conv1D of Hugging Face's GPT-2). The Reshapes cost nothing by themselves, but what stands behind
// the second, an activation or a residual, cannot join the product across it.
#include "passes/match.h"
#include "passes/pipelines.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

/// True when the dims are those of `x` before the last axis, and all known.
bool have_same_batch(const Dims& x, const Dims& y) {
  if (x.size() != y.size() || x.size() < 2) return false;
  for (size_t i = 0; i + 1 < x.size(); ++i)
    if (x[i].is_unknown() || x[i] != y[i]) return false;
  return true;
}

std::optional<Patch> unwrap_gemm(const Model& model, const Node& node) {
  const Node* gemm = node.is("Reshape") ? producer(model, node.input(0)) : nullptr;
  if (!gemm || !gemm->is("Gemm") || !has_one_use(model, node.input(0)) ||
      gemm->graph() != node.graph() || int_attribute(*gemm, "transA", 0) != 0 ||
      float_attribute(*gemm, "alpha", 1) != 1.0f)
    return std::nullopt;
  const Node* flatten = producer(model, gemm->input(0));
  if (!flatten || !(flatten->is("Reshape") || flatten->is("Flatten"))) return std::nullopt;
  const ValueId x = flatten->input(0);
  const Dims *in = dims_of(model, x), *out = dims_of(model, node.output(0));
  const Tensor* weight = model.constant_tensor(gemm->input(1));
  if (!in || !out || !weight || weight->rank() != 2 || !have_same_batch(*in, *out))
    return std::nullopt;
  const bool transposed = int_attribute(*gemm, "transB", 0) != 0;
  // MatMul cannot transpose, and folding the transpose of a large weight would take longer than the
  // product does.
  constexpr int64_t kMostTransposed = int64_t{1} << 20;
  if (transposed && weight->element_count() > kMostTransposed) return std::nullopt;
  // Same width inside and out, so that the rows are those of x.
  const int64_t k = weight->dim(transposed ? 1 : 0), n = weight->dim(transposed ? 0 : 1);
  if (in->back() != Dim(k) || out->back() != Dim(n)) return std::nullopt;

  Patch patch(node.id());
  ValueId matrix = gemm->input(1);
  if (transposed)
    matrix = patch.add_node("Transpose", {matrix}, {{"perm", std::vector<int64_t>{1, 0}}},
                            model.value(matrix).name() + "_transposed");
  NodeSpec product;
  product.op_type = "MatMul";
  product.name = gemm->name();
  product.inputs = {x, matrix};
  product.outputs = {node.output(0)};
  NodeSpec sum;
  if (const ValueId c = gemm->input(2); c.is_valid()) {
    // A row, or a number, for every row of the result.
    const Tensor* bias = model.constant_tensor(c);
    const bool is_row =
        bias && (bias->element_count() == 1 ||
                 (bias->rank() > 0 && bias->shape().back() == n && bias->element_count() == n));
    if (!is_row || bias->rank() > 2 || float_attribute(*gemm, "beta", 1) != 1.0f)
      return std::nullopt;
    product.outputs = {
        patch.add_value(model.value(gemm->output(0)).name(), model.value(node.output(0)).type())};
    sum.op_type = "Add";
    sum.name = node.name();
    sum.inputs = {product.outputs[0], c};
    sum.outputs = {node.output(0)};
  }
  patch.remove_node(gemm->id());
  patch.remove_node(node.id());
  patch.add_node(std::move(product));
  if (!sum.op_type.empty()) patch.add_node(std::move(sum));
  return patch;
}

}  // namespace

const Pass kUnwrapGemm = {.name = "unwrap_gemm",
                          .summary = "takes Gemm out of the Reshapes around it, as MatMul and Add",
                          .level = 2,
                          .rule = unwrap_gemm};

}  // namespace shipway
