// Pooling: one number for each window, or for all spatial axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/downgrade_steps.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"
#include "operators/windows.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributesSince1 =
    "auto_pad: string = 'NOTSET'; kernel_shape: ints!; pads: ints?; strides: ints?";
constexpr std::string_view kAveragePoolAttributesSince10 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; count_include_pad: int = 0; "
    "kernel_shape: ints!; pads: ints?; strides: ints?";
constexpr std::string_view kAveragePoolAttributesSince19 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; count_include_pad: int = 0; "
    "dilations: ints?; kernel_shape: ints!; pads: ints?; strides: ints?";
constexpr std::string_view kLpPoolAttributesSince2 =
    "auto_pad: string = 'NOTSET'; kernel_shape: ints!; p: int = 2; pads: ints?; "
    "strides: ints?";
constexpr std::string_view kLpPoolAttributesSince18 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; dilations: ints?; "
    "kernel_shape: ints!; p: int = 2; pads: ints?; strides: ints?";
constexpr std::string_view kMaxPoolAttributesSince10 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; dilations: ints?; "
    "kernel_shape: ints!; pads: ints?; storage_order: int = 0; strides: ints?";

// ------------------------------------------------------------------------------- windows that
// slide

Result<size_t> spatial_rank(size_t rank) {
  if (rank < 3)
    return Status::invalid_model(
        "input 'X' has rank {}, expected at least 3: batch, channels, space", rank);
  return rank - 2;
}

Status infer_pool(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  context.set_output_dtype(1, DType::kInt64);
  const Dims* x = context.input_dims(0);
  if (!x) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const size_t rank, spatial_rank(x->size()));
  SHIPWAY_ASSIGN_OR_RETURN(const Windows windows, read_windows(context, rank));
  Dims y{(*x)[0], (*x)[1]};
  for (size_t i = 0; i < rank; ++i) {
    y.push_back(windows.output_dim(context.dims(), i, (*x)[i + 2]));
    if (y.back().is_constant() && y.back().value() < 0)
      return Status::invalid_model(
          "a window spans {} elements along spatial axis {}, more than the input with its pads",
          windows.extent(i), i);
  }
  context.set_output(1, DType::kInt64, y);
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

/// Until version 22 a size that rounds up counts a last window that starts beyond the input, too.
Status keep_ceil_windows(NodeRewrite& rewrite) {
  const size_t rank = rewrite.ints_attribute("kernel_shape").size();
  SHIPWAY_ASSIGN_OR_RETURN(const Windows windows, read_windows(rewrite, rank));
  if (!windows.ceil || windows.auto_pad != Windows::AutoPad::kNotSet) return Status::ok();
  const std::optional<Shape> shape = rewrite.input_type(0).constant_shape();
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t stride = windows.strides[axis];
    const int64_t spare = stride - 1 + windows.pads_end[axis] - windows.extent(axis);
    if (spare < 0) continue;  // no size of the input lets a window start behind it
    if (shape && shape->size() == rank + 2) {
      const int64_t behind = windows.pads_begin[axis] + (*shape)[axis + 2];
      // The last multiple of the stride that a window rounded up may start at.
      if ((behind + spare) / stride * stride < behind) continue;
    }
    return Status::unsupported(
        "with attribute 'ceil_mode', before opset 22 there is one window more along spatial axis "
        "{}, which starts beyond the input",
        axis);
  }
  return Status::ok();
}

/// The windows of a pooling node laid on its input.
struct Placed {
  Windows windows;
  Shape input, output;  // spatial sizes
  Shape shape;          // of the output tensor
};

Result<Placed> place_windows(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  Placed placed;
  SHIPWAY_ASSIGN_OR_RETURN(const size_t rank, spatial_rank(x.shape().size()));
  SHIPWAY_ASSIGN_OR_RETURN(placed.windows, read_windows(context, rank));
  placed.input = Shape(std::span<const int64_t>(x.shape().data() + 2, rank));
  SHIPWAY_ASSIGN_OR_RETURN(placed.output, placed.windows.place_on(placed.input));
  placed.shape = {x.dim(0), x.dim(1)};
  placed.shape.append(placed.output);
  return placed;
}

