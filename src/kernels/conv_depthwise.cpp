// Depthwise convolution (one input channel for each output channel) on blocked layouts: every
// vector is one pixel of a channel block. Wide planes are read in place: outputs whose windows
// reach into the padding leave those taps out; the plane is divided into runs of rows and of
// columns that use the same taps, and a border column is a tile that runs down the rows. Narrow
// planes, mostly border, are copied with their padding first.
#include <algorithm>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kRowsOfPart = 16;  // tuned
constexpr int64_t kNarrow = 16;  // tuned: columns, up to here the copy is faster than the borders

struct State {
  ConvDims dims;
  EpilogueForm form;
  int64_t blocks = 1, in_plane = 0, out_plane = 0;
  int64_t rows_of_part = 1, row_parts = 0;
  int64_t segments_offset = 0, plane_offset = 0;
  bool copy = false;
  ConvDims padded;                   // what the loops see: without padding when the plane is copied
  DepthwiseFunction line = nullptr;  // for outputs whose whole window lies inside
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// Neighbouring outputs [begin, end) of one axis that use taps [tap_begin, tap_end).
struct Run {
  int64_t begin, end, tap_begin, tap_end;
};

/// Taps of output `o` that lie inside the input.
Run taps_of(const ConvProblem& problem, const ConvDims& d, size_t axis, int64_t o) {
  const int64_t first = o * problem.strides[axis] - d.pads[axis],
                dilation = problem.dilations[axis];
  const int64_t begin = first < 0 ? (-first + dilation - 1) / dilation : 0;
  const int64_t end = first < d.in[axis]
                          ? std::min(problem.kernel[axis], (d.in[axis] - 1 - first) / dilation + 1)
                          : 0;
  return {o, o + 1, std::min(begin, std::max<int64_t>(end, 0)), std::max<int64_t>(end, 0)};
}

/// The longest run that starts at `o` and ends at `limit` at the latest.
Run run_at(const ConvProblem& problem, const ConvDims& d, size_t axis, int64_t o, int64_t limit) {
  Run run = taps_of(problem, d, axis, o);
  while (run.end < limit) {
    const Run next = taps_of(problem, d, axis, run.end);
    if (next.tap_begin != run.tap_begin || next.tap_end != run.tap_end) break;
    ++run.end;
  }
  return run;
}

void run_conv_depthwise(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ConvProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  const ConvDims &given = state.dims, &d = state.padded;
  const int64_t lanes = tiles.lanes, channels = problem.channels_out,
                taps = problem.kernel[1] * problem.kernel[2];
  const float *x = views.input(0), *weights = views.input(1);
  const float* bias = problem.epilogue.has_bias ? views.input(2) : nullptr;
  const float* add = state.form.add ? views.input(3) : nullptr;
  float* y = views.output(0);
  auto* floats = static_cast<float*>(scratch);
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  auto* segments = reinterpret_cast<Segment*>(floats + state.segments_offset);
  const int64_t in_row = d.in[2] * lanes, out_row = d.out[2] * lanes;
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t row_begin = index % state.row_parts * state.rows_of_part,
                  row_end = std::min(row_begin + state.rows_of_part, d.out[1]);
    const int64_t plane = index / state.row_parts;  // (image, channel block, depth)
    const int64_t depth = plane % d.out[0], image_block = plane / d.out[0],
                  block = image_block % state.blocks;
    const float* source =
        x + image_block * state.in_plane + depth * given.in[1] * given.in[2] * lanes;
    if (state.copy) {  // such a plane is one part
      float* plane_copy = floats + state.plane_offset;
      tiles.pad_plane({source, plane_copy, given.in[1], given.in[2], given.pads[1], given.pads[2],
                       d.in[1], d.in[2]});
      source = plane_copy;
    }
    const int64_t y_offset = image_block * state.out_plane + depth * d.out[1] * out_row;
    float padded_bias[16];
    TileArguments t;
    t.segments = segments;
    t.b = weights + block * taps * lanes;
    t.clip = state.form.clip;
    t.low = state.form.low;
    t.high = state.form.high;
    if (bias) {
      for (int64_t c = 0; c < lanes; ++c)
        padded_bias[c] = block * lanes + c < channels ? bias[block * lanes + c] : 0.0f;
      t.bias = padded_bias;
    }
    for (Run rows{0, row_begin, 0, 0}; rows.end < row_end;) {
      rows = run_at(problem, d, 1, rows.end, row_end);
      for (Run columns{0, 0, 0, 0}; columns.end < d.out[2];) {
        columns = run_at(problem, d, 2, columns.end, d.out[2]);
        // A window may start before the input, though no tap that is used does.
        const int64_t first = (rows.begin * problem.strides[1] - d.pads[1]) * in_row +
                              (columns.begin * problem.strides[2] - d.pads[2]) * lanes;
        const bool whole = rows.tap_end - rows.tap_begin == problem.kernel[1] &&
                           columns.tap_end - columns.tap_begin == problem.kernel[2];
        if (whole && state.line) {
          DepthwiseLine line{.a_row_stride = problem.dilations[1] * in_row,
                             .weights = t.b,
                             .count = columns.end - columns.begin,
                             .clip = t.clip,
                             .bias = t.bias,
                             .low = t.low,
                             .high = t.high};
          for (int64_t row = rows.begin; row < rows.end; ++row) {
            const int64_t c_offset = y_offset + row * out_row + columns.begin * lanes;
            line.a = source + first + (row - rows.begin) * problem.strides[1] * in_row;
            line.c = y + c_offset;
            line.add = add ? add + c_offset : nullptr;
            state.line(line);
          }
          continue;
        }
        t.segment_count = 0;
        for (int64_t h = rows.tap_begin; h < rows.tap_end; ++h)
          for (int64_t w = columns.tap_begin; w < columns.tap_end; ++w)
            segments[t.segment_count++] = {
                h * problem.dilations[1] * in_row + w * problem.dilations[2] * lanes,
                h * problem.kernel[2] + w};
        // Tiles run along the longer side of the region.
        const int64_t height = rows.end - rows.begin, width = columns.end - columns.begin;
        const int64_t down = problem.strides[1] * in_row, right = problem.strides[2] * lanes;
        const bool across = width >= height;
        t.a_row_stride = across ? right : down;
        t.c_row_stride = across ? lanes : out_row;
        const RowTiles split(across ? width : height, tiles.max_rows);
        for (int64_t line = 0; line < (across ? height : width); ++line) {
          int64_t a_offset = first + line * (across ? down : right);
          int64_t c_offset = y_offset + rows.begin * out_row + columns.begin * lanes +
                             line * (across ? out_row : lanes);
          for (int64_t i = 0; i < split.count; ++i) {
            const int64_t count = split.rows(i);
            t.a = source + a_offset;
            t.c = y + c_offset;
            t.add = add ? add + c_offset : nullptr;
            tiles.depthwise[count - 1](t);
            a_offset += count * t.a_row_stride;
            c_offset += count * t.c_row_stride;
          }
        }
      }
    }
    if (!state.form.generic) continue;
    const int64_t end = y_offset + row_end * out_row;
    for (int64_t i = y_offset + row_begin * out_row; i < end; i += EpilogueRunner::kRun)
      epilogue.apply(y + i, std::min(end - i, EpilogueRunner::kRun), i, block * lanes, lanes,
                     channels);
  }
}

}  // namespace

