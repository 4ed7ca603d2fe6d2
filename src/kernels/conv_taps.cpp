// Convolution between channel-blocked layouts tap by tap, in place: each tap is a matrix product of
// the input pixels that it reads with the output pixels that they go to. For transposed convolution
// (where the output pixels are a stride apart), and for wide dilations of others, whose bands would
// be large and mostly zeros. Weights lie as for conv_blocked.
#include <algorithm>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

// Of one panel of a unit: stays in L2 over all taps.
constexpr int64_t kOutputFloats = 48 << 10;  // tuned
// Of k in one pass over the rows: 54 KiB of weights at 32 columns.
constexpr int64_t kChunk = 432;  // tuned
constexpr size_t kHeight = 1, kWidth = 2;

struct State {
  ConvDims dims;
  EpilogueForm form;
  int64_t groups = 1;                   // after merging
  int64_t channels = 1;                 // input channel blocks of one group
  int64_t in_plane = 0, out_plane = 0;  // floats of one channel block
  int64_t rows_of_unit = 1, row_units = 1;
  PanelUnits units{};
  bool exclusive = false;       // every output pixel gets exactly one tap
  int64_t segments_offset = 0;  // floats in scratch
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// Where one tap goes along an axis: `count` positions from `in` and `out`, the steps apart.
struct Walk {
  int64_t in, out, count, in_step, out_step;
};

/// The walk of the tap `offset` positions (dilation included) from the first, over outputs
/// [begin, end).
Walk walk(const ConvProblem& problem, const ConvDims& d, size_t axis, int64_t offset, int64_t begin,
          int64_t end) {
  const int64_t stride = problem.strides[axis], shift = offset - d.pads[axis];
  // The first of all positions p >= 0 with p * stride >= x.
  const auto first = [&](int64_t x) { return x <= 0 ? 0 : parts_of(x, stride); };
  if (problem.transposed) {  // out = in * stride + shift
    const int64_t from = first(begin - shift), to = std::min(first(end - shift), d.in[axis]);
    return {from, from * stride + shift, std::max<int64_t>(to - from, 0), 1, stride};
  }
  // in = out * stride + shift
  const int64_t from = std::max(begin, first(-shift)),
                to = std::min(end, first(d.in[axis] - shift));
  return {from * stride + shift, from, std::max<int64_t>(to - from, 0), stride, 1};
}

/// One unit's place: image, depth, group, output rows, panels.
struct Unit {
  int64_t image, depth, group, row_begin, row_end, panel_begin, panel_end;
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
  int64_t in_per_group() const { return problem.channels_in / state.groups; }
  /// The plane of a unit's first input channel block.
  const float* input(const Unit& unit) const {
    const int64_t blocks = stored_channels(problem.input, problem.channels_in) / lanes();
    return x + (unit.image * blocks + unit.group * state.channels) * state.in_plane +
           unit.depth * state.dims.in[kHeight] * state.dims.in[kWidth] * lanes();
  }
  int64_t first_channel(const Unit& unit, int64_t panel) const {
    return unit.group * panels.n + panel * panels.panel;
  }
  /// Of output (row, column) in the first channel block of a panel.
  int64_t output_offset(const Unit& unit, int64_t panel, int64_t row, int64_t column) const {
    const ConvDims& d = state.dims;
    const int64_t blocks = stored_channels(problem.output, problem.channels_out) / lanes();
    return (unit.image * blocks + first_channel(unit, panel) / lanes()) * state.out_plane +
           ((unit.depth * d.out[kHeight] + row) * d.out[kWidth] + column) * lanes();
  }
};

/// The channel blocks of one tap, as offsets into the input.
void list_segments(const Run& run, int64_t tap) {
  const int64_t taps = run.problem.kernel[kHeight] * run.problem.kernel[kWidth];
  for (int64_t c = 0; c < run.state.channels; ++c) {
    const int64_t length = std::min(run.lanes(), run.in_per_group() - c * run.lanes()),
                  next = std::min(run.lanes(), run.in_per_group() - (c + 1) * run.lanes());
    // To the same tap of the next block: over this block's later taps and that one's earlier ones.
    run.segments[c] = {c * run.state.in_plane, length, (taps - 1 - tap) * length + tap * next};
  }
}

/// Tiles over `count` pixels; `t` is at the first.
void run_line(const Run& run, TileArguments t, int64_t width, int64_t count) {
  const TileFunction* functions = run.tiles.packed[width / run.lanes() - 1];
  const RowTiles split(count, run.tiles.max_rows);
  for (int64_t i = 0; i < split.count; ++i) {
    const int64_t rows = split.rows(i);
    functions[rows - 1](t);
    t.a += rows * t.a_row_stride;
    t.c += rows * t.c_row_stride;
    if (t.add) t.add += rows * t.c_row_stride;
  }
}

/// All pixels of one tap; `t.b` is at its weights. With `whole`, the tap is all that its pixels
/// get.
void run_tap(const Run& run, const Unit& unit, int64_t panel, const Walk& rows, const Walk& columns,
             bool whole, TileArguments t) {
  const int64_t width = run.panels.width(panel), in_width = run.state.dims.in[kWidth];
  t.a_row_stride = columns.in_step * run.lanes();
  t.c_row_stride = columns.out_step * run.lanes();
  const float* input = run.input(unit);
  for (int64_t s = 0; s < run.state.channels;) {
    int64_t end = s, k = 0, packed = 0;
    for (; end < run.state.channels && (k == 0 || k + run.segments[end].length <= kChunk); ++end) {
      k += run.segments[end].length;
      packed += run.segments[end].length + run.segments[end].gap;
    }
    t.segments = run.segments + s;
    t.segment_count = end - s;
    t.accumulate = !whole || s > 0;
    t.finish = whole && end == run.state.channels;
    for (int64_t r = 0; r < rows.count; ++r) {
      const int64_t offset =
          run.output_offset(unit, panel, rows.out + r * rows.out_step, columns.out);
      t.a = input + ((rows.in + r * rows.in_step) * in_width + columns.in) * run.lanes();
      t.c = run.y + offset;
      t.add = run.add ? run.add + offset : nullptr;
      run_line(run, t, width, columns.count);
    }
    t.b += packed * width;
    s = end;
  }
}

/// A pass over the outputs of a panel that reads no input: it clears or finishes them.
void run_outputs(const Run& run, const Unit& unit, int64_t panel, bool finish, TileArguments t) {
  t.segment_count = 0;
  t.a = run.x;
  t.accumulate = t.finish = finish;
  t.c_row_stride = run.lanes();
  for (int64_t row = unit.row_begin; row < unit.row_end; ++row) {
    const int64_t offset = run.output_offset(unit, panel, row, 0);
    t.c = run.y + offset;
    t.add = run.add ? run.add + offset : nullptr;
    run_line(run, t, run.panels.width(panel), run.state.dims.out[kWidth]);
  }
}

void run_panel(const Run& run, const Unit& unit, int64_t panel) {
  const State& state = run.state;
  const ConvProblem& problem = run.problem;
  const int64_t width = run.panels.width(panel);
  float padded_bias[32];
  TileArguments t = blocked_tile(state.form, run.bias, run.first_channel(unit, panel), width,
                                 problem.channels_out, state.out_plane, padded_bias);
  if (!state.exclusive) run_outputs(run, unit, panel, false, t);
  t.b = run.weights + unit.group * run.panels.floats() + run.panels.offset(panel);
  for (int64_t h = 0; h < problem.kernel[kHeight]; ++h)
    for (int64_t w = 0; w < problem.kernel[kWidth]; ++w) {
      list_segments(run, h * problem.kernel[kWidth] + w);
      const Walk rows = walk(problem, state.dims, kHeight, h * problem.dilations[kHeight],
                             unit.row_begin, unit.row_end);
      const Walk columns = walk(problem, state.dims, kWidth, w * problem.dilations[kWidth], 0,
                                state.dims.out[kWidth]);
      run_tap(run, unit, panel, rows, columns, state.exclusive, t);
      t.b += run.segments[0].length * width;
    }
  if (!state.exclusive) run_outputs(run, unit, panel, true, t);
}

/// The epilogue's steps that tiles do not know.
void apply_steps(const Run& run, EpilogueRunner& epilogue, const Unit& unit, int64_t panel) {
  const int64_t lanes = run.lanes(), row_floats = run.state.dims.out[kWidth] * lanes;
  epilogue.apply_blocked(run.y,
                         {.offset = run.output_offset(unit, panel, unit.row_begin, 0),
                          .blocks = run.panels.width(panel) / lanes,
                          .block_stride = run.state.out_plane,
                          .rows = unit.row_end - unit.row_begin,
                          .row_stride = row_floats,
                          .row_floats = row_floats},
                         run.first_channel(unit, panel), lanes, run.problem.channels_out);
}

void run_conv_taps(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ConvProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  auto* floats = static_cast<float*>(scratch);
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  const Run run{.state = state,
                .problem = problem,
                .tiles = tiles,
                .panels = {problem.channels_out / state.groups,
                           problem.channels_in / state.groups * problem.kernel[kHeight] *
                               problem.kernel[kWidth],
                           2 * tiles.lanes, tiles.lanes},
                .x = views.input(0),
                .weights = views.input(1),
                .bias = problem.epilogue.has_bias ? views.input(2) : nullptr,
                .add = state.form.add ? views.input(3) : nullptr,
                .y = views.output(0),
                .segments = reinterpret_cast<Segment*>(floats + state.segments_offset)};
  for (int64_t index = part.begin; index < part.end; ++index) {
    Unit unit{};
    unit.panel_begin = index % state.units.count * state.units.panels_of_unit;
    unit.panel_end = std::min(unit.panel_begin + state.units.panels_of_unit, run.panels.count());
    int64_t rest = index / state.units.count;
    unit.row_begin = rest % state.row_units * state.rows_of_unit;
    unit.row_end = std::min(unit.row_begin + state.rows_of_unit, state.dims.out[kHeight]);
    rest /= state.row_units;
    unit.group = rest % state.groups;
    rest /= state.groups;
    unit.depth = rest % state.dims.out[0];
    unit.image = rest / state.dims.out[0];
    for (int64_t p = unit.panel_begin; p < unit.panel_end; ++p) {
      run_panel(run, unit, p);
      if (state.form.generic) apply_steps(run, epilogue, unit, p);
    }
  }
}

}  // namespace

