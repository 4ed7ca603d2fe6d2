// Resize: changes the size of a picture or volume by interpolation.
//
// Interpolation is separable: one axis after the other, every output position a weighted sum of a
// few input positions along that axis.
#include "operators/resize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributesSince11 =
    "coordinate_transformation_mode: string = 'half_pixel'; "
    "cubic_coeff_a: float = -0.75; exclude_outside: int = 0; "
    "extrapolation_value: float = 0.0; mode: string = 'nearest'; "
    "nearest_mode: string = 'round_prefer_floor'";
constexpr std::string_view kSignature =
    "(X: T1, roi?: T2, scales?: float, sizes?: int64) -> (Y: T1)";
constexpr std::string_view kAttributesSince18 =
    "antialias: int = 0; axes: ints?; "
    "coordinate_transformation_mode: string = 'half_pixel'; "
    "cubic_coeff_a: float = -0.75; exclude_outside: int = 0; "
    "extrapolation_value: float = 0.0; keep_aspect_ratio_policy: string = 'stretch'; "
    "mode: string = 'nearest'; nearest_mode: string = 'round_prefer_floor'";

using Mode = ResizeOptions::Mode;
using Coordinates = ResizeOptions::Coordinates;
using Nearest = ResizeOptions::Nearest;

// ---------------------------------------------------------------------------------------
// attributes

template <typename T>
Result<T> choice(const AttributeReader& node, std::string_view attribute,
                 std::initializer_list<std::pair<std::string_view, T>> choices) {
  const std::string& found = node.string_attribute(attribute);
  std::string expected;
  for (const auto& [name, value] : choices) {
    if (found == name) return value;
    expected += (expected.empty() ? "" : ", ") + std::string(name);
  }
  return Status::invalid_model("attribute '{}' is {}, expected one of {}", attribute, quoted(found),
                               expected);
}

enum class Policy : uint8_t { kStretch, kNotLarger, kNotSmaller };

Result<Policy> read_policy(const AttributeReader& node) {
  return choice<Policy>(node, "keep_aspect_ratio_policy",
                        {{"stretch", Policy::kStretch},
                         {"not_larger", Policy::kNotLarger},
                         {"not_smaller", Policy::kNotSmaller}});
}

Result<ResizeOptions> read_options(const AttributeReader& node) {
  ResizeOptions options;
  SHIPWAY_ASSIGN_OR_RETURN(options.mode, choice<Mode>(node, "mode",
                                                      {{"nearest", Mode::kNearest},
                                                       {"linear", Mode::kLinear},
                                                       {"cubic", Mode::kCubic}}));
  SHIPWAY_ASSIGN_OR_RETURN(
      options.coordinates,
      choice<Coordinates>(node, "coordinate_transformation_mode",
                          {{"half_pixel", Coordinates::kHalfPixel},
                           {"half_pixel_symmetric", Coordinates::kHalfPixelSymmetric},
                           {"pytorch_half_pixel", Coordinates::kPytorchHalfPixel},
                           {"align_corners", Coordinates::kAlignCorners},
                           {"asymmetric", Coordinates::kAsymmetric},
                           {"tf_crop_and_resize", Coordinates::kCropAndResize}}));
  SHIPWAY_ASSIGN_OR_RETURN(options.nearest,
                           choice<Nearest>(node, "nearest_mode",
                                           {{"round_prefer_floor", Nearest::kRoundPreferFloor},
                                            {"round_prefer_ceil", Nearest::kRoundPreferCeil},
                                            {"floor", Nearest::kFloor},
                                            {"ceil", Nearest::kCeil}}));
  options.antialias = node.int_attribute("antialias") != 0;
  if (options.antialias && options.mode == Mode::kNearest)
    return Status::invalid_model("attribute 'antialias' is set, but mode 'nearest' has none");
  options.exclude_outside = node.int_attribute("exclude_outside") != 0;
  options.cubic_coefficient = static_cast<double>(node.float_attribute("cubic_coeff_a"));
  options.extrapolation_value = static_cast<double>(node.float_attribute("extrapolation_value"));
  return options;
}