/// For every output row of every plane: begin(row of sums), then add(first element, stride, first
/// and last column, row of sums) for each tap, then end(row of sums, number of the row, where to
/// write).
template <typename T, typename Begin, typename Add, typename End>
Status pool_rows(EvaluateContext& context, const Placed& placed, Begin&& begin, Add&& add,
                 End&& end) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), placed.shape));
  if (y.size() == 0) return y.finish(context);
  WindowRows rows(placed.windows, placed.input, placed.output);
  std::vector<double> sums(static_cast<size_t>(rows.row_length()));
  for (int64_t row = 0; row < rows.row_count(); ++row) {
    const std::span<const WindowRows::Tap> taps = rows.taps_of(row);
    for (int64_t plane = 0; plane < input.dim(0) * input.dim(1); ++plane) {
      begin(sums);
      for (const WindowRows::Tap& tap : taps)
        for (const WindowRows::Column& column : rows.columns())
          if (column.begin < column.end)
            add(x.data(), plane * rows.input_size(), tap.start + column.shift, rows.stride(),
                column, sums.data());
      end(sums, row, plane * rows.output_size() + row * rows.row_length(), y.data());
    }
    SHIPWAY_RETURN_IF_ERROR(context.poll());
  }
  return y.finish(context);
}

/// How many elements each window of a plane averages over: a product over the axes.
std::vector<double> window_sizes(const Placed& placed, bool include_pads) {
  const Windows& windows = placed.windows;
  std::vector<double> sizes{1.0};
  for (size_t axis = 0; axis < windows.rank(); ++axis) {
    const int64_t low = include_pads ? -windows.pads_begin[axis] : 0;
    const int64_t high = placed.input[axis] + (include_pads ? windows.pads_end[axis] : 0);
    std::vector<double> finer;
    for (double size : sizes) {
      for (int64_t o = 0; o < placed.output[axis]; ++o) {
        const int64_t first = o * windows.strides[axis] - windows.pads_begin[axis];
        int64_t count = 0;
        for (int64_t k = 0; k < windows.kernel[axis]; ++k) {
          const int64_t position = first + k * windows.dilations[axis];
          count += position >= low && position < high;
        }
        finer.push_back(size * static_cast<double>(count));
      }
    }
    sizes = std::move(finer);
  }
  return sizes;
}

Status evaluate_average_pool(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Placed placed, place_windows(context));
  const std::vector<double> sizes =
      window_sizes(placed, context.int_attribute("count_include_pad") != 0);
  return visit_real_type(context.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    return pool_rows<T>(
        context, placed,
        [](std::vector<double>& sums) { std::fill(sums.begin(), sums.end(), 0.0); },
        [](const T* x, int64_t plane, int64_t shift, int64_t stride,
           const WindowRows::Column& column, double* sums) {
          for (int64_t j = column.begin; j < column.end; ++j)
            sums[j] += static_cast<double>(x[plane + shift + j * stride]);
        },
        [&](const std::vector<double>& sums, int64_t row, int64_t at, T* y) {
          const double* size = sizes.data() + row * static_cast<int64_t>(sums.size());
          for (size_t j = 0; j < sums.size(); ++j) y[at++] = static_cast<T>(sums[j] / size[j]);
        });
  });
}

Status evaluate_lp_pool(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Placed placed, place_windows(context));
  const auto p = static_cast<double>(context.int_attribute("p"));
  if (p < 1) return Status::invalid_model("attribute 'p' is {}, expected at least 1", p);
  return visit_real_type(context.input(0).dtype(), [&](auto type) {
    using T = decltype(type);
    return pool_rows<T>(
        context, placed,
        [](std::vector<double>& sums) { std::fill(sums.begin(), sums.end(), 0.0); },
        [p](const T* x, int64_t plane, int64_t shift, int64_t stride,
            const WindowRows::Column& column, double* sums) {
          for (int64_t j = column.begin; j < column.end; ++j)
            sums[j] += std::pow(std::abs(static_cast<double>(x[plane + shift + j * stride])), p);
        },
        [p](const std::vector<double>& sums, int64_t, int64_t at, T* y) {
          for (double sum : sums) y[at++] = static_cast<T>(std::pow(sum, 1 / p));
        });
  });
}

// What a window of pads only gives.
double lowest(DType dtype) {
  if (dtype == DType::kUInt8) return 0;
  return dtype == DType::kInt8 ? -128 : -std::numeric_limits<double>::infinity();
}

/// The position in a plane stored last axis first, of position `flat` stored first axis first.
int64_t column_major(int64_t flat, const Shape& sizes) {
  int64_t position = 0, step = 1;
  for (int64_t size : sizes) step *= size;
  for (size_t axis = sizes.size(); axis-- > 0;) {
    step /= sizes[axis];
    position += flat % sizes[axis] * step;
    flat /= sizes[axis];
  }
  return position;
}

