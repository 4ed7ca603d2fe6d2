// Convolution with channels-blocked output as matrix products on bands of the input: rows are
// output pixels, columns output channels, k runs over (channel block, tap, channel). Two rows of
// the table: blocked input (most layers, 1x1 included) and plain input with few channels (first
// layers), whose k runs over (channel, tap).
#include <algorithm>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

// 192 KiB: a band shares L2 with outputs and weights.
constexpr int64_t kBandFloats = 48 << 10;             // tuned
constexpr int64_t kMostBandFloats = 4 * kBandFloats;  // tuned: where a dilated band turns to taps
// Of k in one pass over a band: 54 KiB of weights at 32 columns.
constexpr int64_t kChunk = 432;  // tuned

struct State {
  ConvDims dims;
  BandShape band;
  EpilogueForm form;
  int64_t groups = 1;    // after merging
  int64_t channels = 1;  // input channel blocks (or channels) of one group
  int64_t in_plane = 0,
          out_plane = 0;  // floats of one channel block (channel) of the input, block of the output
  PanelUnits units{};
  int64_t segments = 0;
  int64_t segments_offset = 0, band_offset = 0;  // floats in scratch
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// Writes the runs of k in packing order, as offsets into a band.
void list_segments(const State& state, const ConvProblem& problem, Segment* segments) {
  const BandShape& band = state.band;
  const int64_t in_per_group = problem.channels_in / state.groups;
  for (int64_t c = 0; c < state.channels; ++c)
    for (int64_t h = 0; h < problem.kernel[1]; ++h) {
      const int64_t row = c * band.channel_stride + h * problem.dilations[1] * band.row_stride;
      if (!problem.input.is_blocked() && problem.dilations[2] == 1) {
        *segments++ = {row, problem.kernel[2]};
        continue;
      }
      const int64_t length = std::min(band.pixel, in_per_group - c * band.pixel);
      for (int64_t w = 0; w < problem.kernel[2]; ++w)
        *segments++ = {row + w * problem.dilations[2] * band.pixel, length};
    }
}

/// One unit's place: image, depth, group, band, panels.
struct Unit {
  int64_t image, depth, group, band, panel_begin, panel_end;
};

/// One call of run: what stays the same over its units.
struct Run {
  const State& state;
  const ConvProblem& problem;
  const TileTable& tiles;
  Panels panels;
  const float *x, *weights, *bias, *add;
  float* y;
  Segment* segments;