/// The axes that scales, sizes and roi speak of.
Result<std::vector<int64_t>> read_axes(const AttributeReader& node, int64_t rank) {
  if (node.has_attribute("axes"))
    return normalize_axes(node.ints_attribute("axes"), rank, "attribute 'axes'");
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

Status expect_count(std::string_view input, size_t found, size_t expected) {
  if (found == expected) return Status::ok();
  return Status::invalid_argument("input '{}' has {} elements, expected {}", input, found,
                                  expected);
}

/// The scale that sizes under a policy mean for all axes together.
double common_scale(const Shape& shape, const std::vector<int64_t>& axes,
                    const std::vector<int64_t>& sizes, Policy policy) {
  double scale = policy == Policy::kNotLarger ? std::numeric_limits<double>::infinity() : 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const double own =
        static_cast<double>(sizes[i]) / static_cast<double>(shape[static_cast<size_t>(axes[i])]);
    scale = policy == Policy::kNotLarger ? std::min(scale, own) : std::max(scale, own);
  }
  return scale;
}

int64_t round_half_up(double value) { return static_cast<int64_t>(std::floor(value + 0.5)); }

// --------------------------------------------------------------------------------------- inference

/// Whether an optional input says something: an empty constant says nothing (version 11 demanded
/// one).
bool says_something(const InferContext& context, size_t i) {
  if (!context.has_input(i)) return false;
  const Dims* dims = context.input_dims(i);
  return !dims || dims->size() != 1 || (*dims)[0] != Dim(0);
}

Status infer_from_scales(InferContext& context, const std::vector<int64_t>& axes, Dims& dims) {
  std::vector<double> scales;
  if (const Tensor* constant = context.input_constant(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(scales, to_doubles(*constant));
    SHIPWAY_RETURN_IF_ERROR(expect_count("scales", scales.size(), axes.size()));
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = dims[static_cast<size_t>(axes[i])];
    if (scales.empty()) {
      dim = Dim();
    } else {
      SHIPWAY_ASSIGN_OR_RETURN(dim, scaled_dim(context.dims(), dim, static_cast<float>(scales[i])));
    }
  }
  return Status::ok();
}

Status infer_from_sizes(InferContext& context, const std::vector<int64_t>& axes, Policy policy,
                        Dims& dims) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> sizes, sizes_of_input(context, 3, "sizes"));
  if (sizes) SHIPWAY_RETURN_IF_ERROR(expect_count("sizes", sizes->size(), axes.size()));
  if (policy == Policy::kStretch) {
    for (size_t i = 0; i < axes.size(); ++i)
      dims[static_cast<size_t>(axes[i])] = sizes ? (*sizes)[i] : Dim();
    return Status::ok();
  }
  const std::optional<Shape> shape = context.input_type(0).constant_shape();
  const std::optional<std::vector<int64_t>> numbers = context.input_ints(3);
  bool known = shape && numbers;
  for (size_t i = 0; known && i < axes.size(); ++i)
    known = (*shape)[static_cast<size_t>(axes[i])] > 0;
  for (int64_t axis : axes) {
    Dim& dim = dims[static_cast<size_t>(axis)];
    dim = known ? Dim(round_half_up(common_scale(*shape, axes, *numbers, policy) *
                                    static_cast<double>(dim.value())))
                : Dim();
  }
  return Status::ok();
}

Status infer_resize(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  SHIPWAY_RETURN_IF_ERROR(read_options(context).status());
  SHIPWAY_ASSIGN_OR_RETURN(const Policy policy, read_policy(context));
  const Dims* x = context.input_dims(0);
  if (!x) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes,
                           read_axes(context, static_cast<int64_t>(x->size())));
  Dims y = *x;
  if (says_something(context, 3)) {
    SHIPWAY_RETURN_IF_ERROR(infer_from_sizes(context, axes, policy, y));
  } else if (says_something(context, 2)) {
    SHIPWAY_RETURN_IF_ERROR(infer_from_scales(context, axes, y));
  } else {
    return Status::invalid_model("neither input 'scales' nor input 'sizes' is given");
  }
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

// -------------------------------------------------------------------------------------- evaluation

