// How kernels apply an Epilogue: the cheap forms inside the micro-kernel, the others on a finished
// tile in cache.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/tiles.h"

namespace shipway::kernels {

/// An Epilogue sorted by who does it. Plain data for a bound kernel's state.
struct EpilogueForm {
  bool add = false;      // inputs[3] is added in the micro-kernel
  bool clip = false;     // then limited to [low, high]
  bool generic = false;  // neither: all steps run through apply_epilogue
  float low = 0, high = 0;
};
EpilogueForm epilogue_form(const Epilogue& epilogue);
/// The form for a channel-blocked output: steps that make something of a zero tail all run generic,
/// which clears it again.
EpilogueForm blocked_epilogue_form(const Epilogue& epilogue);

/// What the tiles of a panel of `width` channels, the first `channel` of `channels`, have in common
/// in a channel-blocked output whose blocks are `block_stride` floats apart: `bias` (may be null)
/// and limits. A panel that reaches beyond the last channel gets its bias in `padded_bias`.
TileArguments blocked_tile(const EpilogueForm& form, const float* bias, int64_t channel,
                           int64_t width, int64_t channels, int64_t block_stride,
                           float* padded_bias);

/// Whether a zero output before the steps is zero after them, so that a blocked layout's tail stays
/// zero.
bool preserves_zero_tail(const Epilogue& epilogue);

/// Runs the steps of an epilogue on contiguous runs of outputs.
class EpilogueRunner {
 public:
  static constexpr int64_t kRun = 512;  // longest run of one call
  /// Floats of scratch needed.
  static int64_t scratch_floats(const Epilogue& epilogue) { return kRun * epilogue.step_count; }

  EpilogueRunner(const Epilogue& epilogue, Isa isa, const Views& views, float* scratch);

  /// y[0..n), n <= kRun, is the output at `offset`, all in channels starting at `channel`: a row of
  /// a GEMM (lanes = 0: neighbours are neighbouring channels) or pixels of one block of `lanes`
  /// channels. `channels` limits what is read.
  void apply(float* y, int64_t n, int64_t offset, int64_t channel, int64_t lanes, int64_t channels);

  /// The same over a rectangle of a channel-blocked output: `blocks` channel blocks, the first at
  /// `channel`, of `rows` rows, each `row_floats` floats and `row_stride` after the one before.
  struct Rectangle {
    int64_t offset;  // of the first row of the first block
    int64_t blocks, block_stride, rows, row_stride, row_floats;
  };
  void apply_blocked(float* y, const Rectangle& rectangle, int64_t channel, int64_t lanes,
                     int64_t channels);

 private:
  const Epilogue& epilogue_;
  Isa isa_;
  float* scratch_;
  std::array<const float*, Epilogue::kMaxSteps> operands_{};
  int64_t prepared_channel_ = -1;  // the block whose per-channel operands are repeated in scratch
};

}  // namespace shipway::kernels
