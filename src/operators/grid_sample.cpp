// GridSample: samples a picture at the positions that a grid names.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "operators/downgrade_steps.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "align_corners: int = 0; mode: string = 'linear'; padding_mode: string = 'zeros'";

enum class Mode : uint8_t { kNearest, kLinear, kCubic };
enum class Padding : uint8_t { kZeros, kBorder, kReflection };

struct Options {
  Mode mode = Mode::kLinear;
  Padding padding = Padding::kZeros;
  bool align_corners = false;
};

Result<Options> read_options(const AttributeReader& node) {
  Options options{.align_corners = node.int_attribute("align_corners") != 0};
  const std::string &mode = node.string_attribute("mode"),
                    &padding = node.string_attribute("padding_mode");
  if (mode == "nearest")
    options.mode = Mode::kNearest;
  else if (mode == "cubic")
    options.mode = Mode::kCubic;
  else if (mode != "linear")
    return Status::invalid_model("attribute 'mode' is {}, expected linear, nearest or cubic",
                                 quoted(mode));
  if (padding == "border")
    options.padding = Padding::kBorder;
  else if (padding == "reflection")
    options.padding = Padding::kReflection;
  else if (padding != "zeros")
    return Status::invalid_model(
        "attribute 'padding_mode' is {}, expected zeros, border or reflection", quoted(padding));
  return options;
}

Status infer_grid_sample(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  SHIPWAY_RETURN_IF_ERROR(read_options(context).status());
  const Dims *x = context.input_dims(0), *grid = context.input_dims(1);
  if (x && grid && x->size() != grid->size())
    return Status::invalid_model("'X' has rank {} and 'grid' rank {}, expected the same", x->size(),
                                 grid->size());
  const Dims* either = x ? x : grid;
  if (!either) return Status::ok();
  if (either->size() < 3)
    return Status::invalid_model("the inputs have rank {}, expected at least 3", either->size());
  if (grid && grid->back().is_constant() &&
      grid->back().value() != static_cast<int64_t>(grid->size()) - 2)
    return Status::invalid_model(
        "the last axis of 'grid' is {}, expected one coordinate for each of {} "
        "spatial axes",
        grid->back().value(), grid->size() - 2);
  Dims y(either->size());
  y[0] = x && (x->front().is_constant() || !grid) ? x->front() : grid->front();
  y[1] = x ? (*x)[1] : Dim();
  for (size_t i = 2; grid && i < y.size(); ++i) y[i] = (*grid)[i - 1];
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

/// x thrown back at `low` and `high` until it lies between them.
double reflect(double x, double low, double high) {
  const double range = high - low;
  if (!(range > 0)) return low;
  const double beyond = x < low ? low - x : x > high ? x - high : 0;
  if (beyond == 0) return x;
  const double turns = std::floor(beyond / range), rest = beyond - turns * range;
  const bool from_same_side = std::fmod(turns, 2) == 0;
  return (x < low) == from_same_side ? low + rest : high - rest;
}

/// What one coordinate reads along its axis: up to four positions (-1: zero) and their weights.
struct Taps {
  int count = 1;
  int64_t positions[4];
  double weights[4];
};

Taps make_taps(const Options& options, double normalized, int64_t size) {
  const auto length = static_cast<double>(size);
  const double low = options.align_corners ? 0 : -0.5;
  const double high = options.align_corners ? length - 1 : length - 0.5;
  double x = options.align_corners ? (normalized + 1) / 2 * (length - 1)
                                   : ((normalized + 1) * length - 1) / 2;
  if (!(std::abs(x) < 1e15)) x = -1;  // NaN and what no integer holds
  if (options.mode == Mode::kNearest) x = std::nearbyint(x);
  if (x < low || x > high) {
    if (options.padding == Padding::kBorder) x = std::clamp(x, 0.0, length - 1);
    if (options.padding == Padding::kReflection) x = reflect(x, low, high);
  }
  Taps taps;
  const double floor = options.mode == Mode::kNearest ? std::trunc(x) : std::floor(x);
  const double t = x - floor;
  int64_t first = static_cast<int64_t>(floor);
  if (options.mode == Mode::kNearest) {
    taps.weights[0] = 1;
  } else if (options.mode == Mode::kLinear) {
    taps.count = 2;
    taps.weights[0] = 1 - t;
    taps.weights[1] = t;
  } else {  // Keys' cubic with a = -0.75
    taps.count = 4;
    --first;
    constexpr double a = -0.75;
    const auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    const auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    taps.weights[0] = far(t + 1);
    taps.weights[1] = near(t);
    taps.weights[2] = near(1 - t);
    taps.weights[3] = far(2 - t);
  }
  for (int i = 0; i < taps.count; ++i) {
    int64_t position = first + i;
    if (options.padding == Padding::kBorder) position = std::clamp<int64_t>(position, 0, size - 1);
    if (options.padding == Padding::kReflection)
      position = std::clamp<int64_t>(
          static_cast<int64_t>(reflect(static_cast<double>(position), low, high)), 0, size - 1);
    taps.positions[i] = position >= 0 && position < size ? position : -1;
  }
  return taps;
}

/// Positions in a plane and their weights for one point of the grid.
struct Sources {
  std::vector<int64_t> positions;
  std::vector<double> weights;

  void find(const Options& options, const double* point, std::span<const int64_t> sizes) {
    positions.assign(1, 0);
    weights.assign(1, 1.0);
    for (size_t axis = 0; axis < sizes.size(); ++axis) {
      // The grid names the last axis first.
      const Taps taps = make_taps(options, point[sizes.size() - 1 - axis], sizes[axis]);
      const size_t known = positions.size();
      for (size_t k = 0; k < known; ++k) {
        for (int i = 0; i < taps.count; ++i) {
          if (taps.positions[i] < 0) continue;
          positions.push_back(positions[k] * sizes[axis] + taps.positions[i]);
          weights.push_back(weights[k] * taps.weights[i]);
        }
      }
      positions.erase(positions.begin(), positions.begin() + static_cast<int64_t>(known));
      weights.erase(weights.begin(), weights.begin() + static_cast<int64_t>(known));
    }
  }
};

template <typename T>
Status sample(EvaluateContext& context, const Options& options) {
  const Tensor &input = context.input(0), &grid = context.input(1);
  const size_t rank = input.shape().size();
  if (rank < 3 || grid.shape().size() != rank || grid.shape().back() != input.rank() - 2 ||
      grid.dim(0) != input.dim(0))
    return Status::invalid_argument(
        "'X' is [{}] and 'grid' [{}], expected one rank of at least 3, one batch, and a last axis "
        "of "
        "'grid' with one coordinate for each spatial axis",
        to_string(input.shape()), to_string(grid.shape()));
  const std::span<const int64_t> sizes(input.shape().data() + 2, rank - 2);
  Shape shape{input.dim(0), input.dim(1)};
  int64_t points = 1, plane = 1;
  for (size_t i = 1; i + 1 < rank; ++i) {
    shape.push_back(grid.dim(i));
    points *= grid.dim(i);
    plane *= sizes[i - 1];
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> g, Reals<double>::of(grid));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), shape));
  if (y.size() > 0 && plane == 0)
    return Status::invalid_argument("input 'X' is [{}], there is nothing to sample",
                                    to_string(input.shape()));
  Sources sources;
  for (int64_t n = 0; n < shape[0] && y.size() > 0; ++n) {
    for (int64_t p = 0; p < points; ++p) {
      sources.find(options, g.data() + (n * points + p) * static_cast<int64_t>(sizes.size()),
                   sizes);
      for (int64_t c = 0; c < shape[1]; ++c) {
        const T* from = x.data() + (n * shape[1] + c) * plane;
        double sum = 0;
        for (size_t k = 0; k < sources.positions.size(); ++k)
          sum += sources.weights[k] * static_cast<double>(from[sources.positions[k]]);
        y.data()[(n * shape[1] + c) * points + p] = static_cast<T>(sum);
      }
      if (p % 4096 == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
    }
  }
  return y.finish(context);
}

