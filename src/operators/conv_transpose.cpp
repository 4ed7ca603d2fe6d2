// ConvTranspose: transposed convolution: spreads each input element over a window of the output.
//
// y[n, m, i * stride + k * dilation - pad] += w[c, m, k] * x[n, c, i], starting from b[m]
#include <algorithm>

#include "operators/reals.h"
#include "operators/shape_rules.h"
#include "operators/windows.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "auto_pad: string = 'NOTSET'; dilations: ints?; group: int = 1; "
    "kernel_shape: ints?; output_padding: ints?; output_shape: ints?; pads: ints?; "
    "strides: ints?";

/// Where the windows lie on the output.
struct Spread {
  Windows windows;
  Shape output_padding;
  std::optional<Shape> output_shape;  // as the attribute asks

  bool is_same() const {
    return windows.auto_pad == Windows::AutoPad::kSameUpper ||
           windows.auto_pad == Windows::AutoPad::kSameLower;
  }
  Dim output_dim(DimTable& dims, size_t axis, Dim size) const {
    if (output_shape) return (*output_shape)[axis];
    if (is_same()) return dims.mul(size, windows.strides[axis]);
    const int64_t rest = output_padding[axis] + windows.extent(axis) - windows.pads_begin[axis] -
                         windows.pads_end[axis] - windows.strides[axis];
    return dims.add(dims.mul(size, windows.strides[axis]), rest);
  }
  /// Sizes of the output; a size asked for moves the pads.
  Result<Shape> place_on(std::span<const int64_t> input) {
    DimTable dims;
    Shape output(windows.rank());
    for (size_t i = 0; i < windows.rank(); ++i) {
      output[i] = output_dim(dims, i, input[i]).value();
      if (output[i] < 0)
        return Status::invalid_argument("axis {} of the output would have size {}", i + 2,
                                        output[i]);
      if (!output_shape && !is_same()) continue;
      const int64_t full =
          windows.strides[i] * (input[i] - 1) + output_padding[i] + windows.extent(i);
      const int64_t pads = std::max<int64_t>(0, full - output[i]);
      windows.pads_begin[i] =
          windows.auto_pad == Windows::AutoPad::kSameUpper ? pads / 2 : pads - pads / 2;
    }
    return output;
  }
};

Result<Spread> read_spread(const AttributeReader& attributes, size_t rank,
                           std::span<const int64_t> kernel) {
  Spread spread;
  SHIPWAY_ASSIGN_OR_RETURN(spread.windows, read_windows(attributes, rank, kernel));
  spread.output_padding = Shape(rank, 0);
  const std::span<const int64_t> padding = attributes.ints_attribute("output_padding");
  for (size_t i = 0; i < padding.size(); ++i) {
    if (padding.size() != rank || padding[i] < 0 || padding[i] > (int64_t{1} << 30))
      return Status::invalid_model(
          "attribute 'output_padding' is {}, expected {} values of at least 0",
          to_string(Shape(padding)), rank);
    spread.output_padding[i] = padding[i];
  }
  std::span<const int64_t> output = attributes.ints_attribute("output_shape");
  if (output.empty()) return spread;
  if (output.size() == rank + 2) output = output.subspan(2);  // some exporters write all axes
  if (output.size() != rank)
    return Status::invalid_model("attribute 'output_shape' has {} values, expected {}",
                                 output.size(), rank);
  for (int64_t size : output)
    if (size < 1)
      return Status::invalid_model("attribute 'output_shape' is {}, expected sizes of at least 1",
                                   to_string(Shape(output)));
  spread.output_shape = Shape(output);
  return spread;
}

