// 3x3 convolution with stride 1 between channel-blocked layouts by Winograd's F(4x4, 3x3): 36
// products where the direct way has 144. A block of tiles is transformed, multiplied (one small
// matrix product for each of the 36 positions) and transformed back while it stays in L2.
//
// Rounding: the largest error stays below 2e-6 of the largest output, as that of the direct kernel
// does (conv_winograd_test.cpp). An infinity or NaN of the input spreads over the 4x4 blocks of
// outputs that it reaches.
#include <algorithm>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"
#include "kernels/winograd.h"

namespace shipway::kernels {
namespace {

using winograd::kPositions;
using winograd::kTile;

constexpr int64_t kInputFloats = 96 << 10;  // tuned: transformed inputs of a block: 384 KiB of L2
constexpr int64_t kChunk = 128;             // tuned: channels of one sum
constexpr int64_t kApart = 16;  // tuned: floats between positions, which must not share sets of L1
constexpr int64_t kLeastChannels = 8;  // tuned: below it the transforms cost more than they save
// Four times the weights must be worth reading: from caches, or from memory.
constexpr int64_t kLeastPixels = 6 * 6, kLeastPixelsFromMemory = 14 * 14;  // tuned
constexpr int64_t kCachedWeights = 4 << 20;                                // tuned: bytes
constexpr size_t kHeight = 1, kWidth = 2;

struct State {
  ConvDims dims;
  EpilogueForm form;
  int64_t in_blocks = 1;                           // channel blocks of the input
  int64_t in_plane = 0, out_plane = 0;             // floats of one channel block
  RowTiles row_blocks{0, 1}, column_blocks{0, 1};  // the plane's 4x4 tiles in even blocks
  PanelUnits units{};
  int64_t input_stride = 0, product_stride = 0;  // floats from position to position
  int64_t input_offset = 0, product_offset = 0;  // floats in scratch
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// Tiles [begin, end) of one axis in block `index`.
struct TileRange {
  int64_t begin, end;
  TileRange(const RowTiles& blocks, int64_t index)
      : begin(index * blocks.least + std::min(index, blocks.larger)),
        end(begin + blocks.rows(index)) {}
  int64_t count() const { return end - begin; }
};

/// One unit's place.
struct Unit {
  int64_t image, depth;
  TileRange rows, columns;
  int64_t panel_begin, panel_end;
};

struct Run {
  const State& state;
  const ConvProblem& problem;
  const TileTable& tiles;
  Panels panels;
  const float *x, *weights, *bias, *add;
  float *y, *inputs, *products;

