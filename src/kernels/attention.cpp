// Attention, one head after the other: scores of a block of queries against all keys, their
// softmax, and the weighted sum of the values, while the block stays in L2. Keys and values are
// packed once for the blocks of a head; a few queries (a decode step) read them where they are.
#include <algorithm>
#include <cmath>

#include "kernels/gemm_rows.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kScoreFloats = 48 << 10;  // of a block: 192 KiB of L2
constexpr int64_t kChunk = 384;             // of keys in one pass over a panel of values
constexpr int64_t kMostFew = 4;             // queries that are worth no packing
constexpr int64_t kUnitsWanted = 16;

struct State {
  AttentionDims dims;
  float scale = 1;
  int64_t rows_of_unit = 1, row_units = 0;
  int64_t score_stride = 0;  // floats from query to query
  bool few = false;
  int64_t scores_offset = 0, keys_offset = 0, values_offset = 0, factors_offset = 0;  // floats
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

struct Run {
  const State& state;
  const TileTable& tiles;
  const RowFunctions& rows;
  const ElementwiseFunction* elementwise;
  Panels key_panels, value_panels;
  float *scores, *keys, *values, *factors;
};

/// Queries [row_begin, row_end) of one head, and how many keys the last of them sees.
struct Unit {
  const float *q, *k, *v, *mask;
  float* y;
  int64_t row_begin, row_end, keys;
  int64_t rows() const { return row_end - row_begin; }
};

/// Scores of all keys that the unit sees, scaled.
void score(const Run& run, const Unit& unit) {
  const AttentionDims& d = run.state.dims;
  const Segment all{0, d.size};
  TileArguments t;
  t.segments = &all;
  t.segment_count = 1;
  t.scale = run.state.scale;
  t.a = unit.q;
  t.a_row_stride = d.q.row;
  t.c_row_stride = run.state.score_stride;
  for (int64_t p = 0; p * run.key_panels.panel < unit.keys; ++p) {
    t.b = run.keys + run.key_panels.offset(p);
    t.c = run.scores + p * run.key_panels.panel;
    const int64_t width = run.key_panels.width(p);
    run_row_tiles(run.tiles, t, unit.rows(), width, width);
  }
}

/// The same for a few queries: keys are the rows of the product and are read in place, queries its
/// columns.
void score_few(const Run& run, const Unit& unit) {
  const AttentionDims& d = run.state.dims;
  const int64_t lanes = run.tiles.lanes, rows = unit.rows();
  const Segment all{0, d.size};
  float products[TileTable::kMaxRows * 16];
  pack_panels({rows, d.size, static_cast<int32_t>(lanes), static_cast<int32_t>(lanes)}, unit.q, 1,
              d.q.row, run.keys);
  TileArguments t;
  t.segments = &all;
  t.segment_count = 1;
  t.scale = run.state.scale;
  t.a_row_stride = d.k.row;
  t.b = run.keys;
  t.c = products;
  t.c_row_stride = lanes;
  for (int64_t key = 0; key < unit.keys; key += run.tiles.max_rows) {
    const int64_t keys = std::min<int64_t>(run.tiles.max_rows, unit.keys - key);
    t.a = unit.k + key * d.k.row;
    run.tiles.packed[0][keys - 1](t);
    for (int64_t j = 0; j < keys; ++j)
      for (int64_t r = 0; r < rows; ++r)
        run.scores[r * run.state.score_stride + key + j] = products[j * lanes + r];
  }
}

/// Scores become e^(score - largest); factors their 1 / sum, 0 where a query sees nothing.
void weigh(const Run& run, const Unit& unit) {
  const AttentionDims& d = run.state.dims;
  for (int64_t r = 0; r < unit.rows(); ++r) {
    float* row = run.scores + r * run.state.score_stride;
    const int64_t seen =
        d.causal ? std::clamp<int64_t>(unit.row_begin + r + d.offset + 1, 0, unit.keys) : unit.keys;
    if (unit.mask) {
      const float* mask = unit.mask + r * d.mask_row;
      run.elementwise[static_cast<size_t>(Opcode::kAdd)](row, mask, nullptr, 0, 0, row, seen);
    }
    float largest = -INFINITY;
    double sum = 0;
    for (int64_t i = 0; i < seen; i += kRowChunk) {
      const float chunk = run.rows.maximum(row + i, std::min(kRowChunk, seen - i));
      if (chunk > largest || std::isnan(chunk)) largest = chunk;
    }
    if (largest == -INFINITY) {
      std::fill_n(row, seen, 0.0f);
    } else {
      for (int64_t i = 0; i < seen; i += kRowChunk)
        sum += static_cast<double>(
            run.rows.exp_sum(row + i, largest, row + i, std::min(kRowChunk, seen - i)));
    }
    std::fill(row + seen, row + unit.keys, 0.0f);
    run.factors[r] = sum == 0 ? 0.0f : static_cast<float>(1 / sum);
  }
}

void scale_rows(const Run& run, const Unit& unit) {
  const AttentionDims& d = run.state.dims;
  const auto affine = run.elementwise[static_cast<size_t>(Opcode::kAffine)];
  for (int64_t r = 0; r < unit.rows(); ++r) {
    float* y = unit.y + r * d.y.row;
    affine(y, nullptr, nullptr, run.factors[r], 0.0f, y, d.value_size);
  }
}

/// y = weights * values, from packed values.
void sum_values(const Run& run, const Unit& unit) {
  const AttentionDims& d = run.state.dims;
  TileArguments t;
  t.segment_count = 1;
  t.a_row_stride = run.state.score_stride;
  t.c_row_stride = d.y.row;
  for (int64_t p = 0; p < run.value_panels.count(); ++p) {
    const int64_t column = p * run.value_panels.panel, width = run.value_panels.width(p);
    for (int64_t key = 0; key < std::max<int64_t>(unit.keys, 1); key += kChunk) {
      const Segment chunk{0, std::clamp<int64_t>(unit.keys - key, 0, kChunk)};
      t.segments = &chunk;
      t.accumulate = key > 0;
      t.a = run.scores + key;
      t.b = run.values + run.value_panels.offset(p) + key * width;
      t.c = unit.y + column;
      run_row_tiles(run.tiles, t, unit.rows(), width, std::min(width, d.value_size - column));
    }
  }
}

/// The same for a few queries: whole vectors of values are read in place.
void sum_values_few(const Run& run, const Unit& unit) {
  const AttentionDims& d = run.state.dims;
  const int64_t lanes = run.tiles.lanes;
  const Segment all{0, unit.keys};
  TileArguments t;
  t.segments = &all;
  t.segment_count = 1;
  t.a = run.scores;
  t.a_row_stride = run.state.score_stride;
  t.b_step = d.v.row;
  t.c_row_stride = d.y.row;
  t.c_vector_stride = lanes;
  for (int64_t column = 0; column < d.value_size;) {
    const int64_t vectors = std::min<int64_t>(2, (d.value_size - column) / lanes);
    t.b = unit.v + column;
    t.c = unit.y + column;
    run.tiles.direct[vectors - 1][unit.rows() - 1](t);
    column += vectors * lanes;
  }
}

void run_attention(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const AttentionDims& d = state.dims;
  const TileTable& tiles = tiles_for(bound.plan->isa);
  const auto panel = static_cast<int32_t>(2 * tiles.lanes),
             vector = static_cast<int32_t>(tiles.lanes);
  auto* floats = static_cast<float*>(scratch);
  const Run run{.state = state,
                .tiles = tiles,
                .rows = row_functions(bound.plan->isa),
                .elementwise = elementwise_functions(bound.plan->isa),
                .key_panels = {d.keys, d.size, panel, vector},
                .value_panels = {d.value_size, d.keys, panel, vector},
                .scores = floats + state.scores_offset,
                .keys = floats + state.keys_offset,
                .values = floats + state.values_offset,
                .factors = floats + state.factors_offset};
  const int64_t group = d.heads / d.kv_heads;  // heads that share keys and values
  int64_t packed = -1;
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t rows = index % state.row_units, head = index / state.row_units % d.heads,
                  batch = index / state.row_units / d.heads;
    const int64_t kv_head = head / group;
    Unit unit{};
    unit.row_begin = rows * state.rows_of_unit;
    unit.row_end = std::min(unit.row_begin + state.rows_of_unit, d.queries);
    unit.keys = d.causal ? std::clamp<int64_t>(unit.row_end + d.offset, 0, d.keys) : d.keys;
    const auto at = [&](const auto* base, const HeadStrides& strides, int64_t of_head,
                        int64_t row) {
      return base + batch * strides.batch + of_head * strides.head + row * strides.row;
    };
    unit.q = at(views.input(0), d.q, head, unit.row_begin);
    unit.k = at(views.input(1), d.k, kv_head, 0);
    unit.v = at(views.input(2), d.v, kv_head, 0);
    unit.y = views.output(0) + batch * d.y.batch + head * d.y.head + unit.row_begin * d.y.row;
    if (const float* mask = views.input(3))
      unit.mask = mask + batch * d.mask_batch + head * d.mask_head + unit.row_begin * d.mask_row;
    if (state.few) {
      score_few(run, unit);
      weigh(run, unit);
      sum_values_few(run, unit);
    } else {
      if (packed != batch * d.kv_heads + kv_head) {
        pack_panels(run.key_panels, unit.k, 1, d.k.row, run.keys);
        pack_panels(run.value_panels, unit.v, d.v.row, 1, run.values);
        packed = batch * d.kv_heads + kv_head;
      }
      score(run, unit);
      weigh(run, unit);
      sum_values(run, unit);
    }
    scale_rows(run, unit);
  }
}

}  // namespace