Status evaluate_resize(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const ResizeOptions options, read_options(context));
  SHIPWAY_ASSIGN_OR_RETURN(const Policy policy, read_policy(context));
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, read_axes(context, x.rank()));
  std::vector<ResizeAxis> resized(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) resized[i].axis = static_cast<size_t>(axes[i]);
  if (context.has_input(3) && context.input(3).element_count() > 0) {
    SHIPWAY_ASSIGN_OR_RETURN(const Shape sizes, shape_of(context.input(3), "sizes"));
    SHIPWAY_RETURN_IF_ERROR(expect_count("sizes", sizes.size(), axes.size()));
    const double common =
        common_scale(x.shape(), axes, std::vector<int64_t>(sizes.begin(), sizes.end()), policy);
    for (size_t i = 0; i < axes.size(); ++i) {
      const int64_t size = x.dim(resized[i].axis);
      if (size == 0 && sizes[i] > 0)
        return Status::invalid_argument("axis {} of input 'X' is empty, it cannot become {}",
                                        axes[i], sizes[i]);
      const bool stretches = policy == Policy::kStretch || size == 0;
      resized[i].scale = !stretches  ? common
                         : size == 0 ? 1
                                     : static_cast<double>(sizes[i]) / static_cast<double>(size);
      resized[i].size = stretches ? sizes[i] : round_half_up(common * static_cast<double>(size));
    }
  } else if (context.has_input(2) && context.input(2).element_count() > 0) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scales, to_doubles(context.input(2)));
    SHIPWAY_RETURN_IF_ERROR(expect_count("scales", scales.size(), axes.size()));
    for (size_t i = 0; i < axes.size(); ++i) {
      resized[i].scale = scales[i];
      SHIPWAY_ASSIGN_OR_RETURN(resized[i].size,
                               scaled_size(x.dim(resized[i].axis), static_cast<float>(scales[i])));
    }
  } else {
    return Status::invalid_argument("neither input 'scales' nor input 'sizes' is given");
  }
  if (options.coordinates == Coordinates::kCropAndResize) {
    if (!context.has_input(1))
      return Status::invalid_argument(
          "input 'roi' is left out, but mode 'tf_crop_and_resize' needs it");
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> roi, to_doubles(context.input(1)));
    SHIPWAY_RETURN_IF_ERROR(expect_count("roi", roi.size(), 2 * axes.size()));
    for (size_t i = 0; i < axes.size(); ++i) {
      resized[i].roi_begin = roi[i];
      resized[i].roi_end = roi[axes.size() + i];
    }
  }
  return resize(context, options, resized);
}

// ------------------------------------------------------------------------------------
// interpolation

/// Where output position `x` of an axis lies on the input.
double input_position(const ResizeOptions& options, const ResizeAxis& axis, int64_t x_number,
                      int64_t input) {
  const auto x = static_cast<double>(x_number), size = static_cast<double>(input);
  const double output = axis.scale * size;  // not rounded, as ONNX has it
  switch (options.coordinates) {
    case Coordinates::kHalfPixel:
      return (x + 0.5) / axis.scale - 0.5;
    case Coordinates::kHalfPixelSymmetric:
      // The centre of the whole output lies on the centre of the input.
      return size / 2 * (1 - static_cast<double>(axis.size) / output) + (x + 0.5) / axis.scale -
             0.5;
    case Coordinates::kPytorchHalfPixel:
      return output == 1 ? -0.5 : (x + 0.5) / axis.scale - 0.5;
    case Coordinates::kAlignCorners:
      return output == 1 ? 0 : x * (size - 1) / (output - 1);
    case Coordinates::kAsymmetric:
      return x / axis.scale;
    case Coordinates::kCropAndResize: {
      const double length = (axis.roi_end - axis.roi_begin) * (size - 1);
      const double inside = output == 1 ? length / 2 : x * length / (output - 1);
      return inside + axis.roi_begin * (size - 1);
    }
  }
  return x;
}

int64_t nearest_position(double position, Nearest mode) {
  switch (mode) {
    case Nearest::kRoundPreferFloor:
      position = std::ceil(position - 0.5);
      break;
    case Nearest::kRoundPreferCeil:
      position = std::floor(position + 0.5);
      break;
    case Nearest::kFloor:
      position = std::floor(position);
      break;
    case Nearest::kCeil:
      position = std::ceil(position);
      break;
  }
  constexpr double kLargest = 4e18;  // what int64 holds, with room
  return static_cast<int64_t>(std::clamp(position, -kLargest, kLargest));
}

