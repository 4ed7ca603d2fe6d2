// Convolution to at most four channels, plain layouts, as at the end of image-to-image networks:
// vectors run along image rows, so that no lane is lost to channels that do not exist. Weights are
// read as they are.
#include <algorithm>
#include <cstring>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kBandFloats = 64 << 10;  // tuned
constexpr int64_t kMostChannels = 4;

struct State {
  ConvDims dims;
  BandShape band;
  EpilogueForm form;
  int64_t segments = 0, segments_offset = 0, band_offset = 0;
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

void run_conv_few(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ConvProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  const ConvDims& d = state.dims;
  const int64_t lanes = tiles.lanes, channels = problem.channels_out;
  const int64_t in_plane = d.in[0] * d.in[1] * d.in[2], out_plane = d.out[0] * d.out[1] * d.out[2];
  const float *x = views.input(0), *weights = views.input(1);
  const float* bias = problem.epilogue.has_bias ? views.input(2) : nullptr;
  float* y = views.output(0);
  auto* floats = static_cast<float*>(scratch);
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  auto* segments = reinterpret_cast<Segment*>(floats + state.segments_offset);
  for (int64_t c = 0, s = 0; c < problem.channels_in; ++c)
    for (int64_t h = 0; h < problem.kernel[1]; ++h)
      segments[s++] = {
          c * state.band.channel_stride + h * problem.dilations[1] * state.band.row_stride,
          problem.kernel[2]};

  int64_t most_vectors = TileTable::kMaxVectors;
  while (!tiles.direct[most_vectors - 1][channels - 1]) --most_vectors;
  const int64_t bands = state.band.row_bands * state.band.column_bands;
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t plane = index / bands, depth = plane % d.out[0], image = plane / d.out[0];
    const float* source = x + image * problem.channels_in * in_plane + depth * d.in[1] * d.in[2];
    const Band band = load_band(state.band, problem, d, source, in_plane, problem.channels_in,
                                index % bands, floats + state.band_offset);
    const int64_t columns = band.column_end - band.column_begin;
    TileArguments t;
    t.a = weights;
    t.a_row_stride = problem.channels_in * problem.kernel[1] * problem.kernel[2];
    t.segments = segments;
    t.segment_count = state.segments;
    t.b_step = problem.dilations[2];
    t.row_bias = bias;
    t.clip = state.form.clip;
    t.low = state.form.low;
    t.high = state.form.high;
    for (int64_t row = 0; row < band.row_end - band.row_begin; ++row) {
      const float* base = band.base + row * problem.strides[1] * state.band.row_stride;
      const int64_t y_offset = image * channels * out_plane +
                               (depth * d.out[1] + band.row_begin + row) * d.out[2] +
                               band.column_begin;
      for (int64_t column = 0; column < columns;) {
        const int64_t left = columns - column,
                      vectors = std::clamp<int64_t>(left / lanes, 1, most_vectors);
        const TileFunction function = tiles.direct[vectors - 1][channels - 1];
        t.b = base + column;
        t.c_vector_stride = lanes;
        if (left >= lanes) {
          t.c = y + y_offset + column;
          t.c_row_stride = out_plane;
          function(t);
        } else {  // the last vector is not full; scratch has slack for what it reads
          float buffer[kMostChannels * 16];
          t.c = buffer;
          t.c_row_stride = lanes;
          function(t);
          for (int64_t c = 0; c < channels; ++c)
            std::memcpy(y + y_offset + c * out_plane + column, buffer + c * lanes,
                        static_cast<size_t>(left) * sizeof(float));
        }
        column += vectors * lanes;
      }
      if (!state.form.generic) continue;
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t i = 0; i < columns; i += EpilogueRunner::kRun) {
          const int64_t offset = y_offset + c * out_plane + i;
          epilogue.apply(y + offset, std::min(columns - i, EpilogueRunner::kRun), offset, c, 1,
                         channels);
        }
    }
  }
}

}  // namespace

Prepared prepare_conv_few_outputs(const Problem& problem, Isa) {
  const auto& conv = std::get<ConvProblem>(problem);
  if (conv.transposed) return Prepared::refuse(RefusalCode::kKind, "a transposed convolution");
  if (conv.input.is_blocked() || conv.output.is_blocked())
    return Prepared::refuse(RefusalCode::kLayout, "input and output are plain");
  if (conv.channels_out > kMostChannels || conv.channels_out < 1)
    return Prepared::refuse(RefusalCode::kKind, "more than 4 output channels");
  if (conv.group != 1) return Prepared::refuse(RefusalCode::kGroup, "several groups");
  if (conv.strides[2] != 1 || conv.strides[0] != 1)
    return Prepared::refuse(RefusalCode::kStride, "a stride along rows or depth");
  if (conv.kernel[0] != 1) return Prepared::refuse(RefusalCode::kShape, "a kernel with depth");
  return {KernelPlan{}, {}};
}

Result<BoundKernel> bind_conv_few_outputs(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ConvProblem>(plan.problem);
  const auto& given = std::get<ConvDims>(dims);
  SHIPWAY_RETURN_IF_ERROR(check_flat_conv_dims(problem, given));
  const TileTable& tiles = tiles_for(plan.isa);
  BoundKernel bound;
  bound.run = run_conv_few;
  State& state = bound.state<State>();
  state = {};
  state.dims = flatten_pointwise(problem, given);
  state.form = epilogue_form(problem.epilogue);
  if (state.form.add)
    state.form = {.generic = true};  // a tile's last vector must not read a residual past its end
  state.segments = problem.channels_in * problem.kernel[1];
  state.band = band_shape(problem, state.dims, 1, problem.channels_in, 4 * tiles.lanes, kBandFloats,
                          /*copy=*/true, tiles.lanes);
  bound.parts = given.batch * state.dims.out[0] * state.band.row_bands * state.band.column_bands;
  int64_t floats = whole_lines(EpilogueRunner::scratch_floats(problem.epilogue));
  state.segments_offset = floats;
  floats += whole_lines(state.segments * static_cast<int64_t>(sizeof(Segment) / sizeof(float)));
  state.band_offset = floats;
  floats += state.band.scratch_floats;
  bound.scratch_bytes = floats * static_cast<int64_t>(sizeof(float));
  bound.cost = conv_cost(problem, given, 8.0 * static_cast<double>(tiles.lanes));  // tuned
  return bound;
}

}  // namespace shipway::kernels
