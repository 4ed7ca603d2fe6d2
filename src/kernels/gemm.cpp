// Matrix product over packed panels of B. A work unit is a block of rows times a few panels;
// inside, k runs in chunks whose B panel stays in L1 or L2, and every tile of the block is one call
// of a micro-kernel.
#include <algorithm>
#include <cstring>

#include "kernels/epilogue.h"
#include "kernels/gemm_rows.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"
#include "kernels/transpose_block.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kChunk = 384;       // tuned: of k: a panel of 32 columns takes 48 KiB
constexpr int64_t kRowsOfUnit = 168;  // tuned: whole tiles for 14, 6 and 4 rows
constexpr int64_t kPanelsOfUnit = 4;  // tuned
constexpr int64_t kPaddingOfA = 16;   // tuned: keeps rows of packed A off each other's cache sets

struct State {
  GemmDims dims;
  EpilogueForm form;
  int64_t batch = 1, chunk = 1;
  int64_t rows_of_unit = 1, row_units = 1, panels_of_unit = 1, column_units = 1;
  bool columns_outside =
      true;               // order of units: rows run fastest, so that neighbours share panels of B
  bool pack_a = false;    // A is transposed, or its rows alias in L1
  bool direct_b = false;  // few rows: B is read in place
  bool many_panels = false;
  int64_t packed_a_offset = 0, packed_b_offset = 0;  // floats in scratch
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// One call of run: what stays the same over its units.
struct Run {
  const State& state;
  const GemmProblem& problem;
  const TileTable& tiles;
  Panels panels;
  const float *a, *b, *bias, *add;
  float* c;
  float *packed_a, *packed_b;
  int64_t packed_a_of = -1;  // (batch, row unit) that packed_a holds, where k is one chunk
};

struct Unit {
  int64_t index_of_rows;  // batch and row unit
  int64_t row_begin, row_end, panel_begin, panel_end;
  int64_t a_offset, b_offset, c_offset;
};

Unit unit_at(const State& state, const Panels& panels, int64_t index) {
  const GemmDims& d = state.dims;
  const int64_t per_batch = state.row_units * state.column_units;
  int64_t batch = index / per_batch;
  const int64_t rest = index % per_batch;
  const int64_t rows = state.columns_outside ? rest % state.row_units : rest / state.column_units;
  const int64_t columns =
      state.columns_outside ? rest / state.row_units : rest % state.column_units;
  Unit unit{};
  unit.index_of_rows = batch * state.row_units + rows;
  unit.row_begin = rows * state.rows_of_unit;
  unit.row_end = std::min(unit.row_begin + state.rows_of_unit, d.m);
  unit.panel_begin = columns * state.panels_of_unit;
  unit.panel_end = std::min(unit.panel_begin + state.panels_of_unit, panels.count());
  for (int i = d.batch_rank - 1; i >= 0; --i) {
    const int64_t at = batch % d.batch_sizes[i];
    batch /= d.batch_sizes[i];
    unit.a_offset += at * d.a_batch_strides[i];
    unit.b_offset += at * d.b_batch_strides[i];
    unit.c_offset += at * d.c_batch_strides[i];
  }
  return unit;
}

/// Rows [begin, end), k [k_begin, k_end) of A as rows with stride `packed_stride`.
void pack_rows(const Run& run, const float* a, int64_t begin, int64_t end, int64_t k_begin,
               int64_t k_end, int64_t packed_stride) {
  const int64_t stride = run.state.dims.a_row_stride;
  if (run.problem.transpose_a) {
    transpose_block(a + k_begin * stride + begin, stride, run.packed_a, packed_stride,
                    k_end - k_begin, end - begin);
    return;
  }
  for (int64_t r = begin; r < end; ++r)
    std::memcpy(run.packed_a + (r - begin) * packed_stride, a + r * stride + k_begin,
                static_cast<size_t>(k_end - k_begin) * sizeof(float));
}

/// The bias of a panel, padded and multiplied by beta where that is needed.
const float* panel_bias(const Run& run, int64_t first_column, int64_t width, float* buffer) {
  if (!run.bias) return nullptr;
  const int64_t columns = std::min(width, run.state.dims.n - first_column);
  if (columns == width && run.problem.beta == 1) return run.bias + first_column;
  for (int64_t j = 0; j < width; ++j)
    buffer[j] = j < columns ? run.bias[first_column + j] * run.problem.beta : 0.0f;
  return buffer;
}

void run_unit(Run& run, const Unit& unit) {
  const State& state = run.state;
  const GemmDims& d = state.dims;
  const int64_t rows = unit.row_end - unit.row_begin;
  const float* a = run.a + unit.a_offset;
  const int64_t packed_stride = state.chunk + kPaddingOfA;
  const int64_t first_column = unit.panel_begin * run.panels.panel;
  for (int64_t k_begin = 0; k_begin < std::max<int64_t>(d.k, 1); k_begin += state.chunk) {
    const int64_t k_end = std::min(k_begin + state.chunk, d.k);
    const Segment segment{0, k_end - k_begin};
    TileArguments t;
    t.segments = &segment;
    t.segment_count = 1;
    t.accumulate = k_begin > 0;
    t.finish = k_end == d.k;
    t.scale = run.problem.alpha;
    t.clip = state.form.clip;
    t.low = state.form.low;
    t.high = state.form.high;
    t.c_row_stride = d.c_row_stride;
    t.a = a + unit.row_begin * d.a_row_stride + k_begin;
    t.a_row_stride = d.a_row_stride;
    if (state.pack_a) {
      const bool kept = d.k <= state.chunk && run.packed_a_of == unit.index_of_rows;
      if (!kept) pack_rows(run, a, unit.row_begin, unit.row_end, k_begin, k_end, packed_stride);
      run.packed_a_of = unit.index_of_rows;
      t.a = run.packed_a;
      t.a_row_stride = packed_stride;
    }
    // The panels of this chunk: packed beforehand, or now from an activation.
    Panels chunk_panels = run.panels;
    const float* first_panel = run.b;
    if (!run.problem.packed_b && !state.direct_b) {
      const int64_t columns = std::min(unit.panel_end * run.panels.panel, d.n) - first_column;
      chunk_panels = Panels{columns, k_end - k_begin, run.panels.panel, run.panels.vector};
      const int64_t row_stride = run.problem.transpose_b ? 1 : d.b_row_stride;
      const int64_t column_stride = run.problem.transpose_b ? d.b_row_stride : 1;
      pack_panels(chunk_panels,
                  run.b + unit.b_offset + k_begin * row_stride + first_column * column_stride,
                  row_stride, column_stride, run.packed_b);
      first_panel = run.packed_b;
    }
    for (int64_t p = unit.panel_begin; p < unit.panel_end;) {
      const int64_t column = p * run.panels.panel, width = run.panels.width(p);
      const int64_t c_offset = unit.c_offset + unit.row_begin * d.c_row_stride + column;
      float bias[TileTable::kManyPanels * 32];
      t.c = run.c + c_offset;
      t.add = run.add ? run.add + c_offset : nullptr;
      t.b = run.problem.packed_b ? first_panel + run.panels.offset(p) + k_begin * width
                                 : first_panel + chunk_panels.offset(p - unit.panel_begin);
      constexpr int kMany = TileTable::kManyPanels;
      if (state.many_panels && p + kMany <= unit.panel_end &&
          column + kMany * run.panels.panel <= d.n) {
        t.bias = panel_bias(run, column, kMany * run.panels.panel, bias);
        t.b_step = run.panels.panel * d.k;
        t.c_vector_stride = run.tiles.lanes;
        run.tiles.many_panels[rows - 1](t);
        p += kMany;
        continue;
      }
      t.bias = panel_bias(run, column, width, bias);
      t.prefetch = p + 1 < unit.panel_end ? t.b + (run.problem.packed_b ? run.panels.offset(1)
                                                                        : chunk_panels.offset(1))
                                          : nullptr;
      run_row_tiles(run.tiles, t, rows, width, std::min(width, d.n - column));
      ++p;
    }
  }
}

/// Few rows times an activation: whole vectors of columns are read in place, the rest of a row
/// through a small panel.
void run_direct_unit(Run& run, const Unit& unit) {
  const State& state = run.state;
  const GemmDims& d = state.dims;
  const int64_t lanes = run.tiles.lanes, rows = unit.row_end - unit.row_begin;
  const int64_t end = std::min(unit.panel_end * run.panels.panel, d.n);
  const Segment segment{0, d.k};
  TileArguments t;
  t.segments = &segment;
  t.segment_count = 1;
  t.scale = run.problem.alpha;
  t.clip = state.form.clip;
  t.low = state.form.low;
  t.high = state.form.high;
  t.a = run.a + unit.a_offset + unit.row_begin * d.a_row_stride;
  t.a_row_stride = d.a_row_stride;
  t.c_row_stride = d.c_row_stride;
  t.c_vector_stride = lanes;
  t.b_step = d.b_row_stride;
  for (int64_t column = unit.panel_begin * run.panels.panel; column < end;) {
    const int64_t c_offset = unit.c_offset + unit.row_begin * d.c_row_stride + column;
    t.c = run.c + c_offset;
    t.add = run.add ? run.add + c_offset : nullptr;
    t.b = run.b + unit.b_offset + column;
    float bias[32 * 2];
    int64_t vectors = std::min<int64_t>(2, (end - column) / lanes);
    if (vectors > 0) {
      t.bias = panel_bias(run, column, vectors * lanes, bias);
      run.tiles.direct[vectors - 1][rows - 1](t);
      column += vectors * lanes;
      continue;
    }
    const Panels rest{end - column, d.k, static_cast<int32_t>(lanes), static_cast<int32_t>(lanes)};
    pack_panels(rest, t.b, d.b_row_stride, 1, run.packed_b);
    t.b = run.packed_b;
    t.bias = panel_bias(run, column, lanes, bias);
    run_row_tiles(run.tiles, t, rows, lanes, end - column);
    column = end;
  }
}

void apply_steps(const Run& run, EpilogueRunner& epilogue, const Unit& unit) {
  const GemmDims& d = run.state.dims;
  const int64_t begin = unit.panel_begin * run.panels.panel,
                end = std::min(unit.panel_end * run.panels.panel, d.n);
  for (int64_t r = unit.row_begin; r < unit.row_end; ++r)
    for (int64_t column = begin; column < end; column += EpilogueRunner::kRun) {
      const int64_t offset = unit.c_offset + r * d.c_row_stride + column;
      epilogue.apply(run.c + offset, std::min(end - column, EpilogueRunner::kRun), offset, column,
                     0, d.n);
    }
}

void run_gemm(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<GemmProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  auto* floats = static_cast<float*>(scratch);
  Run run{.state = state,
          .problem = problem,
          .tiles = tiles,
          .panels = {state.dims.n, state.dims.k, 2 * tiles.lanes, tiles.lanes},
          .a = views.input(0),
          .b = views.input(1),
          .bias = problem.epilogue.has_bias ? views.input(2) : nullptr,
          .add = state.form.add ? views.input(3) : nullptr,
          .c = views.output(0),
          .packed_a = floats + state.packed_a_offset,
          .packed_b = floats + state.packed_b_offset};
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  for (int64_t i = part.begin; i < part.end; ++i) {
    const Unit unit = unit_at(state, run.panels, i);
    if (state.direct_b) {
      run_direct_unit(run, unit);
    } else {
      run_unit(run, unit);
    }
    if (state.form.generic) apply_steps(run, epilogue, unit);
  }
}

}  // namespace

