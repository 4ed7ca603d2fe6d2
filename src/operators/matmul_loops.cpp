#include "operators/matmul_loops.h"

#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// The leading sizes, without the last two.
template <typename Sizes>
Sizes without_matrix(const Sizes& sizes) {
  Sizes leading;
  for (size_t i = 0; i + 2 < sizes.size(); ++i) leading.push_back(sizes[i]);
  return leading;
}

}  // namespace

Result<MatMulShape> MatMulShape::of(const Shape& a, const Shape& b) {
  if (a.empty() || b.empty())
    return Status::invalid_argument("a product of shapes {} and {}: a scalar is no matrix",
                                    to_string(a), to_string(b));
  MatMulShape result;
  result.m = a.size() > 1 ? a[a.size() - 2] : 1;
  result.k = a.back();
  result.n = b.size() > 1 ? b.back() : 1;
  const int64_t rows = b.size() > 1 ? b[b.size() - 2] : b[0];
  if (rows != result.k)
    return Status::invalid_argument("a product of shapes {} and {}: {} columns, but {} rows",
                                    to_string(a), to_string(b), result.k, rows);
  const Shape a_batch = without_matrix(a), b_batch = without_matrix(b);
  SHIPWAY_ASSIGN_OR_RETURN(result.batch, broadcast_shapes(a_batch, b_batch));
  SHIPWAY_ASSIGN_OR_RETURN(result.batch_count, element_count(result.batch));
  result.a_strides = broadcast_strides(a_batch, result.batch);
  result.b_strides = broadcast_strides(b_batch, result.batch);
  result.output = result.batch;
  if (a.size() > 1) result.output.push_back(result.m);
  if (b.size() > 1) result.output.push_back(result.n);
  return result;
}

Result<Dims> matmul_dims(const Dims& a, const Dims& b, DimTable& dims) {
  if (a.empty() || b.empty())
    return Status::invalid_model("one factor is a scalar, expected at least rank 1");
  const Dim columns = a[a.size() - 1];
  const Dim rows = b.size() > 1 ? b[b.size() - 2] : b[0];
  if (columns.is_constant() && rows.is_constant() && columns != rows)
    return Status::invalid_model("the first factor has {} columns, but the second has {} rows",
                                 columns.value(), rows.value());
  SHIPWAY_ASSIGN_OR_RETURN(Dims result, broadcast_dims(without_matrix(a), without_matrix(b), dims));
  if (a.size() > 1) result.push_back(a[a.size() - 2]);
  if (b.size() > 1) result.push_back(b[b.size() - 1]);
  return result;
}

Status infer_matmul(InferContext& context, size_t a, size_t b, DType dtype) {
  context.set_output_dtype(0, dtype);
  if (!context.input_dims(a) || !context.input_dims(b)) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(
      Dims dims, matmul_dims(*context.input_dims(a), *context.input_dims(b), context.dims()));
  context.set_output(0, dtype, std::move(dims));
  return Status::ok();
}

}  // namespace shipway
