// The parts of a convolution that Conv, ConvInteger and QLinearConv share.
#pragma once

#include <span>

#include "operators/windows.h"

namespace shipway {

/// Sizes of a convolution, checked against its inputs.
struct Convolution {
  Shape shape;              // of the output: [batch, filters, space ...]
  int64_t output_count;     // its elements
  int64_t channels, group;  // of the input
  int64_t taps;             // of a filter for one channel
  WindowRows rows;
};

/// From the attributes of Conv and the tensors at inputs `x` and `w`.
Result<Convolution> read_convolution(const EvaluateContext& context, size_t x, size_t w);

/// Output 0 of `dtype`, its sizes from those of inputs `x` and `w`.
Status infer_convolution(InferContext& context, size_t x, size_t w, DType dtype);

/// y = bias[filter] + the sum of products of each window, summed in double. Built for T = float and
/// double.
template <typename T>
Status convolve(const EvaluateContext& context, const Convolution& convolution, const T* x,
                const T* w, std::span<const double> bias, T* y);

}  // namespace shipway
