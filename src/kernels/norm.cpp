// Normalisations: LayerNorm and RMSNorm over rows, Group and Instance norm over channels,
// BatchNormalization of inference. Mean and variance are taken in two passes (the second over
// differences from the mean), sums of chunks in double.
#include <algorithm>
#include <cmath>

#include "kernels/problems.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/sizes.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kFloatsOfPart = 8192;  // tuned

struct State {
  NormDims dims;
  int64_t units = 0;  // what is normalised together
  int64_t units_of_part = 1;
};

template <typename Function>
double sum_of_chunks(int64_t n, Function chunk) {
  double sum = 0;
  for (int64_t i = 0; i < n; i += kRowChunk)
    sum += static_cast<double>(chunk(i, std::min(kRowChunk, n - i)));
  return sum;
}

struct Moments {
  float mean, factor;  // factor = 1 / sqrt(variance + epsilon)
};
Moments moments(const RowFunctions& rows, const float* x, int64_t n, float epsilon) {
  const double count = static_cast<double>(n);
  const auto mean = static_cast<float>(
      sum_of_chunks(n, [&](int64_t i, int64_t c) { return rows.sum(x + i, c); }) / count);
  const double variance =
      sum_of_chunks(
          n, [&](int64_t i, int64_t c) { return rows.sum_square_difference(x + i, mean, c); }) /
      count;
  return {mean, static_cast<float>(1 / std::sqrt(variance + static_cast<double>(epsilon)))};
}

void run_rows(const BoundKernel& bound, const Views& views, Range range) {
  const auto& problem = std::get<NormProblem>(bound.plan->problem);
  const RowFunctions& rows = row_functions(bound.plan->isa);
  const auto add = elementwise_functions(bound.plan->isa)[static_cast<size_t>(Opcode::kAdd)];
  const int64_t width = bound.state<State>().dims.width;
  const float *scale = views.input(1),
              *bias = problem.kind == NormKind::kLayer ? views.input(2) : nullptr;
  for (int64_t row = range.begin; row < range.end; ++row) {
    const float* x = views.input(0) + row * width;
    float* y = views.output(0) + row * width;
    if (problem.has_residual) {
      float* sum = views.output(1) ? views.output(1) + row * width : y;
      add(x, views.input(3) + row * width, nullptr, 0, 0, sum, width);
      x = sum;
    }
    if (problem.kind == NormKind::kLayer) {
      const Moments m = moments(rows, x, width, problem.epsilon);
      rows.normalize(x, m.mean, m.factor, scale, bias, y, width);
    } else {
      const double square =
          sum_of_chunks(width, [&](int64_t i, int64_t c) { return rows.sum_square(x + i, c); }) /
          static_cast<double>(width);
      rows.normalize(
          x, 0, static_cast<float>(1 / std::sqrt(square + static_cast<double>(problem.epsilon))),
          scale, nullptr, y, width);
    }
  }
}

/// Units are (image, group).
void run_groups(const BoundKernel& bound, const Views& views, Range range) {
  const auto& problem = std::get<NormProblem>(bound.plan->problem);
  const NormDims& d = bound.state<State>().dims;
  const RowFunctions& rows = row_functions(bound.plan->isa);
  const auto affine = elementwise_functions(bound.plan->isa)[static_cast<size_t>(Opcode::kAffine)];
  const int64_t groups = problem.groups > 0 ? problem.groups : d.channels,
                channels = d.channels / groups;
  const float *scale = views.input(1), *bias = views.input(2);
  for (int64_t unit = range.begin; unit < range.end; ++unit) {
    const int64_t first = unit % groups * channels,
                  offset = (unit / groups * d.channels + first) * d.width;
    const Moments m = moments(rows, views.input(0) + offset, channels * d.width, problem.epsilon);
    for (int64_t c = 0; c < channels; ++c) {
      const float factor = m.factor * (scale ? scale[first + c] : 1.0f);
      const int64_t at = offset + c * d.width;
      // (x - mean) * factor + bias: subtracting first keeps what a large mean would round away.
      rows.normalize(views.input(0) + at, m.mean, factor, nullptr, nullptr, views.output(0) + at,
                     d.width);
      if (bias)
        affine(views.output(0) + at, nullptr, nullptr, 1.0f, bias[first + c], views.output(0) + at,
               d.width);
    }
  }
}

/// Units are (image, channel).
void run_batch(const BoundKernel& bound, const Views& views, Range range) {
  const auto& problem = std::get<NormProblem>(bound.plan->problem);
  const NormDims& d = bound.state<State>().dims;
  const auto affine = elementwise_functions(bound.plan->isa)[static_cast<size_t>(Opcode::kAffine)];
  for (int64_t unit = range.begin; unit < range.end; ++unit) {
    const int64_t c = unit % d.channels;
    const auto value = [&](size_t input, double otherwise) {
      return views.input(input) ? static_cast<double>(views.input(input)[c]) : otherwise;
    };
    const double factor =
        value(1, 1) / std::sqrt(value(4, 1) + static_cast<double>(problem.epsilon));
    const double shift = value(2, 0) - value(3, 0) * factor;
    affine(views.input(0) + unit * d.width, nullptr, nullptr, static_cast<float>(factor),
           static_cast<float>(shift), views.output(0) + unit * d.width, d.width);
  }
}

void run_norm(const BoundKernel& bound, const Views& views, Range part, void*) {
  const State& state = bound.state<State>();
  const Range range{part.begin * state.units_of_part,
                    std::min(part.end * state.units_of_part, state.units)};
  switch (std::get<NormProblem>(bound.plan->problem).kind) {
    case NormKind::kLayer:
    case NormKind::kRms:
      return run_rows(bound, views, range);
    case NormKind::kGroup:
      return run_groups(bound, views, range);
    case NormKind::kBatch:
      return run_batch(bound, views, range);
  }
}

}  // namespace

Prepared prepare_norm(const Problem& problem, Isa) {
  const auto& norm = std::get<NormProblem>(problem);
  if (norm.has_residual && norm.kind != NormKind::kLayer && norm.kind != NormKind::kRms)
    return Prepared::refuse(RefusalCode::kMode, "a residual outside LayerNorm and RMSNorm");
  return {KernelPlan{}, {}};
}

Result<BoundKernel> bind_norm(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<NormProblem>(plan.problem);
  BoundKernel bound;
  bound.run = run_norm;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<NormDims>(dims);
  const NormDims& d = state.dims;
  int64_t unit = d.width;
  if (problem.kind == NormKind::kLayer || problem.kind == NormKind::kRms) {
    state.units = d.batch;
  } else if (problem.kind == NormKind::kBatch) {
    state.units = d.batch * d.channels;
  } else {
    const int64_t groups = problem.groups > 0 ? problem.groups : d.channels;
    if (groups > 0 && d.channels % groups != 0)
      return Status::internal("{} channels in {} groups", d.channels, groups);
    state.units = d.batch * groups;
    unit = groups > 0 ? d.channels / groups * d.width : 0;
  }
  if (unit <= 0) state.units = 0;
  if (state.units > 0) {
    state.units_of_part = std::clamp<int64_t>(kFloatsOfPart / unit, 1, state.units);
    bound.parts = parts_of(state.units, state.units_of_part);
  }
  const double elements = static_cast<double>(state.units) * static_cast<double>(unit);
  bound.cost.flops = elements * 6;
  bound.cost.bytes = elements * 8;
  bound.cost.nanoseconds = elements * 0.4;  // tuned
  return bound;
}

}  // namespace shipway::kernels