  int64_t lanes() const { return tiles.lanes; }
  int64_t out_per_group() const { return panels.n; }
  /// The plane of a unit's first input channel (block).
  const float* input(const Unit& unit) const {
    const ConvDims& d = state.dims;
    const int64_t image = problem.input.is_blocked()
                              ? stored_channels(problem.input, problem.channels_in) / lanes()
                              : problem.channels_in;
    return x + (unit.image * image + unit.group * state.channels) * state.in_plane +
           unit.depth * d.in[1] * d.in[2] * state.band.pixel;
  }
  int64_t first_channel(const Unit& unit, int64_t panel) const {
    return unit.group * out_per_group() + panel * panels.panel;
  }
  /// Of output (row, column) in the first channel block of a panel.
  int64_t output_offset(const Unit& unit, int64_t panel, int64_t row, int64_t column) const {
    const ConvDims& d = state.dims;
    const int64_t blocks = stored_channels(problem.output, problem.channels_out) / lanes();
    return (unit.image * blocks + first_channel(unit, panel) / lanes()) * state.out_plane +
           ((unit.depth * d.out[1] + row) * d.out[2] + column) * lanes();
  }
  const float* panel_weights(const Unit& unit, int64_t panel) const {
    return weights + unit.group * panels.floats() + panels.offset(panel);
  }
};

/// Segments [begin, end) of a list of `count` that make one pass over k, and their length.
struct Pass {
  int64_t end, length;
};
Pass pass_from(const Segment* segments, int64_t begin, int64_t count) {
  Pass pass{begin, 0};
  while (pass.end < count &&
         (pass.length == 0 || pass.length + segments[pass.end].length <= kChunk))
    pass.length += segments[pass.end++].length;
  return pass;
}

/// One panel over a band whose pixels hold every tap.
void run_panel(const Run& run, const Unit& unit, const Band& band, int64_t panel) {
  const State& state = run.state;
  const int64_t width = run.panels.width(panel), lanes = run.lanes();
  const RowTiles split(band.column_end - band.column_begin, run.tiles.max_rows);
  const TileFunction* functions = run.tiles.packed[width / lanes - 1];
  float padded_bias[32];
  TileArguments t = blocked_tile(state.form, run.bias, run.first_channel(unit, panel), width,
                                 run.problem.channels_out, state.out_plane, padded_bias);
  t.a_row_stride = run.problem.strides[2] * state.band.pixel;
  t.c_row_stride = lanes;
  t.b = run.panel_weights(unit, panel);
  const float* bias = t.bias;
  for (int64_t s = 0; s < state.segments;) {
    const Pass pass = pass_from(run.segments, s, state.segments);
    t.segments = run.segments + s;
    t.segment_count = pass.end - s;
    // Each pass adds its own sum to what stands there: several short sums lose less than a long
    // one.
    const bool last = pass.end == state.segments;
    t.bias = last ? bias : nullptr;
    t.clip = last && state.form.clip;
    // The weights that follow (of the next pass or panel), a piece with every tile.
    const float *ahead = t.b + pass.length * width, *ahead_end = ahead + pass.length * width;
    for (int64_t row = band.row_begin; row < band.row_end; ++row) {
      const int64_t offset = run.output_offset(unit, panel, row, band.column_begin);
      t.a = band.base + (row - band.row_begin) * run.problem.strides[1] * state.band.row_stride;
      t.c = run.y + offset;
      t.add = s > 0 ? t.c : run.add ? run.add + offset : nullptr;
      for (int64_t i = 0; i < split.count; ++i) {
        const int64_t rows = split.rows(i);
        t.prefetch = ahead < ahead_end ? ahead : nullptr;  // tuned
        ahead += pass.length / 4 * 16;                     // tuned
        functions[rows - 1](t);
        t.a += rows * t.a_row_stride;
        t.c += rows * lanes;
        if (t.add) t.add += rows * lanes;
      }
    }
    t.b += pass.length * width;
    s = pass.end;
  }
}

/// The epilogue's steps that tiles do not know, over what one panel made of a band.
void apply_steps(const Run& run, EpilogueRunner& epilogue, const Unit& unit, const Band& band,
                 int64_t panel) {
  const int64_t lanes = run.lanes();
  epilogue.apply_blocked(
      run.y,
      {.offset = run.output_offset(unit, panel, band.row_begin, band.column_begin),
       .blocks = run.panels.width(panel) / lanes,
       .block_stride = run.state.out_plane,
       .rows = band.row_end - band.row_begin,
       .row_stride = run.state.dims.out[2] * lanes,
       .row_floats = (band.column_end - band.column_begin) * lanes},
      run.first_channel(unit, panel), lanes, run.problem.channels_out);
}

void run_conv_direct(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ConvProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  auto* floats = static_cast<float*>(scratch);
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  const Run run{
      .state = state,
      .problem = problem,
      .tiles = tiles,
      .panels = {problem.channels_out / state.groups,
                 problem.channels_in / state.groups * problem.kernel[1] * problem.kernel[2],
                 2 * tiles.lanes, tiles.lanes},
      .x = views.input(0),
      .weights = views.input(1),
      .bias = problem.epilogue.has_bias ? views.input(2) : nullptr,
      .add = state.form.add ? views.input(3) : nullptr,
      .y = views.output(0),
      .segments = reinterpret_cast<Segment*>(floats + state.segments_offset)};
  list_segments(state, problem, run.segments);

  const int64_t bands = state.band.row_bands * state.band.column_bands;
  int64_t loaded = -1;
  Band band{};
  for (int64_t index = part.begin; index < part.end; ++index) {
    Unit unit{};
    const int64_t panel_unit = index % state.units.count;
    int64_t rest = index / state.units.count;
    const int64_t band_key = rest;
    unit.band = rest % bands;
    rest /= bands;
    unit.group = rest % state.groups;
    rest /= state.groups;
    unit.depth = rest % state.dims.out[0];
    unit.image = rest / state.dims.out[0];
    unit.panel_begin = panel_unit * state.units.panels_of_unit;
    unit.panel_end = std::min(unit.panel_begin + state.units.panels_of_unit, run.panels.count());
    if (loaded != band_key) {
      band = load_band(state.band, problem, state.dims, run.input(unit), state.in_plane,
                       state.channels, unit.band, floats + state.band_offset);
      loaded = band_key;
    }
    for (int64_t p = unit.panel_begin; p < unit.panel_end; ++p) {
      run_panel(run, unit, band, p);
      if (state.form.generic) apply_steps(run, epilogue, unit, band, p);
    }
  }
}

}  // namespace

