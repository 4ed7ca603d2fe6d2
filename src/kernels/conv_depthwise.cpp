// Depthwise convolution (one input channel for each output channel) on blocked layouts: every
// vector is one pixel of a channel block.
#include <algorithm>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kBandFloats = 8 << 10;  // 32 KiB: one channel block's band stays in L1

struct State {
  ConvDims dims;
  BandShape band;
  EpilogueForm form;
  int64_t blocks = 1, in_plane = 0, out_plane = 0;
  int64_t segments = 0, segments_offset = 0, band_offset = 0;
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

void run_conv_depthwise(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ConvProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  const ConvDims& d = state.dims;
  const int64_t lanes = tiles.lanes, channels = problem.channels_out;
  const float *x = views.input(0), *weights = views.input(1);
  const float* bias = problem.epilogue.has_bias ? views.input(2) : nullptr;
  const float* add = state.form.add ? views.input(3) : nullptr;
  float* y = views.output(0);
  auto* floats = static_cast<float*>(scratch);
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  auto* segments = reinterpret_cast<Segment*>(floats + state.segments_offset);
  for (int64_t h = 0, s = 0; h < problem.kernel[1]; ++h)
    for (int64_t w = 0; w < problem.kernel[2]; ++w)
      segments[s++] = {
          h * problem.dilations[1] * state.band.row_stride + w * problem.dilations[2] * lanes, 1};

  const int64_t bands = state.band.row_bands * state.band.column_bands, out_width = d.out[2];
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t plane = index / bands;  // (image, channel block, depth)
    const int64_t depth = plane % d.out[0], block = plane / d.out[0] % state.blocks;
    const int64_t image_block = plane / d.out[0];
    const float* source = x + image_block * state.in_plane + depth * d.in[1] * d.in[2] * lanes;
    const Band band = load_band(state.band, problem, d, source, state.in_plane, 1, index % bands,
                                floats + state.band_offset);
    const int64_t columns = band.column_end - band.column_begin;
    const int64_t y_offset =
        image_block * state.out_plane +
        ((depth * d.out[1] + band.row_begin) * out_width + band.column_begin) * lanes;
    const RowTiles split(columns, tiles.max_rows);
    float padded_bias[16];
    TileArguments t;
    t.a_row_stride = problem.strides[2] * lanes;
    t.segments = segments;
    t.segment_count = state.segments;
    t.b = weights + block * state.segments * lanes;
    t.c_row_stride = lanes;
    t.clip = state.form.clip;
    t.low = state.form.low;
    t.high = state.form.high;
    if (bias) {
      for (int64_t c = 0; c < lanes; ++c)
        padded_bias[c] = block * lanes + c < channels ? bias[block * lanes + c] : 0.0f;
      t.bias = padded_bias;
    }
    for (int64_t row = 0; row < band.row_end - band.row_begin; ++row) {
      const int64_t row_offset = y_offset + row * out_width * lanes;
      t.a = band.base + row * problem.strides[1] * state.band.row_stride;
      t.c = y + row_offset;
      t.add = add ? add + row_offset : nullptr;
      for (int64_t i = 0; i < split.count; ++i) {
        const int64_t pixels = split.rows(i);
        tiles.depthwise[pixels - 1](t);
        t.a += pixels * t.a_row_stride;
        t.c += pixels * lanes;
        if (add) t.add += pixels * lanes;
      }
      if (!state.form.generic) continue;
      for (int64_t i = 0; i < columns * lanes; i += EpilogueRunner::kRun)
        epilogue.apply(y + row_offset + i, std::min(columns * lanes - i, EpilogueRunner::kRun),
                       row_offset + i, block * lanes, lanes, channels);
    }
  }
}

}  // namespace

Prepared prepare_conv_depthwise(const Problem& problem, Isa isa) {
  const auto& conv = std::get<ConvProblem>(problem);
  const int lanes = tiles_for(isa).lanes;
  if (conv.transposed) return Prepared::refuse(RefusalCode::kMode, "a transposed convolution");
  if (conv.group != conv.channels_in || conv.channels_out != conv.channels_in)
    return Prepared::refuse(RefusalCode::kGroup, "not one input channel for each output channel");
  if (conv.input != Layout::blocked(lanes) || conv.output != conv.input)
    return Prepared::refuse(RefusalCode::kLayout, "input and output are channel-blocked");
  if (conv.kernel[0] != 1 || conv.strides[0] != 1)
    return Prepared::refuse(RefusalCode::kShape, "a kernel with depth");
  KernelPlan plan;
  plan.input = conv.input;
  plan.output = conv.output;
  plan.weights = depthwise_recipe(conv.channels_in, conv.kernel[1] * conv.kernel[2], lanes);
  return {plan, {}};
}

Result<BoundKernel> bind_conv_depthwise(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ConvProblem>(plan.problem);
  const auto& d = std::get<ConvDims>(dims);
  SHIPWAY_RETURN_IF_ERROR(check_conv_dims(problem, d));
  if (d.pads[0] != 0 || d.in[0] != d.out[0])
    return Status::internal("padding along the depth of a kernel of depth 1");
  const TileTable& tiles = tiles_for(plan.isa);
  const int64_t lanes = tiles.lanes;
  BoundKernel bound;
  bound.run = run_conv_depthwise;
  State& state = bound.state<State>();
  state = {};
  state.dims = d;
  state.form = epilogue_form(problem.epilogue);
  if (!preserves_zero_tail(problem.epilogue)) state.form = {.generic = true};
  state.blocks = (problem.channels_in + lanes - 1) / lanes;
  state.in_plane = d.in[0] * d.in[1] * d.in[2] * lanes;
  state.out_plane = d.out[0] * d.out[1] * d.out[2] * lanes;
  state.segments = problem.kernel[1] * problem.kernel[2];
  state.band = band_shape(problem, d, lanes, 1, tiles.max_rows, kBandFloats);
  bound.parts = d.batch * state.blocks * d.out[0] * state.band.row_bands * state.band.column_bands;
  int64_t floats = (EpilogueRunner::scratch_floats(problem.epilogue) + 15) / 16 * 16;
  state.segments_offset = floats;
  floats += (state.segments * static_cast<int64_t>(sizeof(Segment) / sizeof(float)) + 15) / 16 * 16;
  state.band_offset = floats;
  floats += state.band.scratch_floats;
  bound.scratch_bytes = floats * static_cast<int64_t>(sizeof(float));
  bound.cost = conv_cost(problem, d, 8.0 * static_cast<double>(lanes));
  return bound;
}

}  // namespace shipway::kernels
