// Max and average pooling. A window is a row of rows: the input rows of a window are combined
// first, whole rows at a time, then the columns. Both layouts and any rank take the same way: a
// blocked value only has wider pixels.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/problems.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/sizes.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kFloatsOfPart = 8192;  // tuned

struct State {
  PoolDims dims;
  int64_t pixel = 1,
          planes =
              0;  // floats a pixel; planes of the input: batch times channels or channel blocks
  int64_t rows_of_part = 1, row_parts = 1;
  int64_t buffer_columns = 0;  // input columns that a row of windows spans
  int64_t divisors_offset = 0, columns_offset = 0;
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// Taps of window `o` that lie in [low, high).
int64_t taps_inside(const PoolProblem& problem, const PoolDims& d, size_t axis, int64_t o,
                    int64_t low, int64_t high) {
  int64_t count = 0;
  for (int64_t k = 0; k < problem.kernel[axis]; ++k) {
    const int64_t at = o * problem.strides[axis] - d.pads[axis] + k * problem.dilations[axis];
    count += at >= low && at < high;
  }
  return count;
}

/// What an average along `axis` divides by.
int64_t divisor(const PoolProblem& problem, const PoolDims& d, size_t axis, int64_t o) {
  const bool pads_count = problem.kind == PoolKind::kAverageCountPads;
  return taps_inside(problem, d, axis, o, pads_count ? -d.pads[axis] : 0,
                     d.in[axis] + (pads_count ? d.pads_end[axis] : 0));
}

void run_windows(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<PoolProblem>(bound.plan->problem);
  const PoolDims& d = state.dims;
  const PoolFunctions& pool = pool_functions(bound.plan->isa);
  const bool is_max = problem.kind == PoolKind::kMax;
  const ElementwiseFunction combine = elementwise_functions(
      bound.plan->isa)[static_cast<size_t>(is_max ? Opcode::kMax : Opcode::kAdd)];
  const float start = is_max ? -std::numeric_limits<float>::infinity() : 0.0f;
  auto* buffer = static_cast<float*>(scratch);
  float *divisors = buffer + state.divisors_offset,
        *column_divisors = buffer + state.columns_offset;
  if (!is_max)
    for (int64_t o = 0; o < d.out[2]; ++o)
      column_divisors[o] = static_cast<float>(divisor(problem, d, 2, o));
  std::fill_n(buffer + state.buffer_columns * state.pixel, kPoolSlack, start);
  const int64_t in_row = d.in[2] * state.pixel, out_row = d.out[2] * state.pixel;
  const int64_t left = std::min(d.pads[2], state.buffer_columns);
  const int64_t copied = std::clamp<int64_t>(state.buffer_columns - left, 0, d.in[2]);
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t row_begin = index % state.row_parts * state.rows_of_part,
                  row_end = std::min(row_begin + state.rows_of_part, d.out[1]);
    const int64_t slice = index / state.row_parts, depth = slice % d.out[0],
                  plane = slice / d.out[0];
    const float* x = views.input(0) + plane * d.in[0] * d.in[1] * in_row;
    float* y = views.output(0) + (plane * d.out[0] + depth) * d.out[1] * out_row;
    for (int64_t row = row_begin; row < row_end; ++row) {
      std::fill_n(buffer, left * state.pixel, start);
      std::fill(buffer + (left + copied) * state.pixel, buffer + state.buffer_columns * state.pixel,
                start);
      float* inside = buffer + left * state.pixel;
      bool first = true;
      for (int64_t kd = 0; kd < problem.kernel[0]; ++kd) {
        const int64_t in_depth = depth * problem.strides[0] - d.pads[0] + kd * problem.dilations[0];
        if (in_depth < 0 || in_depth >= d.in[0]) continue;
        for (int64_t kh = 0; kh < problem.kernel[1]; ++kh) {
          const int64_t in_height =
              row * problem.strides[1] - d.pads[1] + kh * problem.dilations[1];
          if (in_height < 0 || in_height >= d.in[1]) continue;
          const float* source = x + (in_depth * d.in[1] + in_height) * in_row;
          if (first) {
            std::memcpy(inside, source, static_cast<size_t>(copied * state.pixel) * sizeof(float));
          } else {
            combine(inside, source, nullptr, 0, 0, inside, copied * state.pixel);
          }
          first = false;
        }
      }
      if (first) std::fill_n(inside, copied * state.pixel, start);
      PoolRow pool_row{buffer,
                       y + row * out_row,
                       d.out[2],
                       state.pixel,
                       problem.strides[2],
                       problem.dilations[2],
                       problem.kernel[2],
                       nullptr};
      if (is_max) {
        pool.maximum(pool_row);
        continue;
      }
      const auto rows =
          static_cast<float>(divisor(problem, d, 0, depth) * divisor(problem, d, 1, row));
      for (int64_t o = 0; o < d.out[2]; ++o) divisors[o] = column_divisors[o] * rows;
      pool_row.divisors = divisors;
      pool.sum(pool_row);
    }
  }
}

