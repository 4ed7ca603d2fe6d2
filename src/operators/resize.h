// Interpolation along axes, shared by Resize and the older operator Upsample.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operators/operator.h"

namespace shipway {

/// One axis to be resized, and how; names and meanings are those of Resize's attributes.
struct ResizeAxis {
  size_t axis = 0;
  int64_t size = 0;  // of the output
  double scale = 1;  // as asked for; output / input where sizes were given
  double roi_begin = 0, roi_end = 1;
};
struct ResizeOptions {
  enum class Mode : uint8_t { kNearest, kLinear, kCubic };
  enum class Coordinates : uint8_t {
    kHalfPixel,
    kHalfPixelSymmetric,
    kPytorchHalfPixel,
    kAlignCorners,
    kAsymmetric,
    kCropAndResize,
  };
  enum class Nearest : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
  Mode mode = Mode::kNearest;
  Coordinates coordinates = Coordinates::kHalfPixel;
  Nearest nearest = Nearest::kRoundPreferFloor;
  bool antialias = false;
  bool exclude_outside = false;
  double cubic_coefficient = -0.75;
  double extrapolation_value = 0;
};

/// Output 0 = input 0 resized along `axes`.
Status resize(EvaluateContext& context, const ResizeOptions& options,
              const std::vector<ResizeAxis>& axes);

/// floor(size * scale), computed in float32 as ONNX's shape inference does; an error names a scale
/// that is not positive or a size out of range.
Result<int64_t> scaled_size(int64_t size, float scale);
/// The same for a symbolic size; a fresh symbol where no expression says it.
Result<Dim> scaled_dim(DimTable& dims, Dim size, float scale);

}  // namespace shipway
