// Gemm: product of two matrices, optionally transposed, plus a third: alpha A B + beta C.
#include "operators/downgrade_steps.h"
#include "operators/matmul_loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

Status infer_gemm(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output_dtype(0, dtype);
  Dims sizes[2];
  for (size_t i : {size_t{0}, size_t{1}}) {
    if (!context.input_dims(i)) return Status::ok();
    sizes[i] = *context.input_dims(i);
    if (sizes[i].size() != 2)
      return Status::invalid_model("input {} has rank {}, expected a matrix", i, sizes[i].size());
    if (context.int_attribute(i == 0 ? "transA" : "transB") != 0)
      std::swap(sizes[i][0], sizes[i][1]);
  }
  SHIPWAY_ASSIGN_OR_RETURN(Dims result, matmul_dims(sizes[0], sizes[1], context.dims()));
  if (const Dims* c = context.input_dims(2)) {
    const Result<Dims> both = broadcast_dims(result, *c, context.dims());
    if (!both.is_ok() || both->size() != 2)
      return Status::invalid_model(
          "input 2 ('C') does not fit the product: {}",
          both.is_ok() ? "it has more than 2 axes" : both.status().message());
  }
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}

template <typename T>
std::vector<T> transposed(const std::vector<T>& matrix, int64_t rows, int64_t columns) {
  std::vector<T> result(matrix.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      result[static_cast<size_t>(j * rows + i)] = matrix[static_cast<size_t>(i * columns + j)];
  return result;
}

template <typename T>
struct Matrix {
  std::vector<T> elements;
  Shape shape;
};

template <typename T>
Result<Matrix<T>> read_matrix(const EvaluateContext& context, size_t i,
                              std::string_view transpose) {
  const Tensor& tensor = context.input(i);
  if (tensor.rank() != 2)
    return Status::invalid_argument("input {} has shape {}, expected a matrix", i,
                                    to_string(tensor.shape()));
  Matrix<T> matrix;
  matrix.shape = tensor.shape();
  SHIPWAY_ASSIGN_OR_RETURN(matrix.elements, read_elements<T>(tensor));
  if (context.int_attribute(transpose) != 0) {
    matrix.elements = transposed(matrix.elements, matrix.shape[0], matrix.shape[1]);
    std::swap(matrix.shape[0], matrix.shape[1]);
  }
  return matrix;
}

/// y = alpha a b + beta c, in T.
template <typename T>
Status multiply(EvaluateContext& context, T alpha, T beta) {
  SHIPWAY_ASSIGN_OR_RETURN(const Matrix<T> a, read_matrix<T>(context, 0, "transA"));
  SHIPWAY_ASSIGN_OR_RETURN(const Matrix<T> b, read_matrix<T>(context, 1, "transB"));
  SHIPWAY_ASSIGN_OR_RETURN(const MatMulShape shape, MatMulShape::of(a.shape, b.shape));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shape.output_count());
  std::vector<T> y(static_cast<size_t>(count));
  SHIPWAY_RETURN_IF_ERROR(
      multiply_stacks(context, shape, a.elements.data(), b.elements.data(), y.data()));
  if (alpha != T{1})
    for (T& value : y) value *= alpha;
  if (context.has_input(2)) {
    const Tensor& c = context.input(2);
    SHIPWAY_ASSIGN_OR_RETURN(const Shape both, broadcast_shapes(shape.output, c.shape()));
    if (both != shape.output)
      return Status::invalid_argument("input 2 ('C') has shape {}, which does not fit into {}",
                                      to_string(c.shape()), to_string(shape.output));
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> bias, read_elements<T>(c));
    zip_broadcast(y.data(), shape.output, bias.data(), c.shape(), y.data(), shape.output, count,
                  [beta](T product, T value) { return product + beta * value; });
  }
  return write_output(context, 0, context.input(0).dtype(), shape.output, y);
}

/// Whole numbers are exact (they wrap) unless scaled by something that is not one.
Status evaluate_gemm(EvaluateContext& context) {
  const float alpha = context.float_attribute("alpha"), beta = context.float_attribute("beta");
  if (kind_of(context.input(0).dtype()) != DTypeKind::kFloat && alpha == 1 && beta == 1)
    return multiply<uint64_t>(context, 1, 1);
  return multiply<double>(context, alpha, beta);
}

/// Broadcasting of C is no longer asked for.
Status upgrade_gemm_6(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("broadcast")) rewrite.remove_attribute("broadcast");
  return Status::ok();
}

constexpr std::string_view kAttributesSince1 =
    "alpha: float = 1.0; beta: float = 1.0; broadcast: int = 0; transA: int = 0; "
    "transB: int = 0";
constexpr std::string_view kAttributesSince7 =
    "alpha: float = 1.0; beta: float = 1.0; transA: int = 0; transB: int = 0";

// C became optional: a zero takes its place.
Status downgrade_gemm_11(NodeRewrite& rewrite) {
  if (rewrite.node().input(2).is_valid()) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId zero, scalar_like_input(rewrite, "C", 0));
  rewrite.set_input(2, zero);
  return Status::ok();
}
Status downgrade_gemm_7(NodeRewrite& rewrite) {
  rewrite.set_attribute({"broadcast", int64_t{1}});
  return Status::ok();
}

}  // namespace

const Operator& gemm_operator() {
  static const Operator definition{
      .name = "Gemm",
      .summary =
          "Product of two matrices, optionally transposed, plus a third: alpha A B + beta C.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince1},
                   {.since = 6,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince1,
                    .upgrade = upgrade_gemm_6},
                   {.since = 7,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince7,
                    .downgrade = downgrade_gemm_7},
                   {.since = 9,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = kAttributesSince7},
                   {.since = 11,
                    .signature = "(A: T, B: T, C?: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = kAttributesSince7,
                    .downgrade = downgrade_gemm_11},
                   {.since = 13,
                    .signature = "(A: T, B: T, C?: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64 bfloat16",
                    .attributes = kAttributesSince7}},
      .infer = infer_gemm,
      .evaluate = evaluate_gemm,
  };
  return definition;
}

}  // namespace shipway