void run_global(const BoundKernel& bound, const Views& views, Range part, void*) {
  const State& state = bound.state<State>();
  const bool is_max = std::get<PoolProblem>(bound.plan->problem).kind == PoolKind::kMax;
  const PoolFunctions& pool = pool_functions(bound.plan->isa);
  const RowFunctions& rows = row_functions(bound.plan->isa);
  const int64_t spatial = state.dims.in[0] * state.dims.in[1] * state.dims.in[2];
  for (int64_t plane = part.begin; plane < part.end; ++plane) {
    const float* x = views.input(0) + plane * spatial * state.pixel;
    float* y = views.output(0) + plane * state.pixel;
    constexpr size_t kMostPixel = 16;
    std::array<double, kMostPixel> total;
    total.fill(is_max ? -std::numeric_limits<double>::infinity() : 0.0);
    const auto add = [&](size_t lane, float value) {
      if (!is_max) total[lane] += static_cast<double>(value);
      if (is_max && (static_cast<double>(value) > total[lane] || std::isnan(value)))
        total[lane] = static_cast<double>(value);
    };
    const auto pixel = static_cast<size_t>(state.pixel);
    const int64_t chunk = state.pixel == 1 ? kRowChunk : 256;
    for (int64_t begin = 0; begin < spatial; begin += chunk) {
      const int64_t count = std::min(chunk, spatial - begin);
      if (state.pixel == 1) {
        add(0, (is_max ? rows.maximum : rows.sum)(x + begin, count));
        continue;
      }
      std::array<float, kMostPixel> partial;
      const PoolRow row{
          x + begin * state.pixel, partial.data(), 1, state.pixel, 1, 1, count, nullptr};
      (is_max ? pool.maximum : pool.sum)(row);
      for (size_t lane = 0; lane < pixel; ++lane) add(lane, partial[lane]);
    }
    for (size_t lane = 0; lane < pixel; ++lane)
      y[lane] =
          static_cast<float>(is_max ? total[lane] : total[lane] / static_cast<double>(spatial));
  }
}

}  // namespace

Prepared prepare_pool(const Problem& problem, Isa isa) {
  const auto& pool = std::get<PoolProblem>(problem);
  if (pool.layout.is_blocked() && pool.layout.block != channel_block(isa))
    return Prepared::refuse(RefusalCode::kLayout, "a channel block of another instruction set");
  for (size_t axis = 0; axis < 3 && !pool.global; ++axis)
    if (pool.kernel[axis] < 1 || pool.strides[axis] < 1 || pool.dilations[axis] < 1)
      return Prepared::refuse(RefusalCode::kShape, "a kernel, stride or dilation below 1");
  KernelPlan plan;
  plan.input = plan.output = pool.layout;
  return {plan, {}};
}

Result<BoundKernel> bind_pool(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<PoolProblem>(plan.problem);
  BoundKernel bound;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<PoolDims>(dims);
  const PoolDims& d = state.dims;
  state.pixel = problem.layout.is_blocked() ? problem.layout.block : 1;
  state.planes = d.batch * stored_channels(problem.layout, d.channels) / state.pixel;
  const auto volume = [](const Spatial& s) {
    return static_cast<double>(s[0]) * static_cast<double>(s[1]) * static_cast<double>(s[2]);
  };
  const double floats = static_cast<double>(state.planes * state.pixel);
  bound.cost.bytes = 4 * floats * (volume(d.in) + (problem.global ? 1 : volume(d.out)));
  bound.cost.flops =
      floats * (problem.global ? volume(d.in) : volume(d.out) * volume(problem.kernel));
  bound.cost.nanoseconds = bound.cost.bytes / 15 + bound.cost.flops / 20;  // tuned
  if (problem.global) {
    bound.run = run_global;
    bound.parts = state.planes;
    return bound;
  }
  bound.run = run_windows;
  if (d.out[0] <= 0 || d.out[1] <= 0 || d.out[2] <= 0) return bound;
  state.buffer_columns =
      (d.out[2] - 1) * problem.strides[2] + (problem.kernel[2] - 1) * problem.dilations[2] + 1;
  state.rows_of_part = std::clamp<int64_t>(kFloatsOfPart / (d.out[2] * state.pixel), 1, d.out[1]);
  state.row_parts = parts_of(d.out[1], state.rows_of_part);
  bound.parts = state.planes * d.out[0] * state.row_parts;
  state.divisors_offset = state.buffer_columns * state.pixel + kPoolSlack;
  state.columns_offset = state.divisors_offset + d.out[2];
  bound.scratch_bytes = (state.columns_offset + d.out[2]) * static_cast<int64_t>(sizeof(float));
  return bound;
}

}  // namespace shipway::kernels