Status evaluate_max_pool(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Placed placed, place_windows(context));
  const DType dtype = context.input(0).dtype();
  const auto begin = [least = lowest(dtype)](std::vector<double>& best) {
    std::fill(best.begin(), best.end(), least);
  };
  if (!context.has_output(1))
    return visit_real_type(dtype, [&](auto type) {
      using T = decltype(type);
      return pool_rows<T>(
          context, placed, begin,
          [](const T* x, int64_t plane, int64_t shift, int64_t stride,
             const WindowRows::Column& column, double* best) {
            for (int64_t j = column.begin; j < column.end; ++j) {
              const auto value = static_cast<double>(x[plane + shift + j * stride]);
              best[j] = value > best[j] ? value : best[j];
            }
          },
          [](const std::vector<double>& best, int64_t, int64_t at, T* y) {
            for (double value : best) y[at++] = static_cast<T>(value);
          });
    });

  const bool is_column_major = context.int_attribute("storage_order") != 0;
  int64_t plane_size = 1, out_plane_size = 1;
  for (int64_t size : placed.input) plane_size *= size;
  for (int64_t size : placed.output) out_plane_size *= size;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor indices, context.allocate_output(1, DType::kInt64, placed.shape));
  std::vector<int64_t> where;
  return visit_real_type(dtype, [&](auto type) {
    using T = decltype(type);
    return pool_rows<T>(
        context, placed,
        [&](std::vector<double>& best) {
          begin(best);
          where.assign(best.size(), -1);
        },
        [&](const T* x, int64_t plane, int64_t shift, int64_t stride,
            const WindowRows::Column& column, double* best) {
          for (int64_t j = column.begin; j < column.end; ++j) {
            const int64_t position = shift + j * stride;
            const auto value = static_cast<double>(x[plane + position]);
            int64_t& known = where[static_cast<size_t>(j)];
            if (value <= best[j] && known >= 0) continue;
            if (known < 0 || value > best[j]) known = position;
            best[j] = std::max(best[j], value);
          }
        },
        [&](const std::vector<double>& best, int64_t, int64_t at, T* y) {
          const int64_t plane = at / out_plane_size * plane_size;
          for (size_t j = 0; j < best.size(); ++j, ++at) {
            y[at] = static_cast<T>(best[j]);
            const int64_t position = std::max<int64_t>(where[j], 0);
            indices.mutable_as<int64_t>()[static_cast<size_t>(at)] =
                plane + (is_column_major ? column_major(position, placed.input) : position);
          }
        });
  });
}

// ------------------------------------------------------------------------------------ whole planes

Status infer_global_pool(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  const Dims* x = context.input_dims(0);
  if (!x) return Status::ok();
  if (x->size() < 2)
    return Status::invalid_model("input 'X' has rank {}, expected at least 2", x->size());
  Dims y(x->size(), Dim(1));
  y[0] = (*x)[0];
  y[1] = (*x)[1];
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

/// y = reduce(elements of the plane), a double from a span.
template <typename Reduce>
Status reduce_planes(EvaluateContext& context, Reduce&& reduce) {
  const Tensor& input = context.input(0);
  if (input.rank() < 2)
    return Status::invalid_argument("input 'X' is [{}], expected rank 2 or more",
                                    to_string(input.shape()));
  Shape shape(input.shape().size(), 1);
  shape[0] = input.dim(0);
  shape[1] = input.dim(1);
  return visit_real_type(input.dtype(), [&](auto type) -> Status {
    using T = decltype(type);
    SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
    SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                             RealOutput<T>::allocate(context, 0, input.dtype(), shape));
    const size_t size = y.size() == 0 ? 0 : x.size() / y.size();
    for (size_t plane = 0; plane < y.size(); ++plane)
      y.data()[plane] = static_cast<T>(reduce(std::span<const T>(x.data() + plane * size, size)));
    return y.finish(context);
  });
}

Status evaluate_global_average_pool(EvaluateContext& context) {
  return reduce_planes(context, [](auto plane) {
    double sum = 0;
    for (auto value : plane) sum += static_cast<double>(value);
    return sum / static_cast<double>(plane.size());
  });
}

Status evaluate_global_max_pool(EvaluateContext& context) {
  return reduce_planes(context, [](auto plane) {
    double best = -std::numeric_limits<double>::infinity();
    for (auto value : plane) {
      if (std::isnan(value)) return static_cast<double>(value);
      best = std::max(best, static_cast<double>(value));
    }
    return best;
  });
}

Status evaluate_global_lp_pool(EvaluateContext& context) {
  const auto p = static_cast<double>(context.int_attribute("p"));
  if (p < 1) return Status::invalid_model("attribute 'p' is {}, expected at least 1", p);
  return reduce_planes(context, [p](auto plane) {
    double sum = 0;
    for (auto value : plane) sum += std::pow(std::abs(static_cast<double>(value)), p);
    return std::pow(sum, 1 / p);
  });
}

