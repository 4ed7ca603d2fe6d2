// Sizes and positions inside packed weights, shared by pack.cpp and the kernels that read them.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace shipway::kernels {

/// Panels of columns: every panel is [k][width] and has the full width but the last, which has as
/// many whole vectors as it needs. Columns beyond n are zero.
struct Panels {
  int64_t n, k;
  int32_t panel, vector;

  int64_t count() const { return (n + panel - 1) / panel; }
  int64_t width(int64_t index) const {
    const int64_t left = n - index * panel;
    return left >= panel ? panel : (left + vector - 1) / vector * vector;
  }
  int64_t offset(int64_t index) const { return index * panel * k; }  // floats
  int64_t floats() const { return count() == 0 ? 0 : offset(count() - 1) + k * width(count() - 1); }
};

/// Taps of one axis of a transposed convolution that reach output positions o with (o + pad) %
/// stride == phase.
inline int64_t phase_taps(int64_t kernel, int64_t stride, int64_t dilation, int64_t phase) {
  int64_t taps = 0;
  for (int64_t k = 0; k < kernel; ++k) taps += k * dilation % stride == phase;
  return taps;
}

PackRecipe gemm_recipe(int64_t n, int64_t k, bool transposed, int panel, int vector);
/// `merged` groups are packed as one, with zeros between them.
PackRecipe conv_recipe(const ConvProblem& problem, int block, int panel, int vector, int merged);
PackRecipe depthwise_recipe(int64_t channels, int64_t taps, int block);
PackRecipe transpose_recipe(const ConvProblem& problem);

/// Packs columns [0, n) of a matrix whose element (row i, column j) is source[i * row_stride + j *
/// column_stride].
void pack_panels(const Panels& panels, const float* source, int64_t row_stride,
                 int64_t column_stride, float* destination);

}  // namespace shipway::kernels
