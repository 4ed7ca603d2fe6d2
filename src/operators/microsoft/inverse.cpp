// Inverse of ONNX Runtime: the inverse of each square matrix.
#include <algorithm>
#include <cmath>

#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

Status infer_inverse(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (dims && dims->size() < 2)
    return Status::invalid_model("input 'X' has rank {}, expected matrices", dims->size());
  if (dims) {
    const Dim rows = (*dims)[dims->size() - 2], columns = dims->back();
    if (rows.is_constant() && columns.is_constant() && rows != columns)
      return Status::invalid_model("input 'X' has matrices of {} by {}, expected square ones",
                                   rows.value(), columns.value());
  }
  return infer_type_of_first_input(context);
}

/// Gauss and Jordan's elimination with row exchanges: `a` [n, n] becomes the identity as `inverse`,
/// the identity at first, becomes the inverse. False when a pivot is 0.
bool invert(double* a, double* inverse, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return false;
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + k * n + n, a + pivot * n);
      std::swap_ranges(inverse + k * n, inverse + k * n + n, inverse + pivot * n);
    }
    const double scale = 1 / a[k * n + k];
    for (int64_t j = 0; j < n; ++j) {
      a[k * n + j] *= scale;
      inverse[k * n + j] *= scale;
    }
    for (int64_t i = 0; i < n; ++i) {
      const double factor = a[i * n + k];
      if (i == k || factor == 0) continue;
      for (int64_t j = 0; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
        inverse[i * n + j] -= factor * inverse[k * n + j];
      }
    }
  }
  return true;
}

Status evaluate_inverse(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  const auto rank = static_cast<size_t>(x.rank());
  if (rank < 2 || x.dim(rank - 1) != x.dim(rank - 2))
    return Status::invalid_argument("input 'X' has shape {}, expected square matrices",
                                    to_string(x.shape()));
  const int64_t n = x.dim(rank - 1);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  std::vector<double> inverses(values.size());
  const int64_t count = n == 0 ? 0 : x.element_count() / (n * n);
  for (int64_t i = 0; i < count; ++i) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    double* inverse = inverses.data() + i * n * n;
    for (int64_t k = 0; k < n; ++k) inverse[k * n + k] = 1;
    if (!invert(values.data() + i * n * n, inverse, n))
      return Status::invalid_argument("matrix {} of input 'X' has no inverse", i);
  }
  return write_output(context, 0, x.dtype(), x.shape(), inverses);
}

}  // namespace

const Operator& microsoft_inverse_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "Inverse",
      .summary = "The inverse of each square matrix.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"}},
      .infer = infer_inverse,
      .evaluate = evaluate_inverse,
  };
  return definition;
}

}  // namespace shipway
