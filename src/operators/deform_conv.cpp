// DeformConv: convolution whose taps are moved by learned offsets.
//
// A tap of output position o reads x at o * stride + k * dilation - pad + offset[o, k], by bilinear
// interpolation with zeros outside, times mask[o, k].
#include <array>
#include <cmath>

#include "operators/reals.h"
#include "operators/shape_rules.h"
#include "operators/windows.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "dilations: ints?; group: int = 1; kernel_shape: ints?; offset_group: int = 1; "
    "pads: ints?; strides: ints?";

Status infer_deform_conv(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  const Dims *x = context.input_dims(0), *w = context.input_dims(1),
             *offset = context.input_dims(2);
  if (!x) return Status::ok();
  if (x->size() < 3 || (w && w->size() != x->size()) || (offset && offset->size() != x->size()))
    return Status::invalid_model("'X', 'W' and 'offset' differ in rank or have less than 3 axes");
  Dims y(x->size());
  y[0] = (*x)[0];
  if (w) y[1] = (*w)[0];
  for (size_t i = 2; offset && i < y.size(); ++i) y[i] = (*offset)[i];
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

/// The four neighbours of a point of a plane; those outside have weight zero.
struct Bilinear {
  std::array<int64_t, 4> positions{};
  std::array<double, 4> weights{};

  Bilinear(double y, double x, int64_t height, int64_t width, double factor) {
    if (!(y > -1 && x > -1 && y < static_cast<double>(height) && x < static_cast<double>(width)))
      return;
    const double top = std::floor(y), left = std::floor(x);
    for (int i = 0; i < 4; ++i) {
      const int64_t row = static_cast<int64_t>(top) + i / 2,
                    column = static_cast<int64_t>(left) + i % 2;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const auto at = static_cast<size_t>(i);
      positions[at] = row * width + column;
      weights[at] =
          (i / 2 ? y - top : 1 - (y - top)) * (i % 2 ? x - left : 1 - (x - left)) * factor;
    }
  }
};

Status evaluate_deform_conv(EvaluateContext& context) {
  const Tensor &x = context.input(0), &w = context.input(1), &offset = context.input(2);
  if (x.rank() != 4) {
    if (x.rank() > 4)
      return Status::unsupported("DeformConv over {} spatial axes; two are implemented",
                                 x.rank() - 2);
    return Status::invalid_argument("input 'X' is [{}], expected rank 4", to_string(x.shape()));
  }
  const int64_t group = context.int_attribute("group");
  const int64_t offset_group = context.int_attribute("offset_group");
  if (w.rank() != 4 || group < 1 || offset_group < 1 || x.dim(1) % group != 0 ||
      w.dim(1) != x.dim(1) / group || w.dim(0) % group != 0 || x.dim(1) % offset_group != 0)
    return Status::invalid_argument(
        "'X' [{}] and 'W' [{}] do not fit {} groups and {} offset groups", to_string(x.shape()),
        to_string(w.shape()), group, offset_group);
  const std::span<const int64_t> size(x.shape().data() + 2, 2);
  SHIPWAY_ASSIGN_OR_RETURN(Windows windows, read_windows(context, 2, {w.shape().data() + 2, 2}));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape placed, windows.place_on(size));
  const int64_t taps = windows.taps(), height = placed[0], width = placed[1];
  const int64_t points = height * width;
  const auto expect = [&](size_t i, const Shape& shape) -> Status {
    if (!context.has_input(i) || context.input(i).shape() == shape) return Status::ok();
    return Status::invalid_argument("input '{}' is [{}], expected [{}]",
                                    context.schema().inputs[i].name,
                                    to_string(context.input(i).shape()), to_string(shape));
  };
  SHIPWAY_RETURN_IF_ERROR(expect(2, {x.dim(0), offset_group * taps * 2, height, width}));
  SHIPWAY_RETURN_IF_ERROR(expect(3, {w.dim(0)}));
  SHIPWAY_RETURN_IF_ERROR(expect(4, {x.dim(0), offset_group * taps, height, width}));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> values, Reals<double>::of(x));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> weights, Reals<double>::of(w));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> offsets, Reals<double>::of(offset));
  std::vector<double> bias(static_cast<size_t>(w.dim(0)), 0.0), mask;
  if (context.has_input(3)) {
    SHIPWAY_ASSIGN_OR_RETURN(bias, to_doubles(context.input(3)));
  }
  if (context.has_input(4)) {
    SHIPWAY_ASSIGN_OR_RETURN(mask, to_doubles(context.input(4)));
  }
  SHIPWAY_ASSIGN_OR_RETURN(
      RealOutput<double> y,
      RealOutput<double>::allocate(context, 0, x.dtype(), {x.dim(0), w.dim(0), height, width}));
  const int64_t channels = w.dim(1), filters = w.dim(0) / group;
  const int64_t per_offset_group = x.dim(1) / offset_group, plane = x.dim(2) * x.dim(3);
  for (int64_t n = 0; n < x.dim(0); ++n) {
    for (int64_t f = 0; f < w.dim(0); ++f)
      std::fill_n(y.data() + (n * w.dim(0) + f) * points, points, bias[static_cast<size_t>(f)]);
    for (int64_t p = 0; p < points; ++p) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t row = tap / windows.kernel[1], column = tap % windows.kernel[1];
        const auto base_y = static_cast<double>(p / width * windows.strides[0] +
                                                row * windows.dilations[0] - windows.pads_begin[0]);
        const auto base_x = static_cast<double>(
            p % width * windows.strides[1] + column * windows.dilations[1] - windows.pads_begin[1]);
        for (int64_t c = 0; c < x.dim(1); ++c) {
          const int64_t moved = (n * offset_group + c / per_offset_group) * taps + tap;
          const Bilinear point(base_y + offsets[moved * 2 * points + p],
                               base_x + offsets[(moved * 2 + 1) * points + p], x.dim(2), x.dim(3),
                               mask.empty() ? 1 : mask[static_cast<size_t>(moved * points + p)]);
          const double* from = values.data() + (n * x.dim(1) + c) * plane;
          double value = 0;
          for (size_t k = 0; k < 4; ++k) value += point.weights[k] * from[point.positions[k]];
          const int64_t first = c / channels * filters;
          for (int64_t f = first; f < first + filters; ++f)
            y.data()[(n * w.dim(0) + f) * points + p] +=
                value * weights[(f * channels + c % channels) * taps + tap];
        }
      }
    }
  }
  return y.finish(context);
}

}  // namespace

const Operator& deform_conv_operator() {
  static const Operator definition{
      .name = "DeformConv",
      .summary = "Convolution whose taps are moved by learned offsets.",
      .versions = {{.since = 19,
                    .signature = "(X: T, W: T, offset: T, B?: T, mask?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = "(X: T, W: T, offset: T, B?: T, mask?: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_deform_conv,
      .evaluate = evaluate_deform_conv,
  };
  return definition;
}

}  // namespace shipway
