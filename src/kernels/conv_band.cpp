#include "kernels/conv_band.h"

#include <algorithm>
#include <cstring>

#include "kernels/sizes.h"

namespace shipway::kernels {
namespace {

constexpr size_t kHeight = 1, kWidth = 2;

/// Input positions that `count` neighbouring outputs of one axis reach over.
int64_t reach(const ConvProblem& problem, size_t axis, int64_t count) {
  return (count - 1) * problem.strides[axis] +
         (problem.kernel[axis] - 1) * problem.dilations[axis] + 1;
}

bool touches_padding(const ConvProblem& problem, const ConvDims& dims, size_t axis) {
  return dims.pads[axis] != 0 || reach(problem, axis, dims.out[axis]) > dims.in[axis];
}

/// Size of equal parts of `total`, each at most `most` and a multiple of `step` where there are
/// several.
int64_t even_part(int64_t total, int64_t most, int64_t step) {
  if (total <= most) return total;
  const int64_t parts = parts_of(total, most);
  const int64_t size = parts_of(total, parts);
  return std::min(total, round_up(size, step));
}

}  // namespace

BandShape band_shape(const ConvProblem& problem, const ConvDims& dims, int64_t pixel,
                     int64_t channels, int64_t column_step, int64_t budget_floats, bool copy,
                     int64_t slack) {
  BandShape shape;
  shape.pixel = pixel;
  if (dims.out[kHeight] == 0 || dims.out[kWidth] == 0) return shape;  // no bands
  shape.in_place =
      !copy && !touches_padding(problem, dims, kHeight) && !touches_padding(problem, dims, kWidth);
  constexpr int64_t kMostColumns = 168;  // tuned
  shape.columns = even_part(dims.out[kWidth], kMostColumns, column_step);
  shape.in_columns = reach(problem, kWidth, shape.columns);
  const int64_t floats_of_row = std::max<int64_t>(1, channels * shape.in_columns * pixel);
  const int64_t affordable = budget_floats / floats_of_row;
  const int64_t halo = reach(problem, kHeight, 1);
  int64_t rows = affordable > halo ? (affordable - halo) / problem.strides[kHeight] + 1 : 1;
  // One row at a time would copy every input row once for each tap row.
  rows = std::max<int64_t>(rows, problem.kernel[kHeight] > 1 ? 2 : 1);
  shape.rows = even_part(dims.out[kHeight], rows, 1);
  shape.in_rows = reach(problem, kHeight, shape.rows);
  shape.row_bands = parts_of(dims.out[kHeight], shape.rows);
  shape.column_bands = parts_of(dims.out[kWidth], shape.columns);
  if (shape.in_place) {
    shape.row_stride = dims.in[kWidth] * pixel;
    shape.channel_stride = dims.in[0] * dims.in[kHeight] * dims.in[kWidth] * pixel;
  } else {
    shape.row_stride = shape.in_columns * pixel;
    shape.channel_stride = shape.in_rows * shape.row_stride;
    shape.slack = slack;
    shape.scratch_floats = channels * shape.channel_stride + slack;
  }
  return shape;
}

Band load_band(const BandShape& shape, const ConvProblem& problem, const ConvDims& dims,
               const float* x, int64_t plane_stride, int64_t channels, int64_t index,
               float* scratch) {
  Band band{};
  band.row_begin = index / shape.column_bands * shape.rows;
  band.column_begin = index % shape.column_bands * shape.columns;
  band.row_end = std::min(band.row_begin + shape.rows, dims.out[kHeight]);
  band.column_end = std::min(band.column_begin + shape.columns, dims.out[kWidth]);
  const int64_t first_row = band.row_begin * problem.strides[kHeight] - dims.pads[kHeight];
  const int64_t first_column = band.column_begin * problem.strides[kWidth] - dims.pads[kWidth];
  if (shape.in_place) {
    band.base = x + first_row * shape.row_stride + first_column * shape.pixel;
    return band;
  }
  const int64_t rows = reach(problem, kHeight, band.row_end - band.row_begin);
  const int64_t columns = reach(problem, kWidth, band.column_end - band.column_begin);
  const int64_t width = dims.in[kWidth];
  const int64_t left = std::clamp<int64_t>(-first_column, 0, columns);
  const int64_t copied = std::max<int64_t>(
      0, std::min(first_column + columns, width) - std::max<int64_t>(first_column, 0));
  const int64_t right = columns - left - copied;
  const auto bytes = [&](int64_t pixels) {
    return static_cast<size_t>(pixels * shape.pixel) * sizeof(float);
  };
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t r = 0; r < rows; ++r) {
      float* target = scratch + c * shape.channel_stride + r * shape.row_stride;
      const int64_t row = first_row + r;
      if (row < 0 || row >= dims.in[kHeight]) {
        std::memset(target, 0, bytes(columns));
        continue;
      }
      const float* source =
          x + c * plane_stride + (row * width + std::max<int64_t>(first_column, 0)) * shape.pixel;
      std::memset(target, 0, bytes(left));
      if (copied > 0) std::memcpy(target + left * shape.pixel, source, bytes(copied));
      std::memset(target + (left + copied) * shape.pixel, 0, bytes(right));
    }
  }
  if (shape.slack > 0)
    std::memset(scratch + shape.scratch_floats - shape.slack, 0,
                static_cast<size_t>(shape.slack) * sizeof(float));
  band.base = scratch;
  return band;
}

