// Sizes and positions inside packed weights, shared by pack.cpp and the kernels that read them.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/sizes.h"

namespace shipway::kernels {

/// Panels of columns: every panel is [k][width] and has the full width but the last, which has as
/// many whole vectors as it needs. Columns beyond n are zero.
struct Panels {
  int64_t n, k;
  int32_t panel, vector;

  int64_t count() const { return parts_of(n, panel); }
  int64_t width(int64_t index) const {
    const int64_t left = n - index * panel;
    return left >= panel ? panel : round_up(left, vector);
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
PackRecipe winograd_recipe(const ConvProblem& problem, int panel, int vector);
PackRecipe depthwise_recipe(int64_t channels, int64_t taps, int block);
PackRecipe transpose_recipe(const ConvProblem& problem);

/// Where the packed weights of one direction of a recurrent layer are, in floats. Both matrices are
/// panels of two vectors over `columns()` gate columns. Units are padded to whole panels, with zero
/// weights, which keeps their states zero. Columns come in two runs: first the joined gates, vector
/// by vector of units (LSTM: input, output, forget, cell; GRU: update, reset; RNN: its one), then
/// the others gate by gate (GRU: the candidate).
struct RecurrentWeights {
  RecurrentCell cell;
  int64_t directions, hidden, input;
  int32_t lanes;
  bool has_peepholes;

  int64_t gates() const {
    return cell == RecurrentCell::kLstm ? 4 : cell == RecurrentCell::kGru ? 3 : 1;
  }
  int64_t joined_gates() const { return cell == RecurrentCell::kGru ? 2 : gates(); }
  int64_t padded() const { return (hidden + 2 * lanes - 1) / (2 * lanes) * (2 * lanes); }
  int64_t columns() const { return gates() * padded(); }
  /// The column of `gate` (numbered as in ONNX) of a unit.
  int64_t column(int64_t gate, int64_t unit) const {
    const int64_t joined = joined_gates();
    return gate < joined ? unit / lanes * joined * lanes + gate * lanes + unit % lanes
                         : gate * padded() + unit;
  }
  int64_t input_matrix() const { return 0; }
  int64_t state_matrix() const { return columns() * input; }
  int64_t bias() const { return state_matrix() + columns() * hidden; }  // added to the inputs' part
  int64_t state_bias() const { return bias() + columns(); }  // of GRU's candidate, else zero
  int64_t peepholes() const { return state_bias() + columns(); }
  int64_t floats() const { return peepholes() + (has_peepholes ? 3 * padded() : 0); }
};
RecurrentWeights recurrent_weights(const PackRecipe& recipe);
PackRecipe recurrent_recipe(const RecurrentProblem& problem, int lanes);

/// Packs columns [0, n) of a matrix whose element (row i, column j) is source[i * row_stride + j *
/// column_stride].
void pack_panels(const Panels& panels, const float* source, int64_t row_stride,
                 int64_t column_stride, float* destination);

}  // namespace shipway::kernels
