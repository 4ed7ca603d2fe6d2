// Resize: every axis has a table of taps (indices and weights) for each output position. Input rows
// are resized along the width once and kept while they are needed; an output row is a weighted sum
// of such rows. Nearest has one tap, linear two, cubic four, antialiased filters as many as they
// cover.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/problems.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/sizes.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kFloatsOfPart = 32768;  // tuned

struct State {
  ResizeDims dims;
  std::array<int64_t, 3> taps{1, 1, 1};
  std::array<int64_t, 3> weights_offset{}, indices_offset{}, outside_offset{};  // floats in scratch
  int64_t pointers_offset = 0, product_offset = 0, keys_offset = 0, rows_offset = 0;
  int64_t slots = 1;  // resized input rows kept
  int64_t rows_of_part = 1, row_parts = 1;
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// Input coordinate of output position `x`: the formulas of ONNX Resize. Nearest computes in fp32
/// (`T`), as every framework does: 3 / 0.6f must be 5 there, and not a little less. The others gain
/// from double.
template <typename T>
T coordinate(const ResizeProblem& problem, const ResizeDims& d, size_t axis, int64_t x) {
  const T scale = static_cast<T>(d.scales[axis]);
  const auto in = static_cast<T>(d.in[axis]), out = static_cast<T>(d.out[axis]),
             at = static_cast<T>(x);
  switch (problem.coordinates) {
    case CoordinateMode::kHalfPixel:
      return (at + T{0.5}) / scale - T{0.5};
    case CoordinateMode::kHalfPixelSymmetric: {
      const T adjustment = out / (scale * in);
      return in / 2 * (1 - adjustment) + (at + T{0.5}) / scale - T{0.5};
    }
    case CoordinateMode::kPytorchHalfPixel:
      return out > 1 ? (at + T{0.5}) / scale - T{0.5} : 0;
    case CoordinateMode::kAlignCorners:
      return out > 1 ? at * (in - 1) / (out - 1) : 0;
    case CoordinateMode::kAsymmetric:
      return at / scale;
    case CoordinateMode::kTfHalfPixelForNn:
      return (at + T{0.5}) / scale;
    case CoordinateMode::kTfCropAndResize: {
      const T begin = static_cast<T>(d.roi_begin[axis]), end = static_cast<T>(d.roi_end[axis]);
      return out > 1 ? begin * (in - 1) + at * (end - begin) * (in - 1) / (out - 1)
                     : T{0.5} * (begin + end) * (in - 1);
    }
  }
  return at;
}

double nearest(NearestMode mode, double x) {
  switch (mode) {
    case NearestMode::kRoundPreferFloor:
      return std::ceil(x - 0.5);
    case NearestMode::kRoundPreferCeil:
      return std::floor(x + 0.5);
    case NearestMode::kFloor:
      return std::floor(x);
    case NearestMode::kCeil:
      return std::ceil(x);
  }
  return x;
}

double cubic(double a, double x) {  // R. Keys, 1981
  x = std::fabs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// How far the filter is stretched: by 1 / scale where an antialiased image shrinks.
double filter_scale(const ResizeProblem& problem, const ResizeDims& d, size_t axis) {
  return problem.antialias ? std::min(1.0, static_cast<double>(d.scales[axis])) : 1.0;
}

/// First tap, relative to floor(coordinate).
int64_t first_tap(const ResizeProblem& problem, double scale) {
  const double radius = problem.mode == ResizeMode::kCubic ? 2 : 1;
  return static_cast<int64_t>(std::floor(-radius / scale)) + 1;
}

int64_t tap_count(const ResizeProblem& problem, const ResizeDims& d, size_t axis) {
  // These two move positions even where the size stays.
  const bool moves = problem.coordinates == CoordinateMode::kTfCropAndResize ||
                     problem.coordinates == CoordinateMode::kTfHalfPixelForNn;
  const bool same_size = d.in[axis] == d.out[axis] && d.scales[axis] == 1.0f;
  if (problem.mode == ResizeMode::kNearest || (same_size && !moves)) return 1;
  return 2 - 2 * first_tap(problem, filter_scale(problem, d, axis));
}

/// The taps of one output position; false when it lies outside the input and takes the
/// extrapolation value.
bool make_taps(const ResizeProblem& problem, const ResizeDims& d, size_t axis, int64_t position,
               int64_t taps, int32_t* indices, float* weights) {
  const double x = problem.mode == ResizeMode::kNearest
                       ? static_cast<double>(coordinate<float>(problem, d, axis, position))
                       : coordinate<double>(problem, d, axis, position);
  const int64_t last = d.in[axis] - 1;
  const bool outside = problem.coordinates == CoordinateMode::kTfCropAndResize &&
                       (x < 0 || x > static_cast<double>(last));
  const auto clamped = [last](int64_t i) {
    return static_cast<int32_t>(std::clamp<int64_t>(i, 0, last));
  };
  if (problem.mode == ResizeMode::kNearest) {
    indices[0] = clamped(static_cast<int64_t>(nearest(problem.nearest, x)));
    weights[0] = 1;
    return !outside;
  }
  if (taps == 1) {  // the axis keeps its size
    indices[0] = clamped(position);
    weights[0] = 1;
    return !outside;
  }
  const double scale = filter_scale(problem, d, axis), base = std::floor(x);
  const int64_t first = static_cast<int64_t>(base) + first_tap(problem, scale);
  double sum = 0;
  const auto weight = [&](int64_t t) {
    const int64_t i = first + t;
    if (problem.exclude_outside && (i < 0 || i > last)) return 0.0;
    const double distance = (static_cast<double>(i) - x) * scale;
    return problem.mode == ResizeMode::kCubic
               ? cubic(static_cast<double>(problem.cubic_a), distance)
               : std::max(0.0, 1 - std::fabs(distance));
  };
  for (int64_t t = 0; t < taps; ++t) sum += weight(t);
  for (int64_t t = 0; t < taps; ++t) {
    indices[t] = clamped(first + t);
    weights[t] = static_cast<float>(weight(t) / sum);
  }
  return !outside;
}

struct AxisTable {
  const int32_t* indices;
  const float* weights;
  const int32_t* outside;
};

void run_resize(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ResizeProblem>(bound.plan->problem);
  const ResizeDims& d = state.dims;
  const ResizeFunctions& functions = resize_functions(bound.plan->isa);
  auto* floats = static_cast<float*>(scratch);
  std::array<AxisTable, 3> tables{};
  for (size_t axis = 0; axis < 3; ++axis) {
    auto* indices = reinterpret_cast<int32_t*>(floats + state.indices_offset[axis]);
    auto* outside = reinterpret_cast<int32_t*>(floats + state.outside_offset[axis]);
    float* weights = floats + state.weights_offset[axis];
    for (int64_t o = 0; o < d.out[axis]; ++o)
      outside[o] = !make_taps(problem, d, axis, o, state.taps[axis], indices + o * state.taps[axis],
                              weights + o * state.taps[axis]);
    tables[axis] = {indices, weights, outside};
  }
  auto* pointers = reinterpret_cast<const float**>(floats + state.pointers_offset);
  auto* keys = reinterpret_cast<int64_t*>(floats + state.keys_offset);
  float *product = floats + state.product_offset, *rows = floats + state.rows_offset;
  const int64_t in_row = d.in[2] * d.inner, out_row = d.out[2] * d.inner;
  std::fill_n(keys, state.slots, int64_t{-1});

  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t begin = index % state.row_parts * state.rows_of_part,
                  end = std::min(begin + state.rows_of_part, d.out[1]);
    const int64_t slice = index / state.row_parts, depth = slice % d.out[0],
                  outer = slice / d.out[0];
    const float* x = views.input(0) + outer * d.in[0] * d.in[1] * in_row;
    for (int64_t row = begin; row < end; ++row) {
      float* y = views.output(0) + ((outer * d.out[0] + depth) * d.out[1] + row) * out_row;
      if (tables[0].outside[depth] || tables[1].outside[row]) {
        std::fill_n(y, out_row, problem.extrapolation);
        continue;
      }
      // The input rows of this output row, each resized along the width once and kept under its
      // number.
      const int64_t count = state.taps[0] * state.taps[1];
      const auto row_number = [&](int64_t t) {
        const int64_t in_depth = tables[0].indices[depth * state.taps[0] + t / state.taps[1]];
        return (outer * d.in[0] + in_depth) * d.in[1] +
               tables[1].indices[row * state.taps[1] + t % state.taps[1]];
      };
      const auto is_needed = [&](int64_t key) {
        for (int64_t t = 0; t < count; ++t)
          if (row_number(t) == key) return true;
        return false;
      };
      for (int64_t t = 0; t < count; ++t) {
        const int64_t number = row_number(t);
        product[t] = tables[0].weights[depth * state.taps[0] + t / state.taps[1]] *
                     tables[1].weights[row * state.taps[1] + t % state.taps[1]];
        int64_t slot = std::find(keys, keys + state.slots, number) - keys;
        if (slot == state.slots) {
          slot = 0;
          while (is_needed(keys[slot]))
            ++slot;  // there are as many slots as taps, and this row is in none
          keys[slot] = number;
          functions.horizontal(x + (number - outer * d.in[0] * d.in[1]) * in_row, tables[2].indices,
                               tables[2].weights, state.taps[2], rows + slot * out_row, d.out[2],
                               d.inner);
        }
        pointers[t] = rows + slot * out_row;
      }
      functions.vertical(pointers, product, count, y, out_row);
      if (problem.coordinates != CoordinateMode::kTfCropAndResize) continue;
      for (int64_t o = 0; o < d.out[2]; ++o)
        if (tables[2].outside[o]) std::fill_n(y + o * d.inner, d.inner, problem.extrapolation);
    }
  }
}

}  // namespace