// --------------------------------------------------------------------------------- older versions

/// Version 1 of LpPool and GlobalLpPool: `p` was a float.
Status make_p_integral(NodeRewrite& rewrite) {
  const float p = rewrite.float_attribute("p");
  if (p != std::floor(p) || p < 1 || p > 1e6f)
    return Status::unsupported("attribute 'p' is {}; newer versions know whole numbers only", p);
  rewrite.set_attribute({"p", static_cast<int64_t>(p)});
  return Status::ok();
}

Status upgrade_lp_pool_1(NodeRewrite& rewrite) {
  if (!rewrite.has_attribute("kernel_shape"))
    return Status::invalid_model("attribute 'kernel_shape' is missing");
  return make_p_integral(rewrite);
}

Status make_p_float(NodeRewrite& rewrite) {
  rewrite.set_attribute({"p", static_cast<float>(rewrite.int_attribute("p"))});
  return Status::ok();
}

}  // namespace

const Operator& average_pool_operator() {
  static const Operator definition{
      .name = "AveragePool",
      .summary = "Mean of each window that slides over the spatial axes.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAttributesSince1},
           {.since = 7,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes =
                "auto_pad: string = 'NOTSET'; count_include_pad: int = 0; kernel_shape: ints!; "
                "pads: ints?; strides: ints?"},
           {.since = 10,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAveragePoolAttributesSince10},
           {.since = 11,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAveragePoolAttributesSince10},
           {.since = 19,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAveragePoolAttributesSince19,
            .downgrade = drop_unit_dilations},
           {.since = 22,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats bfloat16",
            .attributes = kAveragePoolAttributesSince19,
            .downgrade = keep_ceil_windows}},
      .infer = infer_pool,
      .evaluate = evaluate_average_pool,
  };
  return definition;
}

const Operator& global_average_pool_operator() {
  static const Operator definition{
      .name = "GlobalAveragePool",
      .summary = "Mean of each channel over all of its spatial axes.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_global_pool,
      .evaluate = evaluate_global_average_pool,
  };
  return definition;
}

const Operator& global_lp_pool_operator() {
  static const Operator definition{
      .name = "GlobalLpPool",
      .summary = "p-norm of each channel over all of its spatial axes.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "p: float = 2.0",
                    .upgrade = make_p_integral},
                   {.since = 2,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "p: int = 2",
                    .downgrade = make_p_float},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "p: int = 2"}},
      .infer = infer_global_pool,
      .evaluate = evaluate_global_lp_pool,
  };
  return definition;
}

const Operator& global_max_pool_operator() {
  static const Operator definition{
      .name = "GlobalMaxPool",
      .summary = "Largest value of each channel over all of its spatial axes.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_global_pool,
      .evaluate = evaluate_global_max_pool,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& lp_pool_operator() {
  static const Operator definition{
      .name = "LpPool",
      .summary = "p-norm of each window that slides over the spatial axes.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes =
                "auto_pad: string = 'NOTSET'; kernel_shape: ints?; p: float = 2.0; pads: ints?; "
                "strides: ints?",
            .upgrade = upgrade_lp_pool_1},
           {.since = 2,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kLpPoolAttributesSince2,
            .downgrade = make_p_float},
           {.since = 11,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kLpPoolAttributesSince2},
           {.since = 18,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kLpPoolAttributesSince18,
            .downgrade = drop_unit_dilations},
           {.since = 22,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats bfloat16",
            .attributes = kLpPoolAttributesSince18,
            .downgrade = keep_ceil_windows}},
      .infer = infer_pool,
      .evaluate = evaluate_lp_pool,
  };
  return definition;
}

const Operator& max_pool_operator() {
  static const Operator definition{
      .name = "MaxPool",
      .summary = "Largest element of each window that slides over the spatial axes.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince1},
                   {.since = 8,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats; I: int64",
                    .attributes = "auto_pad: string = 'NOTSET'; kernel_shape: ints!; pads: ints?; "
                                  "storage_order: int = 0; strides: ints?"},
                   {.since = 10,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats; I: int64",
                    .attributes = kMaxPoolAttributesSince10,
                    .downgrade = drop_unit_dilations},
                   {.since = 11,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats; I: int64",
                    .attributes = kMaxPoolAttributesSince10},
                   {.since = 12,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats uint8 int8; I: int64",
                    .attributes = kMaxPoolAttributesSince10},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats uint8 int8 bfloat16; I: int64",
                    .attributes = kMaxPoolAttributesSince10,
                    .downgrade = keep_ceil_windows}},
      .infer = infer_pool,
      .evaluate = evaluate_max_pool,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