ConvDims flatten_pointwise(const ConvProblem& problem, const ConvDims& dims) {
  const bool pointwise = problem.kernel == Spatial{1, 1, 1} &&
                         problem.strides == Spatial{1, 1, 1} && dims.in == dims.out &&
                         dims.pads == Spatial{0, 0, 0};
  if (!pointwise) return dims;
  ConvDims flat = dims;
  flat.in = flat.out = {1, 1, dims.in[0] * dims.in[1] * dims.in[2]};
  return flat;
}

Status check_conv_dims(const ConvProblem& problem, const ConvDims& dims) {
  for (size_t axis = 0; axis < 3; ++axis) {
    if (dims.in[axis] < 0 || dims.out[axis] < 0 || dims.pads[axis] < 0)
      return Status::internal("spatial axis {} has size {}, output {}, pad {}", axis, dims.in[axis],
                              dims.out[axis], dims.pads[axis]);
    if (problem.kernel[axis] < 1 || problem.strides[axis] < 1 || problem.dilations[axis] < 1)
      return Status::internal("spatial axis {} has kernel {}, stride {}, dilation {}", axis,
                              problem.kernel[axis], problem.strides[axis], problem.dilations[axis]);
  }
  return Status::ok();
}

Status check_flat_conv_dims(const ConvProblem& problem, const ConvDims& dims) {
  SHIPWAY_RETURN_IF_ERROR(check_conv_dims(problem, dims));
  if (dims.pads[0] != 0 || dims.in[0] != dims.out[0])
    return Status::internal("padding along the depth of a kernel of depth 1");
  return Status::ok();
}

PanelUnits panel_units(int64_t panels, int64_t places) {
  constexpr int64_t kUnitsWanted = 16;  // tuned
  const int64_t divisions = std::clamp<int64_t>(
      parts_of(kUnitsWanted, std::max<int64_t>(places, 1)), 1, std::max<int64_t>(panels, 1));
  const int64_t panels_of_unit = parts_of(panels, divisions);
  return {panels_of_unit, panels == 0 ? 0 : parts_of(panels, panels_of_unit)};
}

Cost conv_cost(const ConvProblem& problem, const ConvDims& dims, double flops_per_nanosecond) {
  const auto product = [](const Spatial& s) {
    return static_cast<double>(s[0]) * static_cast<double>(s[1]) * static_cast<double>(s[2]);
  };
  const double in = product(dims.in), out = product(dims.out), taps = product(problem.kernel);
  const double per_group =
      static_cast<double>(problem.channels_in) / static_cast<double>(problem.group);
  const double channels_out = static_cast<double>(problem.channels_out),
               batch = static_cast<double>(dims.batch);
  Cost cost;
  cost.flops = problem.transposed ? 2 * batch * in * static_cast<double>(problem.channels_in) *
                                        taps * channels_out / static_cast<double>(problem.group)
                                  : 2 * batch * out * channels_out * per_group * taps;
  cost.bytes = 4 * (batch * (in * static_cast<double>(problem.channels_in) + out * channels_out) +
                    channels_out * per_group * taps);
  cost.nanoseconds = std::max(cost.flops / flops_per_nanosecond, cost.bytes / 20);  // tuned
  return cost;
}

}  // namespace shipway::kernels