Prepared prepare_conv_transposed(const Problem& problem, Isa isa) {
  const auto& conv = std::get<ConvProblem>(problem);
  const int lanes = tiles_for(isa).lanes;
  if (!conv.transposed) return Prepared::refuse(RefusalCode::kKind, "not transposed");
  if (conv.input != Layout::blocked(lanes) || conv.output != Layout::blocked(lanes))
    return Prepared::refuse(RefusalCode::kLayout, "input and output are channel-blocked");
  if (conv.kernel[0] != 1 || conv.strides[0] != 1)
    return Prepared::refuse(RefusalCode::kShape, "a kernel with depth");
  const int64_t merged = merged_groups(conv, lanes);
  if (merged == 0)
    return Prepared::refuse(RefusalCode::kGroup,
                            "no few groups together make whole channel blocks");
  KernelPlan plan;
  plan.input = conv.input;
  plan.output = conv.output;
  plan.weights = conv_recipe(conv, lanes, 2 * lanes, lanes, static_cast<int>(merged));
  plan.parameters[0] = static_cast<int32_t>(conv.group / merged);
  return {plan, {}};
}

Result<BoundKernel> bind_conv_taps(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ConvProblem>(plan.problem);
  const auto& d = std::get<ConvDims>(dims);
  SHIPWAY_RETURN_IF_ERROR(check_flat_conv_dims(problem, d));
  const int64_t lanes = tiles_for(plan.isa).lanes;
  BoundKernel bound;
  bound.run = run_conv_taps;
  State& state = bound.state<State>();
  state = {};
  state.dims = d;
  state.groups = plan.parameters[0];
  state.form = blocked_epilogue_form(problem.epilogue);
  state.channels = (problem.channels_in / state.groups + lanes - 1) / lanes;
  state.in_plane = d.in[0] * d.in[kHeight] * d.in[kWidth] * lanes;
  state.out_plane = d.out[0] * d.out[kHeight] * d.out[kWidth] * lanes;
  state.exclusive = problem.transposed;
  for (const size_t axis : {kHeight, kWidth})
    state.exclusive = state.exclusive && problem.kernel[axis] == problem.strides[axis] &&
                      problem.dilations[axis] == 1 && d.pads[axis] == 0 &&
                      d.out[axis] == d.in[axis] * problem.strides[axis];

  const int64_t rows = kOutputFloats / std::max<int64_t>(1, d.out[kWidth] * 2 * lanes);
  state.rows_of_unit = std::clamp<int64_t>(rows, 1, std::max<int64_t>(d.out[kHeight], 1));
  state.row_units = parts_of(d.out[kHeight], state.rows_of_unit);
  const int64_t panels = (problem.channels_out / state.groups + 2 * lanes - 1) / (2 * lanes);
  const int64_t planes = d.batch * d.out[0] * state.groups * state.row_units;
  state.units = panel_units(panels, planes);
  bound.parts = d.out[kWidth] == 0 ? 0 : planes * state.units.count;

  state.segments_offset = whole_lines(EpilogueRunner::scratch_floats(problem.epilogue));
  bound.scratch_bytes = state.segments_offset * static_cast<int64_t>(sizeof(float)) +
                        state.channels * static_cast<int64_t>(sizeof(Segment));
  bound.cost = conv_cost(problem, d, 12.0 * static_cast<double>(lanes));  // tuned
  return bound;
}

}  // namespace shipway::kernels