Status evaluate_grid_sample(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Options options, read_options(context));
  return visit_real_type(context.input(0).dtype(),
                         [&](auto type) { return sample<decltype(type)>(context, options); });
}

// Version 16 named the modes after the two-dimensional case.
Status upgrade_16(NodeRewrite& rewrite) {
  const std::string& mode = rewrite.string_attribute("mode");
  if (mode == "bilinear") rewrite.set_attribute({"mode", std::string("linear")});
  if (mode == "bicubic") rewrite.set_attribute({"mode", std::string("cubic")});
  return Status::ok();
}

Status downgrade_20(NodeRewrite& rewrite) {
  const std::string& mode = rewrite.string_attribute("mode");
  if (mode == "linear") rewrite.set_attribute({"mode", std::string("bilinear")});
  if (mode == "cubic") rewrite.set_attribute({"mode", std::string("bicubic")});
  const Dims* dims = rewrite.input_type(0).dims();
  if (dims && dims->size() != 4)
    return Status::unsupported("input 0 ('X') of rank {} came with opset 20", dims->size());
  return Status::ok();
}

}  // namespace

const Operator& grid_sample_operator() {
  static const Operator definition{
      .name = "GridSample",
      .summary = "Samples a picture at the positions that a grid names.",
      .versions = {{.since = 16,
                    .signature = "(X: T1, grid: T2) -> (Y: T1)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = "align_corners: int = 0; mode: string = 'bilinear'; "
                                  "padding_mode: string = 'zeros'",
                    .upgrade = upgrade_16},
                   {.since = 20,
                    .signature = "(X: T1, grid: T2) -> (Y: T1)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = kAttributes,
                    .downgrade = downgrade_20},
                   {.since = 22,
                    .signature = "(X: T1, grid: T2) -> (Y: T1)",
                    .types = "T1: all_ir4; T2: floats bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_grid_sample,
      .evaluate = evaluate_grid_sample,
  };
  return definition;
}

}  // namespace shipway
