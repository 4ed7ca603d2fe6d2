// The part of a convolution's input that a block of output rows and columns reads: in place where
// no padding is touched, else copied with its zeros into scratch, where every tap of every pixel is
// a plain offset.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/tiles.h"

namespace shipway::kernels {

/// How an output plane is divided into bands; the same for all planes of a bound convolution. Plain
/// data.
struct BandShape {
  bool in_place = false;
  int64_t rows = 1, columns = 1;  // of the output in a band; the last ones may be smaller
  int64_t row_bands = 0, column_bands = 0;
  int64_t in_rows = 0, in_columns = 0;         // of the input for a full band
  int64_t pixel = 1;                           // floats a pixel: the channel block, or 1 for plain
  int64_t row_stride = 0, channel_stride = 0;  // floats, in scratch or in the input
  int64_t slack = 0;                           // floats readable behind the last row of scratch
  int64_t scratch_floats = 0;
};

/// Output rows and columns [begin, end) of a band and where their input starts.
struct Band {
  int64_t row_begin, row_end, column_begin, column_end;
  const float* base;  // tap (0, 0) of the first pixel, first channel (block)
};

/// Divides the plane of `dims` for a convolution that reads `channels` channels or blocks at once.
/// `column_step` is the number of columns that tiles like; `copy` asks for scratch even without
/// padding, with `slack` floats behind.
BandShape band_shape(const ConvProblem& problem, const ConvDims& dims, int64_t pixel,
                     int64_t channels, int64_t column_step, int64_t budget_floats,
                     bool copy = false, int64_t slack = 0);

/// Band `index` of a plane; `x` is the plane of the first channel (block), the next ones follow by
/// `plane_stride` floats. Copies into `scratch` unless in place.
Band load_band(const BandShape& shape, const ConvProblem& problem, const ConvDims& dims,
               const float* x, int64_t plane_stride, int64_t channels, int64_t index,
               float* scratch);

/// Dims with a 1x1 convolution's rows joined into one long row, which divides into tiles without
/// remainders.
ConvDims flatten_pointwise(const ConvProblem& problem, const ConvDims& dims);

/// Checks what every convolution kernel relies on.
Status check_conv_dims(const ConvProblem& problem, const ConvDims& dims);
/// The same for kernels that have a depth of 1: each depth of the output is one of the input.
Status check_flat_conv_dims(const ConvProblem& problem, const ConvDims& dims);

/// How many groups are computed as one, with zero weights between them, so that groups are whole
/// channel blocks: narrow groups waste multiplications, but keep full vectors. (An infinite input
/// then reaches its neighbour groups as NaN.) 0 when it takes too many.
int64_t merged_groups(const ConvProblem& problem, int64_t lanes);

/// How the panels of output channels are divided into units of work: all panels of one place of the
/// output in a unit, which then reads the input once; fewer where `places` are too few to share
/// out.
struct PanelUnits {
  int64_t panels_of_unit, count;
};
PanelUnits panel_units(int64_t panels, int64_t places);

/// Flops and bytes of a convolution, and the time at `flops_per_nanosecond`.
Cost conv_cost(const ConvProblem& problem, const ConvDims& dims, double flops_per_nanosecond);

}  // namespace shipway::kernels
