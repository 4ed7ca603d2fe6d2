// Between plain and channel-blocked layouts: small transpositions of [channel][pixel] and
// [pixel][channel].
#include <algorithm>
#include <cstring>

#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/transpose_block.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kPixelsOfPart = 1024;  // tuned

struct State {
  ReorderDims dims;
  int64_t block = 1, blocks = 1, pixel_parts = 1;
};

void run_reorder(const BoundKernel& bound, const Views& views, Range part, void*) {
  const State& state = bound.state<State>();
  const auto& problem = std::get<ReorderProblem>(bound.plan->problem);
  const ReorderDims& d = state.dims;
  const float* x = views.input(0);
  float* y = views.output(0);
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t begin = index % state.pixel_parts * kPixelsOfPart,
                  end = std::min(begin + kPixelsOfPart, d.spatial);
    const int64_t image_block = index / state.pixel_parts, block = image_block % state.blocks,
                  image = image_block / state.blocks;
    const int64_t channels = std::min(state.block, d.channels - block * state.block);
    const int64_t blocked = image_block * d.spatial * state.block + begin * state.block;
    const int64_t plain = (image * d.channels + block * state.block) * d.spatial + begin;
    if (problem.to.is_blocked()) {
      if (!problem.from.is_blocked())
        transpose_block(x + plain, d.spatial, y + blocked, state.block, channels, end - begin);
      if (channels < state.block)
        for (int64_t p = 0; p < end - begin; ++p)
          for (int64_t c = channels; c < state.block; ++c) y[blocked + p * state.block + c] = 0;
    } else {
      transpose_block(x + blocked, state.block, y + plain, d.spatial, end - begin, channels);
    }
  }
}

}  // namespace

Prepared prepare_reorder(const Problem& problem, Isa) {
  const auto& reorder = std::get<ReorderProblem>(problem);
  if (!reorder.from.is_blocked() && !reorder.to.is_blocked())
    return Prepared::refuse(RefusalCode::kLayout, "from plain to plain");
  if (reorder.from.is_blocked() && reorder.to.is_blocked() && reorder.from != reorder.to)
    return Prepared::refuse(RefusalCode::kLayout, "between two channel blocks");
  KernelPlan plan;
  plan.input = reorder.from;
  plan.output = reorder.to;
  return {plan, {}};
}

Result<BoundKernel> bind_reorder(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ReorderProblem>(plan.problem);
  BoundKernel bound;
  bound.run = run_reorder;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<ReorderDims>(dims);
  state.block = problem.to.is_blocked() ? problem.to.block : problem.from.block;
  state.blocks = parts_of(state.dims.channels, state.block);
  state.pixel_parts = parts_of(state.dims.spatial, kPixelsOfPart);
  bound.parts = state.dims.batch * state.blocks * state.pixel_parts;
  bound.cost.bytes = 8.0 * static_cast<double>(state.dims.batch * state.dims.channels) *
                     static_cast<double>(state.dims.spatial);
  bound.cost.nanoseconds = bound.cost.bytes / 15;  // tuned
  return bound;
}

}  // namespace shipway::kernels