Prepared prepare_attention(const Problem&, Isa) { return {KernelPlan{}, {}}; }

Result<BoundKernel> bind_attention(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<AttentionProblem>(plan.problem);
  const TileTable& tiles = tiles_for(plan.isa);
  const int64_t lanes = tiles.lanes;
  BoundKernel bound;
  bound.run = run_attention;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<AttentionDims>(dims);
  AttentionDims& d = state.dims;
  if (d.kv_heads < 1 || d.heads % d.kv_heads != 0)
    return Status::internal("{} heads of queries on {} of keys", d.heads, d.kv_heads);
  if (d.batch <= 0 || d.heads <= 0 || d.queries <= 0 || d.value_size <= 0) return bound;
  state.scale =
      problem.scale != 0
          ? problem.scale
          : static_cast<float>(1 / std::sqrt(static_cast<double>(std::max<int64_t>(d.size, 1))));
  state.score_stride = round_up(d.keys, 2 * lanes) + 16;  // off each other's cache sets
  state.few = d.queries <= kMostFew && d.value_size % lanes == 0;
  // Blocks of whole tiles, as many as share a head's packed keys and still fit L2; smaller ones
  // where there are too few heads to share out.
  const int64_t fitting = std::max<int64_t>(kScoreFloats / state.score_stride, tiles.max_rows);
  const int64_t wanted =
      std::max<int64_t>(1, (kUnitsWanted + d.batch * d.heads - 1) / (d.batch * d.heads));
  const int64_t shared = round_up((d.queries + wanted - 1) / wanted, tiles.max_rows);
  state.rows_of_unit =
      std::min(d.queries, std::min(fitting / tiles.max_rows * tiles.max_rows, shared));
  state.row_units = (d.queries + state.rows_of_unit - 1) / state.rows_of_unit;
  bound.parts = d.batch * d.heads * state.row_units;

  int64_t floats = 0;
  const auto take = [&](int64_t count) {
    const int64_t offset = floats;
    floats += round_up(count, 16);
    return offset;
  };
  const auto panel = static_cast<int32_t>(2 * lanes), vector = static_cast<int32_t>(lanes);
  state.scores_offset = take(state.rows_of_unit * state.score_stride);
  state.factors_offset = take(state.rows_of_unit);
  state.keys_offset =
      take(state.few ? d.size * lanes : Panels{d.keys, d.size, panel, vector}.floats());
  state.values_offset = take(state.few ? 0 : Panels{d.value_size, d.keys, panel, vector}.floats());
  bound.scratch_bytes = floats * static_cast<int64_t>(sizeof(float));

  const auto count = [](int64_t x) { return static_cast<double>(x); };
  double pairs = count(d.queries) * count(d.keys);  // of a query and a key that it sees
  if (d.causal) {
    pairs = 0;
    for (int64_t i = 0; i < d.queries; ++i)
      pairs += count(std::clamp<int64_t>(i + d.offset + 1, 0, d.keys));
  }
  const double planes = count(d.batch) * count(d.heads);
  bound.cost.flops = 2 * planes * pairs * count(d.size + d.value_size);
  bound.cost.bytes =
      4 * count(d.size + d.value_size) *
      (planes * count(d.queries) + count(d.batch) * count(d.kv_heads) * count(d.keys));
  const double exponentials = planes * pairs;  // about half a nanosecond each
  bound.cost.nanoseconds =
      std::max(bound.cost.flops / (12.0 * static_cast<double>(lanes)) + exponentials / 2,
               bound.cost.bytes / 20);
  return bound;
}

}  // namespace shipway::kernels