  int64_t lanes() const { return tiles.lanes; }
  int64_t in_floats() const { return state.in_blocks * lanes(); }
  /// Of output (row, column) in channel block `block`.
  int64_t output_offset(const Unit& unit, int64_t block, int64_t row, int64_t column) const {
    const ConvDims& d = state.dims;
    const int64_t blocks = stored_channels(problem.output, problem.channels_out) / lanes();
    return (unit.image * blocks + block) * state.out_plane +
           ((unit.depth * d.out[kHeight] + row) * d.out[kWidth] + column) * lanes();
  }
};

/// The unit's inputs as [position][tile][channel].
void transform_inputs(const Run& run, const Unit& unit) {
  const State& state = run.state;
  const ConvDims& d = state.dims;
  const int64_t lanes = run.lanes();
  WinogradInput t;
  t.row_stride = d.in[kWidth] * lanes;
  t.position_stride = state.input_stride;
  const float* plane = run.x + unit.image * state.in_blocks * state.in_plane +
                       unit.depth * d.in[kHeight] * t.row_stride;
  float* v = run.inputs;
  for (int64_t row = unit.rows.begin; row < unit.rows.end; ++row) {
    const int64_t h = row * kTile - d.pads[kHeight];
    t.row_begin = std::max<int64_t>(0, -h);
    t.row_end = std::min<int64_t>(winograd::kInput, d.in[kHeight] - h);
    for (int64_t column = unit.columns.begin; column < unit.columns.end; ++column) {
      const int64_t w = column * kTile - d.pads[kWidth];
      t.column_begin = std::max<int64_t>(0, -w);
      t.column_end = std::min<int64_t>(winograd::kInput, d.in[kWidth] - w);
      for (int64_t block = 0; block < state.in_blocks; ++block, v += lanes) {
        t.x = plane + block * state.in_plane + h * t.row_stride + w * lanes;
        t.v = v;
        run.tiles.winograd_input(t);
      }
    }
  }
}

/// The products of one panel of output channels as [position][tile][channel]. Sums are cut into
/// runs of kChunk channels: added up at the end, these lose less than one long sum.
void multiply(const Run& run, int64_t count, int64_t panel) {
  const int64_t width = run.panels.width(panel);
  const RowTiles split(count, run.tiles.max_rows);
  const TileFunction* functions = run.tiles.packed[width / run.lanes() - 1];
  TileArguments t;
  t.segment_count = 1;
  t.a_row_stride = run.in_floats();
  t.c_row_stride = width;
  t.c_vector_stride = run.lanes();
  t.b = run.weights + run.panels.offset(panel) * kPositions;
  const float* end = t.b + kPositions * run.panels.k * width;
  for (int64_t position = 0; position < kPositions; ++position) {
    for (int64_t first = 0; first < run.panels.k; first += kChunk) {
      const Segment chunk{first, std::min(kChunk, run.panels.k - first)};
      t.segments = &chunk;
      t.a = run.inputs + position * run.state.input_stride;
      t.c = run.products + position * run.state.product_stride;
      // The weights that follow, a piece with every tile.
      const float* ahead = t.b + chunk.length * width;
      const float* ahead_end = std::min(end, ahead + chunk.length * width);
      for (int64_t i = 0; i < split.count; ++i) {
        const int64_t rows = split.rows(i);
        t.add = first > 0 ? t.c : nullptr;
        t.prefetch = ahead < ahead_end ? ahead : nullptr;  // tuned
        ahead += chunk.length / 4 * 16;
        functions[rows - 1](t);
        t.a += rows * t.a_row_stride;
        t.c += rows * width;
      }
      t.b += chunk.length * width;
    }
  }
}

void transform_outputs(const Run& run, const Unit& unit, int64_t panel) {
  const State& state = run.state;
  const ConvDims& d = state.dims;
  const int64_t lanes = run.lanes(), width = run.panels.width(panel),
                channel = panel * run.panels.panel;
  float padded_bias[32];
  const TileArguments common = blocked_tile(state.form, run.bias, channel, width,
                                            run.problem.channels_out, state.out_plane, padded_bias);
  WinogradOutput t;
  t.position_stride = state.product_stride;
  t.row_stride = d.out[kWidth] * lanes;
  t.clip = common.clip;
  t.low = common.low;
  t.high = common.high;
  for (int64_t first = 0; first < width; first += lanes) {
    t.bias = common.bias ? common.bias + first : nullptr;
    t.m = run.products + first;
    for (int64_t row = unit.rows.begin; row < unit.rows.end; ++row) {
      t.rows = std::min<int64_t>(kTile, d.out[kHeight] - row * kTile);
      for (int64_t column = unit.columns.begin; column < unit.columns.end; ++column) {
        t.columns = std::min<int64_t>(kTile, d.out[kWidth] - column * kTile);
        const int64_t offset =
            run.output_offset(unit, (channel + first) / lanes, row * kTile, column * kTile);
        t.y = run.y + offset;
        t.add = run.add ? run.add + offset : nullptr;
        run.tiles.winograd_output(t);
        t.m += width;
      }
    }
  }
}

/// The epilogue's steps that the transform does not know, over what one panel made.
void apply_steps(const Run& run, EpilogueRunner& epilogue, const Unit& unit, int64_t panel) {
  const ConvDims& d = run.state.dims;
  const int64_t lanes = run.lanes(), channel = panel * run.panels.panel;
  const int64_t row = unit.rows.begin * kTile, column = unit.columns.begin * kTile;
  epilogue.apply_blocked(
      run.y,
      {.offset = run.output_offset(unit, channel / lanes, row, column),
       .blocks = run.panels.width(panel) / lanes,
       .block_stride = run.state.out_plane,
       .rows = std::min(unit.rows.end * kTile, d.out[kHeight]) - row,
       .row_stride = d.out[kWidth] * lanes,
       .row_floats = (std::min(unit.columns.end * kTile, d.out[kWidth]) - column) * lanes},
      channel, lanes, run.problem.channels_out);
}

Panels panels_of(const ConvProblem& problem, int64_t lanes) {
  return {problem.channels_out, problem.channels_in, static_cast<int32_t>(2 * lanes),
          static_cast<int32_t>(lanes)};
}

void run_conv_winograd(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ConvProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  auto* floats = static_cast<float*>(scratch);
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  const Run run{.state = state,
                .problem = problem,
                .tiles = tiles,
                .panels = panels_of(problem, tiles.lanes),
                .x = views.input(0),
                .weights = views.input(1),
                .bias = problem.epilogue.has_bias ? views.input(2) : nullptr,
                .add = state.form.add ? views.input(3) : nullptr,
                .y = views.output(0),
                .inputs = floats + state.input_offset,
                .products = floats + state.product_offset};
  int64_t loaded = -1;
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t panel_unit = index % state.units.count, key = index / state.units.count;
    const int64_t column = key % state.column_blocks.count;
    const int64_t row = key / state.column_blocks.count % state.row_blocks.count;
    const int64_t plane = key / state.column_blocks.count / state.row_blocks.count;
    const int64_t panel_begin = panel_unit * state.units.panels_of_unit;
    const Unit unit{
        .image = plane / state.dims.out[0],
        .depth = plane % state.dims.out[0],
        .rows = {state.row_blocks, row},
        .columns = {state.column_blocks, column},
        .panel_begin = panel_begin,
        .panel_end = std::min(panel_begin + state.units.panels_of_unit, run.panels.count())};
    if (loaded != key) transform_inputs(run, unit);
    loaded = key;
    for (int64_t panel = unit.panel_begin; panel < unit.panel_end; ++panel) {
      multiply(run, unit.rows.count() * unit.columns.count(), panel);
      transform_outputs(run, unit, panel);
      if (state.form.generic) apply_steps(run, epilogue, unit, panel);
    }
  }
}

}  // namespace

Prepared prepare_conv_winograd(const Problem& problem, Isa isa) {
  const auto& conv = std::get<ConvProblem>(problem);
  const int lanes = tiles_for(isa).lanes;
  if (conv.transposed) return Prepared::refuse(RefusalCode::kKind, "a transposed convolution");
  if (conv.input != Layout::blocked(lanes) || conv.output != Layout::blocked(lanes))
    return Prepared::refuse(RefusalCode::kLayout, "input and output are channel-blocked");
  if (conv.kernel != Spatial{1, 3, 3})
    return Prepared::refuse(RefusalCode::kKind, "a kernel other than 3x3");
  if (conv.strides != Spatial{1, 1, 1})
    return Prepared::refuse(RefusalCode::kStride, "a stride other than 1");
  if (conv.dilations[kHeight] != 1 || conv.dilations[kWidth] != 1)
    return Prepared::refuse(RefusalCode::kDilation, "a dilation other than 1");
  if (conv.group != 1) return Prepared::refuse(RefusalCode::kGroup, "groups");
  if (conv.channels_in < kLeastChannels || conv.channels_out < kLeastChannels)
    return Prepared::refuse(RefusalCode::kSize, "fewer than 8 channels");
  KernelPlan plan;
  plan.input = conv.input;
  plan.output = conv.output;
  plan.weights = winograd_recipe(conv, 2 * lanes, lanes);
  const bool cached = packed_size(plan.weights) <= kCachedWeights;
  if (conv.known_pixels > 0 && conv.known_pixels < (cached ? kLeastPixels : kLeastPixelsFromMemory))
    return Prepared::refuse(RefusalCode::kSize, "images too small for four times the weights");
  return {plan, {}};
}

Result<BoundKernel> bind_conv_winograd(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ConvProblem>(plan.problem);
  const auto& d = std::get<ConvDims>(dims);
  SHIPWAY_RETURN_IF_ERROR(check_flat_conv_dims(problem, d));
  const int64_t lanes = tiles_for(plan.isa).lanes;
  BoundKernel bound;
  bound.run = run_conv_winograd;
  State& state = bound.state<State>();
  state = {};
  state.dims = d;
  state.form = blocked_epilogue_form(problem.epilogue);
  state.in_blocks = stored_channels(problem.input, problem.channels_in) / lanes;
  state.in_plane = d.in[0] * d.in[kHeight] * d.in[kWidth] * lanes;
  state.out_plane = d.out[0] * d.out[kHeight] * d.out[kWidth] * lanes;

  const int64_t in_floats = state.in_blocks * lanes;
  const int64_t tile_rows = parts_of(d.out[kHeight], kTile),
                tile_columns = parts_of(d.out[kWidth], kTile);
  const int64_t most =
      std::max<int64_t>(kInputFloats / (kPositions * in_floats), tiles_for(plan.isa).max_rows);
  state.column_blocks = RowTiles(tile_columns, most);
  const int64_t columns = state.column_blocks.rows(0);
  state.row_blocks =
      RowTiles(tile_rows, std::max<int64_t>(1, most / std::max<int64_t>(columns, 1)));
  const int64_t block_tiles = columns * state.row_blocks.rows(0);

  const Panels panels = panels_of(problem, lanes);
  const int64_t blocks = d.batch * d.out[0] * state.row_blocks.count * state.column_blocks.count;
  state.units = panel_units(panels.count(), blocks);
  bound.parts = blocks * state.units.count;

  state.input_stride = block_tiles * in_floats + kApart;
  state.product_stride = block_tiles * panels.panel + kApart;
  state.input_offset = whole_lines(EpilogueRunner::scratch_floats(problem.epilogue));
  state.product_offset = state.input_offset + kPositions * state.input_stride;
  bound.scratch_bytes = (state.product_offset + kPositions * state.product_stride) *
                        static_cast<int64_t>(sizeof(float));
  bound.cost = conv_cost(problem, d, 24.0 * static_cast<double>(lanes));  // tuned
  bound.cost.saved_flops = bound.cost.flops * 3 / 4;  // 36 products for 16 outputs instead of 144
  return bound;
}

}  // namespace shipway::kernels