Prepared prepare_resize(const Problem&, Isa) { return {KernelPlan{}, {}}; }

Result<BoundKernel> bind_resize(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ResizeProblem>(plan.problem);
  BoundKernel bound;
  bound.run = run_resize;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<ResizeDims>(dims);
  const ResizeDims& d = state.dims;
  const int64_t out = d.out[0] * d.out[1] * d.out[2], in = d.in[0] * d.in[1] * d.in[2];
  if (d.outer * d.inner * out <= 0) return bound;
  if (in <= 0)
    return Status::internal("Resize of an empty image to {} x {} x {}", d.out[0], d.out[1],
                            d.out[2]);
  for (size_t axis = 0; axis < 3; ++axis)
    if (!(d.scales[axis] > 0))
      return Status::internal("Resize with scale {} on axis {}",
                              static_cast<double>(d.scales[axis]), axis);
  int64_t floats = 0;
  const auto take = [&floats](int64_t count) {
    const int64_t offset = floats;
    floats += whole_lines(count);
    return offset;
  };
  for (size_t axis = 0; axis < 3; ++axis) {
    state.taps[axis] = tap_count(problem, d, axis);
    state.weights_offset[axis] = take(d.out[axis] * state.taps[axis]);
    state.indices_offset[axis] = take(d.out[axis] * state.taps[axis]);
    state.outside_offset[axis] = take(d.out[axis]);
  }
  state.slots = state.taps[0] * state.taps[1];
  state.pointers_offset = take(2 * state.slots);
  state.keys_offset = take(2 * state.slots);
  state.product_offset = take(state.slots);
  state.rows_offset = take(state.slots * d.out[2] * d.inner);
  bound.scratch_bytes = floats * static_cast<int64_t>(sizeof(float));
  state.rows_of_part =
      std::clamp<int64_t>(kFloatsOfPart / (d.out[2] * d.inner),
                          std::min<int64_t>(d.out[1], 2 * state.taps[1]), d.out[1]);
  state.row_parts = parts_of(d.out[1], state.rows_of_part);
  bound.parts = d.outer * d.out[0] * state.row_parts;
  const double outputs = static_cast<double>(d.outer * d.inner) * static_cast<double>(out);
  bound.cost.flops = 2 * outputs * static_cast<double>(state.slots + state.taps[2]);
  bound.cost.bytes =
      4 * (outputs + static_cast<double>(d.outer * d.inner) * static_cast<double>(in));
  bound.cost.nanoseconds = bound.cost.bytes / 15 + bound.cost.flops / 10;  // tuned
  return bound;
}

}  // namespace shipway::kernels
