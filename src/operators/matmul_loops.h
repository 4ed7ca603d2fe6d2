// Matrix products, for every operator that has one inside.
#pragma once

#include <algorithm>
#include <vector>

#include "operators/loops.h"

namespace shipway {

inline constexpr int64_t kFewColumns = 4;

/// multiply_matrices where the columns are too few for a loop over them: a dot product each, in
/// four parts.
template <typename T, typename Sum>
void multiply_few_columns(const T* a, const T* b, Sum* c, int64_t m, int64_t k, int64_t n) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const T *x = a + i * k, *y = b + j;
      Sum sums[4] = {};
      int64_t p = 0;
      for (; p + 4 <= k; p += 4)
        for (int64_t part = 0; part < 4; ++part)
          sums[part] += static_cast<Sum>(x[p + part]) * static_cast<Sum>(y[(p + part) * n]);
      for (; p < k; ++p) sums[0] += static_cast<Sum>(x[p]) * static_cast<Sum>(y[p * n]);
      c[i * n + j] += (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
  }
}

/// c[m,n] += a[m,k] b[k,n], all row-major and dense. Sums run over k in order, four at a time, in
/// Sum: double for floats, uint64_t for whole numbers (whose low bits are right for signed ones
/// too).
template <typename T, typename Sum>
void multiply_matrices(const T* a, const T* b, Sum* c, int64_t m, int64_t k, int64_t n) {
  if (k == 0) return;  // sums of nothing; a and b may be null
  if (n < kFewColumns) return multiply_few_columns(a, b, c, m, k, n);
  constexpr int64_t kColumns = 256;  // of c and b at a time: 2 KB of sums stay in the first cache
  for (int64_t first = 0; first < n; first += kColumns) {
    const int64_t columns = std::min(kColumns, n - first);
    for (int64_t i = 0; i < m; ++i) {
      Sum* sums = c + i * n + first;
      const T* row = a + i * k;
      int64_t p = 0;
      for (; p + 4 <= k; p += 4) {
        const Sum x0 = row[p], x1 = row[p + 1], x2 = row[p + 2], x3 = row[p + 3];
        const T *y0 = b + p * n + first, *y1 = y0 + n, *y2 = y1 + n, *y3 = y2 + n;
        for (int64_t j = 0; j < columns; ++j)
          sums[j] += x0 * static_cast<Sum>(y0[j]) + x1 * static_cast<Sum>(y1[j]) +
                     x2 * static_cast<Sum>(y2[j]) + x3 * static_cast<Sum>(y3[j]);
      }
      for (; p < k; ++p) {
        const Sum x = row[p];
        const T* y = b + p * n + first;
        for (int64_t j = 0; j < columns; ++j) sums[j] += x * static_cast<Sum>(y[j]);
      }
    }
  }
}

/// The sizes of a product of stacks of matrices, by numpy's rules: leading axes broadcast, vectors
/// count as a row (left) or a column (right) whose axis the result does not have.
struct MatMulShape {
  int64_t m = 1, k = 1, n = 1;
  Shape batch;                 // leading axes of the result
  Shape a_strides, b_strides;  // along `batch`, in matrices
  Shape output;
  int64_t batch_count = 1;

  static Result<MatMulShape> of(const Shape& a, const Shape& b);
  Result<int64_t> output_count() const { return element_count(output); }
};

/// The same for inference.
Result<Dims> matmul_dims(const Dims& a, const Dims& b, DimTable& dims);
/// Output 0 = the product of inputs `a` and `b` as `dtype`, whose sizes are as far as known
/// matmul_dims.
Status infer_matmul(InferContext& context, size_t a, size_t b, DType dtype);

/// c = a b for every matrix of the stacks; `c` holds as many elements as the output.
template <typename T, typename Sum>
Status multiply_stacks(const EvaluateContext& context, const MatMulShape& shape, const T* a,
                       const T* b, Sum* c) {
  constexpr int64_t kWork = 16 << 20;  // products between two looks at the run's limits
  int64_t index = 0;
  for (StridedWalk walk(shape.batch, {shape.a_strides, shape.b_strides}); !walk.done();
       walk.next(), ++index) {
    const T* left = a + walk.offset(0) * shape.m * shape.k;
    const T* right = b + walk.offset(1) * shape.k * shape.n;
    Sum* out = c + index * shape.m * shape.n;
    const int64_t rows = std::max<int64_t>(1, kWork / std::max<int64_t>(1, shape.k * shape.n));
    for (int64_t first = 0; first < shape.m; first += rows) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      multiply_matrices(left + first * shape.k, right, out + first * shape.n,
                        std::min(rows, shape.m - first), shape.k, shape.n);
    }
  }
  return Status::ok();
}

}  // namespace shipway
