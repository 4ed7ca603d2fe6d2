// Det: determinant of each square matrix.
#include <algorithm>
#include <cmath>

#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_det(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  const Dims* dims = context.input_dims(0);
  if (!dims) return Status::ok();
  if (dims->size() < 2)
    return Status::invalid_model("input 0 has rank {}, expected matrices", dims->size());
  const Dim rows = (*dims)[dims->size() - 2], columns = (*dims)[dims->size() - 1];
  if (rows.is_constant() && columns.is_constant() && rows != columns)
    return Status::invalid_model("input 0 has matrices of {} by {}, expected square ones",
                                 rows.value(), columns.value());
  Dims batch;
  for (size_t i = 0; i + 2 < dims->size(); ++i) batch.push_back((*dims)[i]);
  context.set_output(0, context.input_dtype(0), std::move(batch));
  return Status::ok();
}

/// Product of the pivots of Gaussian elimination with row exchanges; `a` [n, n] is overwritten.
double determinant(double* a, int64_t n) {
  double result = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + k * n + n, a + pivot * n);
      result = -result;
    }
    result *= a[k * n + k];
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (int64_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return result;
}

Status evaluate_det(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  const auto rank = static_cast<size_t>(x.rank());
  if (rank < 2 || x.dim(rank - 1) != x.dim(rank - 2))
    return Status::invalid_argument("input 0 has shape {}, expected square matrices",
                                    to_string(x.shape()));
  const int64_t n = x.dim(rank - 1);
  Shape batch;
  for (size_t i = 0; i + 2 < rank; ++i) batch.push_back(x.dim(i));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(batch));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  std::vector<double> results;
  for (int64_t i = 0; i < count; ++i) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    results.push_back(determinant(values.data() + i * n * n, n));
  }
  return write_output(context, 0, x.dtype(), batch, results);
}

}  // namespace

const Operator& det_operator() {
  static const Operator definition{
      .name = "Det",
      .summary = "Determinant of each square matrix.",
      .versions = {{.since = 11, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_det,
      .evaluate = evaluate_det,
  };
  return definition;
}

}  // namespace shipway