double cubic_weight(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/// The weighted sums along one axis: output position o is the sum over t of weights[o * taps + t] *
/// input[positions[o * taps + t]], or the extrapolation value.
struct Taps {
  size_t taps = 1;
  std::vector<int64_t> positions;
  std::vector<double> weights;  // empty for nearest
  std::vector<bool> outside;    // empty unless values are extrapolated
};

Taps make_taps(const ResizeOptions& options, const ResizeAxis& axis, int64_t input) {
  Taps result;
  const bool crops = options.coordinates == Coordinates::kCropAndResize;
  // A kernel that is stretched when the picture shrinks averages over all that it covers.
  const double stretch = options.antialias ? std::min(axis.scale, 1.0) : 1.0;
  const double radius = options.mode == Mode::kCubic ? 2 : 1;
  const auto first = static_cast<int64_t>(std::floor(-radius / stretch)) + 1;
  if (options.mode != Mode::kNearest) result.taps = static_cast<size_t>(2 - 2 * first);
  if (options.mode == Mode::kCubic && !options.antialias) result.taps = 4;
  for (int64_t x = 0; x < axis.size; ++x) {
    const double position = input_position(options, axis, x, input);
    if (crops)
      result.outside.push_back(!(position >= 0 && position <= static_cast<double>(input - 1)));
    if (options.mode == Mode::kNearest) {
      result.positions.push_back(
          std::clamp<int64_t>(nearest_position(position, options.nearest), 0, input - 1));
      continue;
    }
    const double floor = std::floor(std::clamp(position, -1e15, 1e15));
    const double ratio = position - floor;
    const size_t begin = result.weights.size();
    double sum = 0;
    for (size_t t = 0; t < result.taps; ++t) {
      const int64_t offset = first + static_cast<int64_t>(t);
      const int64_t source = static_cast<int64_t>(floor) + offset;
      const double distance = (static_cast<double>(offset) - ratio) * stretch;
      double weight = options.mode == Mode::kCubic
                          ? cubic_weight(distance, options.cubic_coefficient)
                          : std::max(0.0, 1 - std::abs(distance));
      if (options.exclude_outside && (source < 0 || source >= input)) weight = 0;
      sum += weight;
      result.weights.push_back(weight);
      result.positions.push_back(std::clamp<int64_t>(source, 0, input - 1));
    }
    if ((options.exclude_outside || options.antialias) && sum != 0)
      for (size_t t = begin; t < result.weights.size(); ++t) result.weights[t] /= sum;
  }
  return result;
}

/// A tensor seen around one axis: outer x size x inner.
struct Around {
  int64_t outer = 1, inner = 1;
  Around(const Shape& shape, size_t axis) {
    for (size_t i = 0; i < axis; ++i) outer *= shape[i];
    for (size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
};

/// Moves whole elements of any dtype.
Status resize_nearest(EvaluateContext& context, const ResizeOptions& options,
                      const std::vector<ResizeAxis>& axes) {
  const Tensor& x = context.input(0);
  Tensor filler;
  if (options.coordinates == Coordinates::kCropAndResize && x.dtype() != DType::kString) {
    SHIPWAY_ASSIGN_OR_RETURN(
        filler, kind_of(x.dtype()) == DTypeKind::kComplex
                    ? Tensor::zeros(x.dtype(), {})
                    : from_doubles(x.dtype(), {}, std::span(&options.extrapolation_value, 1)));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(filler, Tensor::zeros(x.dtype(), {}));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements outside, Elements::of(filler));
  Tensor current = x;
  for (const ResizeAxis& axis : axes) {
    Shape shape = current.shape();
    const int64_t input = shape[axis.axis];
    shape[axis.axis] = axis.size;
    const Taps taps = make_taps(options, axis, input);
    SHIPWAY_ASSIGN_OR_RETURN(const Elements from, Elements::of(current));
    SHIPWAY_ASSIGN_OR_RETURN(Elements to, Elements::scratch(context, x.dtype(), shape));
    const Around around(shape, axis.axis);
    int64_t at = 0;
    for (int64_t o = 0; o < around.outer && to.count() > 0; ++o) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      for (size_t k = 0; k < taps.positions.size(); ++k, at += around.inner) {
        if (taps.outside.empty() || !taps.outside[k])
          to.copy(at, from, (o * input + taps.positions[k]) * around.inner, around.inner);
        else
          for (int64_t i = 0; i < around.inner; ++i) to.copy(at + i, outside, 0);
      }
    }
    SHIPWAY_ASSIGN_OR_RETURN(current, to.take_tensor());
  }
  context.set_output(0, std::move(current));
  return Status::ok();
}

/// The integers that `dtype` holds, as doubles; nothing for floats.
std::optional<std::pair<double, double>> integer_range(DType dtype) {
  const int bits = bit_width(dtype);
  if (kind_of(dtype) == DTypeKind::kSigned)
    return std::pair{-std::ldexp(1, bits - 1), std::ldexp(1, bits - 1) - 1};
  if (kind_of(dtype) == DTypeKind::kUnsigned) return std::pair{0.0, std::ldexp(1, bits) - 1};
  return std::nullopt;
}

Status resize_by_sums(EvaluateContext& context, const ResizeOptions& options,
                      const std::vector<ResizeAxis>& axes) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  Shape shape = x.shape();
  for (const ResizeAxis& axis : axes) {
    const int64_t input = shape[axis.axis];
    shape[axis.axis] = axis.size;
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
    const Taps taps = make_taps(options, axis, input);
    const Around around(shape, axis.axis);
    std::vector<double> sums(static_cast<size_t>(count), 0.0);
    double* to = sums.data();
    for (int64_t o = 0; o < around.outer && count > 0; ++o) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      const double* from = values.data() + o * input * around.inner;
      for (size_t k = 0; k < static_cast<size_t>(axis.size); ++k, to += around.inner) {
        if (!taps.outside.empty() && taps.outside[k]) {
          std::fill_n(to, around.inner, options.extrapolation_value);
          continue;
        }
        for (size_t t = k * taps.taps; t < (k + 1) * taps.taps; ++t) {
          const double weight = taps.weights[t];
          if (weight == 0) continue;
          const double* line = from + taps.positions[t] * around.inner;
          for (int64_t i = 0; i < around.inner; ++i) to[i] += weight * line[i];
        }
      }
    }
    values = std::move(sums);
  }
  if (const auto range = integer_range(x.dtype()))
    for (double& value : values)
      value = std::clamp(std::nearbyint(value), range->first, range->second);
  return write_output(context, 0, x.dtype(), shape, values);
}