Prepared prepare_gemm(const Problem& problem, Isa isa) {
  const auto& gemm = std::get<GemmProblem>(problem);
  KernelPlan plan;
  if (gemm.packed_b) {
    if (gemm.n < 0 || gemm.k < 0)
      return Prepared::refuse(RefusalCode::kShape, "packed weights of unknown size");
    const int lanes = tiles_for(isa).lanes;
    plan.weights = gemm_recipe(gemm.n, gemm.k, gemm.transpose_b, 2 * lanes, lanes);
  }
  return {plan, {}};
}

Result<BoundKernel> bind_gemm(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<GemmProblem>(plan.problem);
  const TileTable& tiles = tiles_for(plan.isa);
  BoundKernel bound;
  bound.run = run_gemm;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<GemmDims>(dims);
  GemmDims& d = state.dims;
  if (problem.packed_b && (d.n != problem.n || d.k != problem.k))
    return Status::internal("weights are packed for n = {}, k = {}, bound to n = {}, k = {}",
                            problem.n, problem.k, d.n, d.k);
  if (d.batch_rank < 0 || d.batch_rank > GemmDims::kMaxBatchRank)
    return Status::internal("{} batch dims, at most {}", d.batch_rank, GemmDims::kMaxBatchRank);
  state.form = epilogue_form(problem.epilogue);
  for (int i = 0; i < d.batch_rank; ++i) state.batch *= d.batch_sizes[i];
  // One matrix of weights: rows of all batches are rows of one product when they follow each other
  // evenly.
  if (problem.packed_b && !problem.transpose_a && d.batch_rank == 1 &&
      d.a_batch_strides[0] == d.m * d.a_row_stride &&
      d.c_batch_strides[0] == d.m * d.c_row_stride) {
    d.m *= d.batch_sizes[0];
    d.batch_rank = 0;
    state.batch = 1;
  }
  if (d.m <= 0 || d.n <= 0 || state.batch <= 0) return bound;

  const int64_t panel = 2 * tiles.lanes, panels = parts_of(d.n, panel);
  state.chunk = std::max<int64_t>(1, std::min(d.k, kChunk));
  // k a little over one chunk: two equal chunks rather than a full and a short one.
  if (d.k > kChunk) state.chunk = round_up(parts_of(d.k, parts_of(d.k, kChunk)), 16);
  state.many_panels = problem.packed_b && d.m <= tiles.many_panels_rows && !problem.transpose_a;
  state.direct_b = !problem.packed_b && !problem.transpose_b && !problem.transpose_a && d.m <= 4;
  // Few rows use every panel once, straight from memory: longer streams.
  if (state.many_panels || state.direct_b || d.m <= tiles.max_rows)
    state.chunk = std::max<int64_t>(1, d.k);
  state.rows_of_unit = std::min(d.m, kRowsOfUnit);
  state.panels_of_unit = std::min(panels, kPanelsOfUnit);
  if (!problem.packed_b && !state.direct_b) {
    // B is packed again for every block of rows, so these are large.
    state.rows_of_unit =
        std::min(d.m, (state.batch * panels >= 4 * kPanelsOfUnit ? 8 : 4) * kRowsOfUnit);
    if (state.batch >= 4) state.panels_of_unit = panels;
  }
  state.row_units = parts_of(d.m, state.rows_of_unit);
  if (state.row_units >= 16) state.panels_of_unit = std::min<int64_t>(panels, 16);
  state.column_units = parts_of(panels, state.panels_of_unit);
  state.columns_outside = d.n >= d.m;
  const bool aliases = d.a_row_stride % 1024 == 0 && d.k > 64 && d.m > tiles.max_rows / 2;
  state.pack_a = problem.transpose_a || aliases;

  bound.parts = state.batch * state.row_units * state.column_units;
  int64_t floats = round_up(EpilogueRunner::scratch_floats(problem.epilogue), 16);
  state.packed_a_offset = floats;
  if (state.pack_a) floats += round_up(state.rows_of_unit * (state.chunk + kPaddingOfA), 16);
  state.packed_b_offset = floats;
  if (state.direct_b) floats += d.k * tiles.lanes;
  if (!problem.packed_b && !state.direct_b) floats += state.panels_of_unit * panel * state.chunk;
  bound.scratch_bytes = floats * static_cast<int64_t>(sizeof(float));

  const auto count = [](int64_t x) { return static_cast<double>(x); };
  bound.cost.flops = 2 * count(state.batch) * count(d.m) * count(d.n) * count(d.k);
  bound.cost.bytes = 4 * (count(state.batch) * count(d.m) * count(d.k + d.n) +
                          count(problem.packed_b ? 1 : state.batch) * count(d.n) * count(d.k));
  bound.cost.nanoseconds =
      std::max(bound.cost.flops / (12.0 * tiles.lanes), bound.cost.bytes / 20);  // tuned
  return bound;
}

}  // namespace shipway::kernels