int64_t merged_groups(const ConvProblem& conv, int64_t lanes) {
  if (conv.group == 1) return 1;
  const int64_t in = conv.channels_in / conv.group, out = conv.channels_out / conv.group;
  // 1/8 of the peak is still more than the plain kernel reaches on narrow groups.
  constexpr int64_t kMost = 8;  // tuned
  for (int64_t merged = 1; merged <= std::min(kMost, conv.group); ++merged)
    if (conv.group % merged == 0 && in * merged % lanes == 0 && out * merged % lanes == 0)
      return merged;
  return 0;
}

namespace {

Prepared prepare_direct(const ConvProblem& conv, Isa isa, bool blocked_input) {
  const int lanes = tiles_for(isa).lanes;
  if (conv.transposed) return Prepared::refuse(RefusalCode::kKind, "a transposed convolution");
  if (conv.output != Layout::blocked(lanes))
    return Prepared::refuse(RefusalCode::kLayout, "its output is channel-blocked");
  if (conv.input != (blocked_input ? Layout::blocked(lanes) : Layout::plain()))
    return Prepared::refuse(RefusalCode::kLayout,
                            blocked_input ? "its input is channel-blocked" : "its input is plain");
  if (conv.kernel[0] != 1 || conv.strides[0] != 1)
    return Prepared::refuse(RefusalCode::kShape, "a kernel with depth");
  if (conv.group < 1 || conv.channels_in % conv.group != 0 || conv.channels_out % conv.group != 0)
    return Prepared::refuse(RefusalCode::kGroup, "groups that do not divide the channels");
  const int64_t merged = merged_groups(conv, lanes);
  if (merged == 0)
    return Prepared::refuse(RefusalCode::kGroup,
                            "no few groups together make whole channel blocks");
  KernelPlan plan;
  plan.input = conv.input;
  plan.output = conv.output;
  plan.weights =
      conv_recipe(conv, blocked_input ? lanes : 0, 2 * lanes, lanes, static_cast<int>(merged));
  plan.parameters[0] = static_cast<int32_t>(conv.group / merged);
  return {plan, {}};
}

}  // namespace

Prepared prepare_conv_blocked(const Problem& problem, Isa isa) {
  return prepare_direct(std::get<ConvProblem>(problem), isa, true);
}

Prepared prepare_conv_first(const Problem& problem, Isa isa) {
  return prepare_direct(std::get<ConvProblem>(problem), isa, false);
}

Result<BoundKernel> bind_conv_direct(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ConvProblem>(plan.problem);
  const auto& given = std::get<ConvDims>(dims);
  SHIPWAY_RETURN_IF_ERROR(check_flat_conv_dims(problem, given));
  const TileTable& tiles = tiles_for(plan.isa);
  const int64_t lanes = tiles.lanes;
  BoundKernel bound;
  bound.run = run_conv_direct;
  State& state = bound.state<State>();
  state = {};
  state.groups = plan.parameters[0];
  state.dims = problem.input.is_blocked() ? flatten_pointwise(problem, given) : given;
  const ConvDims& d = state.dims;
  state.form = blocked_epilogue_form(problem.epilogue);
  const int64_t in_per_group = problem.channels_in / state.groups,
                out_per_group = problem.channels_out / state.groups;
  const int64_t pixel = problem.input.is_blocked() ? lanes : 1;
  state.channels = parts_of(in_per_group, pixel);
  state.in_plane = d.in[0] * d.in[1] * d.in[2] * pixel;
  state.out_plane = d.out[0] * d.out[1] * d.out[2] * lanes;
  state.band = band_shape(problem, d, pixel, state.channels, tiles.max_rows, kBandFloats);
  const int64_t taps = problem.kernel[1] * problem.kernel[2];
  state.segments =
      state.channels * (pixel == 1 && problem.dilations[2] == 1 ? problem.kernel[1] : taps);

  const bool dilated = problem.dilations[1] > 1 || problem.dilations[2] > 1;
  if (problem.input.is_blocked() && dilated && state.band.scratch_floats > kMostBandFloats)
    return bind_conv_taps(plan, dims);

  const int64_t panels = (out_per_group + 2 * lanes - 1) / (2 * lanes);
  const int64_t planes =
      d.batch * d.out[0] * state.groups * state.band.row_bands * state.band.column_bands;
  state.units = panel_units(panels, planes);
  bound.parts = planes * state.units.count;

  int64_t floats = whole_lines(EpilogueRunner::scratch_floats(problem.epilogue));
  state.segments_offset = floats;
  floats += whole_lines(state.segments * static_cast<int64_t>(sizeof(Segment) / sizeof(float)));
  state.band_offset = floats;
  floats += state.band.scratch_floats;
  bound.scratch_bytes = floats * static_cast<int64_t>(sizeof(float));
  bound.cost = conv_cost(problem, given, 12.0 * static_cast<double>(lanes));  // tuned
  return bound;
}

}  // namespace shipway::kernels