// Version 10 knew one meaning: what is now called asymmetric, nearest rounding down.
Status upgrade_10(NodeRewrite& rewrite) {
  rewrite.set_attribute({"coordinate_transformation_mode", std::string("asymmetric")});
  rewrite.set_attribute({"nearest_mode", std::string("floor")});
  const ValueId scales = rewrite.node().input(1);
  rewrite.set_input(1, rewrite.add_constant("roi", Tensor::from<float>({0}, {})));
  rewrite.set_input(2, scales);
  return Status::ok();
}

// tf_half_pixel_for_nn reads half a pixel further than half_pixel: floor(p + 0.5) is p rounded with
// halves up, and p + 0.5 rounded with halves down is ceil(p). The other ways to round have no newer
// form.
Status upgrade_11(NodeRewrite& rewrite) {
  if (rewrite.string_attribute("coordinate_transformation_mode") != "tf_half_pixel_for_nn")
    return Status::ok();
  const std::string& nearest = rewrite.string_attribute("nearest_mode");
  const bool floors = nearest == "floor", rounds = nearest == "round_prefer_floor";
  if (rewrite.string_attribute("mode") != "nearest" || (!floors && !rounds))
    return Status::unsupported(
        "attribute 'coordinate_transformation_mode' is 'tf_half_pixel_for_nn', which with modes {} "
        "and {} "
        "has no newer form",
        quoted(rewrite.string_attribute("mode")), quoted(nearest));
  rewrite.set_attribute({"coordinate_transformation_mode", std::string("half_pixel")});
  rewrite.set_attribute({"nearest_mode", std::string(floors ? "round_prefer_ceil" : "ceil")});
  return Status::ok();
}

Status downgrade_19(NodeRewrite& rewrite) {
  if (rewrite.string_attribute("coordinate_transformation_mode") == "half_pixel_symmetric")
    return Status::unsupported(
        "attribute 'coordinate_transformation_mode' ('half_pixel_symmetric') came with opset 19");
  return Status::ok();
}

bool is_empty_input(const NodeRewrite& rewrite, size_t i) {
  if (!rewrite.node().input(i).is_valid()) return true;
  const Tensor* constant = rewrite.input_constant(i);
  return constant && constant->element_count() == 0;
}