Prepared prepare_conv_depthwise(const Problem& problem, Isa isa) {
  const auto& conv = std::get<ConvProblem>(problem);
  const int lanes = tiles_for(isa).lanes;
  if (conv.transposed) return Prepared::refuse(RefusalCode::kKind, "a transposed convolution");
  if (conv.group != conv.channels_in || conv.channels_out != conv.channels_in)
    return Prepared::refuse(conv.group == 1 ? RefusalCode::kKind : RefusalCode::kGroup,
                            "not one input channel for each output channel");
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
  SHIPWAY_RETURN_IF_ERROR(check_flat_conv_dims(problem, d));
  const TileTable& tiles = tiles_for(plan.isa);
  const int64_t lanes = tiles.lanes;
  BoundKernel bound;
  bound.run = run_conv_depthwise;
  State& state = bound.state<State>();
  state = {};
  state.dims = d;
  state.form = blocked_epilogue_form(problem.epilogue);
  state.blocks = parts_of(problem.channels_in, lanes);
  state.in_plane = d.in[0] * d.in[1] * d.in[2] * lanes;
  state.out_plane = d.out[0] * d.out[1] * d.out[2] * lanes;
  state.padded = d;
  if (problem.kernel[1] == problem.kernel[2] &&
      (problem.kernel[2] == 3 || problem.kernel[2] == 5) && problem.dilations[2] == 1 &&
      problem.strides[2] <= 2)
    state.line = tiles.depthwise_line[problem.kernel[2] / 2 - 1][problem.strides[2] - 1];
  const auto reach = [&](size_t axis) {
    return (d.out[axis] - 1) * problem.strides[axis] +
           (problem.kernel[axis] - 1) * problem.dilations[axis] + 1;
  };
  if (d.out[1] > 0 && d.out[2] > 0 && d.out[1] <= kNarrow && d.out[2] <= kNarrow &&
      reach(1) >= d.in[1] + d.pads[1] && reach(2) >= d.in[2] + d.pads[2]) {
    state.copy = true;
    state.padded.in = {d.in[0], reach(1), reach(2)};
    state.padded.pads = {0, 0, 0};
    state.rows_of_part = d.out[1];
    state.row_parts = 1;
  } else if (d.out[1] > 0 && d.out[2] > 0) {
    const int64_t parts = parts_of(d.out[1], kRowsOfPart);
    state.rows_of_part = parts_of(d.out[1], parts);
    state.row_parts = parts_of(d.out[1], state.rows_of_part);
  }
  bound.parts = d.batch * state.blocks * d.out[0] * state.row_parts;
  state.segments_offset = whole_lines(EpilogueRunner::scratch_floats(problem.epilogue));
  const int64_t taps = problem.kernel[1] * problem.kernel[2];
  state.plane_offset = state.segments_offset +
                       whole_lines(taps * static_cast<int64_t>(sizeof(Segment) / sizeof(float)));
  const int64_t plane = state.copy ? state.padded.in[1] * state.padded.in[2] * lanes : 0;
  bound.scratch_bytes = (state.plane_offset + plane) * static_cast<int64_t>(sizeof(float));
  bound.cost = conv_cost(problem, d, 8.0 * static_cast<double>(lanes));  // tuned
  return bound;
}

}  // namespace shipway::kernels
