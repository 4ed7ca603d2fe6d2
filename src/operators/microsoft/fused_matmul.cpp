// FusedMatMul of ONNX Runtime: alpha A B, each factor transposed on the way in. Files that its
// optimiser wrote for transformers have it in place of Transpose, MatMul and Mul.
#include <algorithm>
#include <numeric>

#include "operators/body.h"
#include "operators/downgrade_steps.h"
#include "operators/matmul_loops.h"
#include "operators/reals.h"

namespace shipway {
namespace {

/// How the axes of a factor of this rank are read. `batch` makes the first axis a matrix's first
/// and moves the others forward; `trans` then swaps the matrix's two. Vectors stay as they are.
std::vector<size_t> axes_order(const AttributeReader& node, char factor, size_t rank) {
  std::vector<size_t> order(rank);
  std::iota(order.begin(), order.end(), size_t{0});
  if (rank < 2) return order;
  const std::string name(1, factor);
  if (node.int_attribute("transBatch" + name) != 0)
    std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
  if (node.int_attribute("trans" + name) != 0) std::swap(order[rank - 2], order[rank - 1]);
  return order;
}

template <typename Sizes>
Sizes reordered(const Sizes& sizes, const std::vector<size_t>& order) {
  Sizes result;
  for (size_t axis : order) result.push_back(sizes[axis]);
  return result;
}

Status infer(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  const Dims *a = context.input_dims(0), *b = context.input_dims(1);
  if (!a || !b) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(
      Dims product,
      matmul_dims(reordered(*a, axes_order(context, 'A', a->size())),
                  reordered(*b, axes_order(context, 'B', b->size())), context.dims()));
  context.set_output(0, context.input_dtype(0), std::move(product));
  return Status::ok();
}

/// Input `i` with its axes in the order of the product.
Result<Tensor> read_factor(const EvaluateContext& context, size_t i, char factor) {
  const Tensor& tensor = context.input(i);
  const std::vector<size_t> order = axes_order(context, factor, tensor.shape().size());
  return tensor
      .with_strides(reordered(tensor.shape(), order), reordered(strides_of(tensor.shape()), order))
      .contiguous();
}

Status evaluate(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor a, read_factor(context, 0, 'A'));
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor b, read_factor(context, 1, 'B'));
  SHIPWAY_ASSIGN_OR_RETURN(const MatMulShape shape, MatMulShape::of(a.shape(), b.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shape.output_count());
  std::vector<double> product(static_cast<size_t>(count));
  SHIPWAY_RETURN_IF_ERROR(visit_real_type(a.dtype(), [&](auto type) -> Status {
    using T = decltype(type);
    SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(a));
    SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> y, Reals<T>::of(b));
    return multiply_stacks(context, shape, x.data(), y.data(), product.data());
  }));
  const double alpha = context.float_attribute("alpha");
  for (double& value : product) value *= alpha;
  return write_output(context, 0, a.dtype(), shape.output, product);
}

/// Factor `i` as MatMul takes it.
Result<ValueId> transposed_factor(NodeRewrite& rewrite, size_t i, char factor) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, i));
  const std::vector<size_t> order = axes_order(rewrite, factor, static_cast<size_t>(rank));
  const ValueId value = rewrite.node().input(i);
  if (std::is_sorted(order.begin(), order.end())) return value;
  return rewrite.insert("Transpose", {value},
                        {{"perm", std::vector<int64_t>(order.begin(), order.end())}});
}

Status expand_fused_matmul(NodeRewrite& rewrite) {
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId a, transposed_factor(rewrite, 0, 'A'));
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId b, transposed_factor(rewrite, 1, 'B'));
  const float alpha = rewrite.float_attribute("alpha");
  if (alpha == 1) {
    rewrite.replace("MatMul", {a, b});
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId factor,
                           scalar_like_input(rewrite, "alpha", static_cast<double>(alpha)));
  rewrite.replace("Mul", {rewrite.insert("MatMul", {a, b}), factor});
  return Status::ok();
}

}  // namespace

const Operator& microsoft_fused_matmul_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "FusedMatMul",
      .summary = "Matrix product of factors that may be transposed, times a number.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0; transA: int = 0; transB: int = 0; "
                                  "transBatchA: int = 0; transBatchB: int = 0",
                    .upgrade = expand_fused_matmul}},
      .infer = infer,
      .evaluate = evaluate,
  };
  return definition;
}

const Operator& microsoft_transpose_matmul_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "TransposeMatMul",
      .summary = "Matrix product of factors that may be transposed: the older FusedMatMul.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0; transA: int = 0; transB: int = 0",
                    .upgrade = expand_fused_matmul}},
      .infer = infer,
      .evaluate = evaluate,
  };
  return definition;
}

}  // namespace shipway