// Sizes or scales of chosen axes become those of all axes.
Status downgrade_18(NodeRewrite& rewrite) {
  if (!rewrite.has_attribute("axes")) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  SHIPWAY_ASSIGN_OR_RETURN(
      const std::vector<int64_t> axes,
      normalize_axes(rewrite.ints_attribute("axes"), rank, "attribute 'axes'"));
  if (!is_empty_input(rewrite, 1))
    return Status::unsupported("attribute 'axes' beside input 1 ('roi') came with opset 18");
  if (!is_empty_input(rewrite, 2)) {
    const Tensor* scales = rewrite.input_constant(2);
    if (!scales || scales->element_count() != static_cast<int64_t>(axes.size()))
      return Status::unsupported(
          "attribute 'axes' came with opset 18, and input 2 ('scales') is computed");
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> given, to_doubles(*scales));
    std::vector<float> all(static_cast<size_t>(rank), 1.0f);
    for (size_t i = 0; i < axes.size(); ++i)
      all[static_cast<size_t>(axes[i])] = static_cast<float>(given[i]);
    rewrite.set_input(2, rewrite.add_constant("scales", Tensor::from<float>({rank}, all)));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, known_shape(rewrite, 0));
    const Tensor* sizes = rewrite.input_constant(3);
    if (!sizes || sizes->element_count() != static_cast<int64_t>(axes.size()))
      return Status::unsupported(
          "attribute 'axes' came with opset 18, and input 3 ('sizes') is computed");
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> given, to_ints(*sizes));
    std::vector<int64_t> all(shape.begin(), shape.end());
    for (size_t i = 0; i < axes.size(); ++i) all[static_cast<size_t>(axes[i])] = given[i];
    rewrite.set_input(3, rewrite.add_ints("sizes", all));
  }
  rewrite.remove_attribute("axes");
  return Status::ok();
}

// Version 11 wanted `roi` and `scales` even where they say nothing.
Status downgrade_13(NodeRewrite& rewrite) {
  for (size_t i : {size_t{1}, size_t{2}})
    if (!rewrite.node().input(i).is_valid())
      rewrite.set_input(
          i, rewrite.add_constant(i == 1 ? "roi" : "scales", Tensor::from<float>({0}, {})));
  return Status::ok();
}

// Version 10 knew one way to place samples: at i / scale, rounded down.
Status downgrade_11(NodeRewrite& rewrite) {
  const std::string& mode = rewrite.string_attribute("mode");
  const std::string& placed = rewrite.string_attribute("coordinate_transformation_mode");
  const std::string& nearest = rewrite.string_attribute("nearest_mode");
  ValueId scales = rewrite.node().input(2);
  std::vector<float> factors;
  if (rewrite.node().input(3).is_valid()) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, constant_ints(rewrite, 3, "sizes"));
    SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, known_shape(rewrite, 0));
    if (sizes.size() != shape.size())
      return Status::invalid_model("input 3 ('sizes') has {} elements, expected {}", sizes.size(),
                                   shape.size());
    for (size_t i = 0; i < sizes.size(); ++i) {
      const float factor = static_cast<float>(sizes[i]) / static_cast<float>(shape[i]);
      if (shape[i] == 0 ||
          std::floor(static_cast<float>(shape[i]) * factor) != static_cast<float>(sizes[i]))
        return Status::unsupported("input 3 ('sizes') came with opset 11, and no scale gives {}",
                                   sizes[i]);
      factors.push_back(factor);
    }
    scales = rewrite.add_constant(
        "scales", Tensor::from<float>({static_cast<int64_t>(factors.size())}, factors));
  } else if (const Tensor* constant = rewrite.input_constant(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> given, to_doubles(*constant));
    factors.assign(given.begin(), given.end());
  }
  // Whole factors: rounding (i + 0.5) / f - 0.5 never meets a tie and gives the floor of i / f.
  const bool whole = !factors.empty() && std::all_of(factors.begin(), factors.end(), [](float f) {
    return f >= 1 && f == std::floor(f);
  });
  const bool floors = placed == "asymmetric" && nearest == "floor";
  const bool rounds = whole && placed == "half_pixel" && nearest.starts_with("round_prefer");
  if (!(mode == "nearest" && (floors || rounds)) && !(mode == "linear" && placed == "asymmetric"))
    return Status::unsupported(
        "attribute 'coordinate_transformation_mode' ({}) with modes {} and {} came with opset 11",
        quoted(placed), quoted(mode), quoted(nearest));
  for (const char* name : {"coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a",
                           "exclude_outside", "extrapolation_value"})
    if (rewrite.has_attribute(name)) rewrite.remove_attribute(name);
  rewrite.set_input(3, {});
  rewrite.set_input(2, {});
  rewrite.set_input(1, scales);
  return Status::ok();
}

