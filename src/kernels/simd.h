// The functions that Highway files compile once for each instruction set, as tables of pointers. A
// plan picks the table of its own instruction set, so that several sets can be used (and tested) in
// one process.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace shipway::kernels {

/// y[i] = op(a[i], b[i], c[i]) for i < n. No alignment needed; y may be the same memory as an
/// argument. Unused arguments may be null.
using ElementwiseFunction = void (*)(const float* a, const float* b, const float* c, float p,
                                     float q, float* y, int64_t n);
/// Indexed by Opcode; null for kScalar.
const ElementwiseFunction* elementwise_functions(Isa isa);

/// Functions over one contiguous row. Sums are fp32 in a fixed number of interleaved partial sums;
/// callers keep n at or below kRowChunk and add chunks in double. NaN wins in maximum and minimum.
constexpr int64_t kRowChunk = 4096;
struct RowFunctions {
  float (*sum)(const float* x, int64_t n);
  float (*sum_abs)(const float* x, int64_t n);
  float (*sum_square)(const float* x, int64_t n);
  float (*product)(const float* x, int64_t n);
  float (*maximum)(const float* x, int64_t n);  // -inf for n = 0
  float (*minimum)(const float* x, int64_t n);  // +inf for n = 0
  /// sum of (x[i] - mean)^2
  float (*sum_square_difference)(const float* x, float mean, int64_t n);
  /// y[i] = e^(x[i] - shift), returning their sum; y may be x, or null.
  float (*exp_sum)(const float* x, float shift, float* y, int64_t n);
  /// y[i] = (x[i] - mean) * factor * scale[i] + bias[i]; scale and bias may be null; y may be x.
  void (*normalize)(const float* x, float mean, float factor, const float* scale, const float* bias,
                    float* y, int64_t n);
};
const RowFunctions& row_functions(Isa isa);

/// The horizontal half of pooling: output o (of `pixel` floats) combines `taps` pixels of x, from
/// pixel o * stride, `dilation` apart. `pixel` is 1 or whole vectors.
constexpr int64_t kPoolSlack = 64;  // with pixel = 1, x must be readable that many floats further
struct PoolRow {
  const float* x;
  float* y;
  int64_t count, pixel, stride, dilation, taps;
  const float* divisors;  // one for each output, or null: the sum is divided by it
};
struct PoolFunctions {
  void (*maximum)(const PoolRow& row);
  void (*sum)(const PoolRow& row);
};
const PoolFunctions& pool_functions(Isa isa);

/// Resize along the height: y[i] = sum_t weights[t] * rows[t][i].
/// Resize along the width: y[o * inner + j] = sum_t weights[o * taps + t] * x[indices[o * taps + t]
/// * inner + j].
struct ResizeFunctions {
  void (*vertical)(const float* const* rows, const float* weights, int64_t taps, float* y,
                   int64_t n);
  void (*horizontal)(const float* x, const int32_t* indices, const float* weights, int64_t taps,
                     float* y, int64_t count, int64_t inner);
};
const ResizeFunctions& resize_functions(Isa isa);

/// A cell of a recurrent layer for one row of the batch, after its products. Rows of gates lie as
/// RecurrentWeights (pack.h) says; `padded` units are whole vectors. `h` and `c` become the next
/// state.
struct RecurrentFunctions {
  void (*rnn)(const float* gates, bool relu, float* h, int64_t padded);
  /// reset[j] = sigmoid(r[j]) * h[j], r one of the gates.
  void (*gru_reset)(const float* gates, const float* h, float* reset, int64_t padded);
  /// `candidate`, when given, is what sigmoid(r) multiplies before it is added to the third gate.
  void (*gru)(const float* gates, const float* candidate, float* h, int64_t padded);
  /// `peepholes`: input, output, forget, each `padded`; or null.
  void (*lstm)(const float* gates, const float* peepholes, float* c, float* h, int64_t padded);
};
const RecurrentFunctions& recurrent_functions(Isa isa);

}  // namespace shipway::kernels
