// Windows: what convolutions and pools share. A window of `kernel` taps slides over the spatial
// axes; kernel_shape, strides, dilations, pads, auto_pad and ceil_mode say where.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "operators/operator.h"

namespace shipway {

struct Windows {
  enum class AutoPad : uint8_t { kNotSet, kSameUpper, kSameLower, kValid };

  Shape kernel, strides, dilations, pads_begin, pads_end;  // one per spatial axis
  AutoPad auto_pad = AutoPad::kNotSet;
  bool ceil = false;  // sizes of the output round up

  size_t rank() const { return kernel.size(); }
  int64_t taps() const;
  /// Elements that a window spans along `axis`.
  int64_t extent(size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
  /// Output size along `axis` for an input of `size`.
  Dim output_dim(DimTable& dims, size_t axis, Dim size) const;
  /// Output sizes for known input sizes; `pads_begin` and `pads_end` become what auto_pad means. An
  /// error when not even one window fits.
  Result<Shape> place_on(std::span<const int64_t> input);
  /// True when every window is one element and none is skipped or added.
  bool is_pointwise() const;
};

/// The attributes of a node over `rank` spatial axes, checked. `kernel` holds the sizes that the
/// weights say (empty: only the attribute does); an attribute that says otherwise is an error.
Result<Windows> read_windows(const AttributeReader& attributes, size_t rank,
                             std::span<const int64_t> kernel = {});

/// Walks the windows of one plane row by row of the output: which rows of the input each tap of the
/// outer axes reads, and which stretch of a row each tap of the last axis reads.
class WindowRows {
 public:
  /// `windows` as left by place_on(input), which gave `output`.
  WindowRows(const Windows& windows, std::span<const int64_t> input,
             std::span<const int64_t> output);

  /// A tap of the outer axes that lies inside the input.
  struct Tap {
    int64_t tap = 0;    // its number, times the taps of the last axis
    int64_t start = 0;  // where its row of the input starts, in elements of the plane
  };
  /// A tap of the last axis: output columns begin <= x < end read input column x * stride + shift.
  struct Column {
    int64_t begin = 0, end = 0, shift = 0;
  };

  int64_t row_count() const { return row_count_; }
  int64_t row_length() const { return row_length_; }  // of the output
  int64_t stride() const { return stride_; }          // of the last axis
  int64_t input_size() const { return input_size_; }  // elements of a plane
  int64_t output_size() const { return row_count_ * row_length_; }
  std::span<const Column> columns() const { return columns_; }
  /// Taps of output row `row`; valid until the next call.
  std::span<const Tap> taps_of(int64_t row);

 private:
  Windows windows_;
  Shape input_, output_;
  int64_t row_count_ = 1, row_length_ = 1, stride_ = 1, input_size_ = 1;
  std::vector<Column> columns_;
  std::vector<Tap> taps_;
};

}  // namespace shipway