Status infer_conv_transpose(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  const Dims *x = context.input_dims(0), *w = context.input_dims(1);
  const int64_t group = context.int_attribute("group");
  if (group < 1)
    return Status::invalid_model("attribute 'group' is {}, expected at least 1", group);
  if (!x) return Status::ok();
  if (x->size() < 3 || (w && w->size() != x->size()))
    return Status::invalid_model("'X' has rank {} and 'W' rank {}, expected one rank of at least 3",
                                 x->size(), w ? w->size() : x->size());
  const size_t rank = x->size() - 2;
  std::vector<int64_t> kernel;
  for (size_t i = 0; w && i < rank && (*w)[i + 2].is_constant(); ++i)
    kernel.push_back((*w)[i + 2].value());
  const bool kernel_known = kernel.size() == rank || context.has_attribute("kernel_shape");
  if (kernel.size() != rank) kernel.clear();
  SHIPWAY_ASSIGN_OR_RETURN(const Spread spread, read_spread(context, rank, kernel));
  if (w && (*w)[0].is_constant() && (*x)[1].is_constant() && (*w)[0] != (*x)[1])
    return Status::invalid_model("'X' has {} channels, but axis 0 of 'W' is {}", (*x)[1].value(),
                                 (*w)[0].value());
  Dims y{(*x)[0], w ? context.dims().mul((*w)[1], group) : Dim()};
  for (size_t i = 0; i < rank; ++i) {
    const bool known = kernel_known || spread.output_shape || spread.is_same();
    y.push_back(known ? spread.output_dim(context.dims(), i, (*x)[i + 2]) : Dim());
    if (y.back().is_constant() && y.back().value() < 0)
      return Status::invalid_model("axis {} of the output would have size {}", i + 2,
                                   y.back().value());
  }
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

template <typename T>
Status spread_windows(EvaluateContext& context, const Spread& spread, const Shape& shape,
                      int64_t group) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> w, Reals<T>::of(context.input(1)));
  std::vector<double> bias(static_cast<size_t>(shape[1]), 0.0);
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(bias, to_doubles(context.input(2)));
  }
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), shape));
  if (y.size() == 0) return y.finish(context);

  // The windows of this operator lie on its output: walked as those of a Conv that reads y.
  const auto rank = spread.windows.rank();
  WindowRows rows(spread.windows, {shape.data() + 2, rank}, {input.shape().data() + 2, rank});
  const int64_t channels = input.dim(1) / group, filters = shape[1] / group;
  const int64_t taps = spread.windows.taps();
  std::vector<double> plane(static_cast<size_t>(rows.input_size()));
  for (int64_t sample = 0; sample < shape[0]; ++sample) {
    for (int64_t filter = 0; filter < shape[1]; ++filter) {
      std::fill(plane.begin(), plane.end(), bias[static_cast<size_t>(filter)]);
      const int64_t first_channel = filter / filters * channels;
      for (int64_t row = 0; row < rows.row_count() && input.element_count() > 0; ++row) {
        SHIPWAY_RETURN_IF_ERROR(context.poll());
        const std::span<const WindowRows::Tap> row_taps = rows.taps_of(row);
        for (int64_t c = first_channel; c < first_channel + channels; ++c) {
          const T* source =
              x.data() + (sample * input.dim(1) + c) * rows.output_size() + row * rows.row_length();
          const T* weights = w.data() + (c * filters + filter % filters) * taps;
          for (const WindowRows::Tap& tap : row_taps) {
            const T* weight = weights + tap.tap;
            for (const WindowRows::Column& column : rows.columns()) {
              const auto factor = static_cast<double>(*weight++);
              double* into = plane.data() + tap.start + column.shift;
              if (rows.stride() == 1)
                for (int64_t j = column.begin; j < column.end; ++j)
                  into[j] += factor * static_cast<double>(source[j]);
              else
                for (int64_t j = column.begin; j < column.end; ++j)
                  into[j * rows.stride()] += factor * static_cast<double>(source[j]);
            }
          }
        }
      }
      T* out = y.data() + (sample * shape[1] + filter) * rows.input_size();
      for (double value : plane) *out++ = static_cast<T>(value);
    }
  }
  return y.finish(context);
}

Status evaluate_conv_transpose(EvaluateContext& context) {
  const Tensor &x = context.input(0), &w = context.input(1);
  if (x.rank() < 3 || w.rank() != x.rank())
    return Status::invalid_argument("'X' is [{}] and 'W' is [{}], expected one rank of at least 3",
                                    to_string(x.shape()), to_string(w.shape()));
  const int64_t group = context.int_attribute("group");
  if (group < 1 || w.dim(0) != x.dim(1) || x.dim(1) % group != 0)
    return Status::invalid_argument(
        "'X' [{}] and 'W' [{}] do not fit {} groups: expected the channels of 'X' as axis 0 of 'W'",
        to_string(x.shape()), to_string(w.shape()), group);
  const auto rank = static_cast<size_t>(x.rank() - 2);
  SHIPWAY_ASSIGN_OR_RETURN(Spread spread, read_spread(context, rank, {w.shape().data() + 2, rank}));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape placed, spread.place_on({x.shape().data() + 2, rank}));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t filters, element_count(Shape{w.dim(1), group}));
  if (context.has_input(2) && context.input(2).shape() != Shape{filters})
    return Status::invalid_argument("input 'B' is [{}], expected [{}]",
                                    to_string(context.input(2).shape()), filters);
  Shape shape{x.dim(0), filters};
  shape.append(placed);
  return visit_real_type(x.dtype(), [&](auto type) {
    return spread_windows<decltype(type)>(context, spread, shape, group);
  });
}

}  // namespace

const Operator& conv_transpose_operator() {
  static const Operator definition{
      .name = "ConvTranspose",
      .summary = "Transposed convolution: spreads each input element over a window of the output.",
      .versions = {{.since = 1,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 11,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_conv_transpose,
      .evaluate = evaluate_conv_transpose,
  };
  return definition;
}

}  // namespace shipway