// Upsample could only enlarge.
Status downgrade_10(NodeRewrite& rewrite) {
  const Tensor* scales = rewrite.input_constant(1);
  if (!scales)
    return Status::unsupported("operator Resize came with opset 10, and its scales are computed");
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> factors, to_doubles(*scales));
  if (std::any_of(factors.begin(), factors.end(), [](double f) { return f < 1; }))
    return Status::unsupported("operator Resize came with opset 10; Upsample cannot shrink");
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  const std::span<const Attribute> attributes = rewrite.node().attributes();
  rewrite.replace("Upsample", {inputs.begin(), inputs.end()},
                  {attributes.begin(), attributes.end()});
  return Status::ok();
}

}  // namespace

Result<int64_t> scaled_size(int64_t size, float scale) {
  if (!(scale > 0) || !std::isfinite(scale))
    return Status::invalid_argument("input 'scales' has the value {}, expected one above 0", scale);
  const float scaled = std::floor(static_cast<float>(size) * scale);
  if (scaled > 4e18f)
    return Status::invalid_argument("size {} times scale {} is too large", size, scale);
  return scale == 1 ? size : static_cast<int64_t>(scaled);
}

Result<Dim> scaled_dim(DimTable& dims, Dim size, float scale) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t number,
                           scaled_size(size.is_constant() ? size.value() : 1, scale));
  if (size.is_constant()) return number;
  for (int64_t divisor = 1; divisor <= 1024;
       divisor *= 2) {  // the fractions that floats are exact for
    const float factor = scale * static_cast<float>(divisor);
    if (factor != std::floor(factor) || factor > 1e6f) continue;
    const Dim product = dims.mul(size, static_cast<int64_t>(factor));
    return divisor == 1 ? product : dims.floordiv(product, divisor);
  }
  return dims.fresh();
}

Status resize(EvaluateContext& context, const ResizeOptions& options,
              const std::vector<ResizeAxis>& axes) {
  const Shape& shape = context.input(0).shape();
  Shape output = shape;
  std::vector<ResizeAxis> changed;
  for (const ResizeAxis& axis : axes) {
    output[axis.axis] = axis.size;
    if (axis.size != shape[axis.axis] && shape[axis.axis] == 0)
      return Status::invalid_argument("axis {} of input 'X' is empty, it cannot become {}",
                                      axis.axis, axis.size);
    const bool same = axis.size == shape[axis.axis] && std::abs(axis.scale - 1) < 1e-9 &&
                      axis.roi_begin == 0 && axis.roi_end == 1;
    if (!same && axis.size > 0 && axis.scale > 0) changed.push_back(axis);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(output));
  if (count == 0) return context.allocate_output(0, context.input(0).dtype(), output).status();
  if (changed.empty()) {
    context.set_output(0, context.input(0));
    return Status::ok();
  }
  return options.mode == ResizeOptions::Mode::kNearest ? resize_nearest(context, options, changed)
                                                       : resize_by_sums(context, options, changed);
}

const Operator& resize_operator() {
  static const Operator definition{
      .name = "Resize",
      .summary = "Changes the size of a picture or volume by interpolation.",
      .versions = {{.since = 10,
                    .signature = "(X: T, scales: float) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'",
                    .upgrade = upgrade_10,
                    .downgrade = downgrade_10},
                   {.since = 11,
                    .signature = "(X: T1, roi: T2, scales: float, sizes?: int64) -> (Y: T1)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = kAttributesSince11,
                    .upgrade = upgrade_11,
                    .downgrade = downgrade_11},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T1: all_ir4; T2: floats",
                    .attributes = kAttributesSince11,
                    .downgrade = downgrade_13},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T1: all_ir4; T2: floats",
                    .attributes = kAttributesSince18,
                    .downgrade = downgrade_18},
                   {.since = 19,
                    .signature = kSignature,
                    .types = "T1: all_ir4; T2: floats",
                    .attributes = kAttributesSince18,
                    .downgrade = downgrade_19}},
      .infer = infer_resize,
      .evaluate = evaluate_resize,
  };
  return definition;
}

}  // namespace shipway
