// RNN, GRU and LSTM over a sequence. A work unit is one direction of a block of batch rows: its
// steps follow each other, so it goes through all of them. The products with the inputs of some
// steps are made together, those with the state one step at a time; a row of gates lies so that
// vectors of what belongs to the same units stand side by side (RecurrentWeights in pack.h).
#include <algorithm>
#include <cstring>

#include "kernels/gemm_rows.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kGateFloats = 128 << 10;  // tuned: of scratch for gates: what stays in L2
constexpr int64_t kMostSteps = 64;          // tuned: whose inputs are multiplied together
constexpr int64_t kRowsForOneStep = 4;      // tuned: so many rows fill the tiles of one step

struct State {
  RecurrentDims dims;
  int64_t rows_of_part = 1, row_parts = 1;
  int64_t steps_at_once = 1;
  int64_t state_offset = 0, cell_offset = 0, reset_offset = 0, candidate_offset = 0;  // floats
};

/// What one work unit works on.
struct Unit {
  const State& state;
  const RecurrentProblem& problem;
  const RecurrentWeights& shape;
  const TileTable& tiles;
  const RecurrentFunctions& functions;
  const float* weights;  // of the direction
  int64_t direction, first_row, rows;
  bool reversed;
  float *gates, *h, *c, *reset, *candidate;

  int64_t time(int64_t step) const { return reversed ? state.dims.steps - 1 - step : step; }
  int64_t x_offset(int64_t t, int64_t row) const {
    return (problem.batch_first ? row * state.dims.steps + t : t * state.dims.batch + row) *
           problem.input;
  }
  /// Of the states before and after the sequence.
  int64_t edge_offset(int64_t row) const {
    return (problem.batch_first ? row * problem.directions + direction
                                : direction * state.dims.batch + row) *
           problem.hidden;
  }
  int64_t y_offset(int64_t t, int64_t row) const {
    const int64_t index = problem.batch_first
                              ? (row * state.dims.steps + t) * problem.directions + direction
                              : (t * problem.directions + direction) * state.dims.batch + row;
    return index * problem.hidden;
  }
};

/// C (+)= A B + bias over whole panels [first, last) of a matrix packed with `k` rows.
void multiply(const TileTable& tiles, const float* a, int64_t a_stride, int64_t rows, int64_t k,
              const float* b, int64_t first, int64_t last, const float* bias, bool accumulate,
              float* c, int64_t c_stride) {
  const int64_t panel = 2 * tiles.lanes;
  const Segment segment{0, k};
  TileArguments t;
  t.segments = &segment;
  t.segment_count = 1;
  t.a = a;
  t.a_row_stride = a_stride;
  t.c_row_stride = c_stride;
  t.c_vector_stride = tiles.lanes;
  t.accumulate = accumulate;
  t.b_step = panel * k;
  for (int64_t p = first; p < last;) {
    t.b = b + p * panel * k;
    t.c = c + (p - first) * panel;
    t.bias = bias ? bias + p * panel : nullptr;
    const bool many = rows <= tiles.many_panels_rows && p + TileTable::kManyPanels <= last;
    if (many) {
      tiles.many_panels[rows - 1](t);
    } else {
      run_row_tiles(tiles, t, rows, panel, panel);
    }
    p += many ? TileTable::kManyPanels : 1;
  }
}

/// gates[step][row] = x W^T + biases for `count` steps from `first`.
void input_gates(const Unit& unit, const float* x, int64_t first, int64_t count) {
  const RecurrentWeights& w = unit.shape;
  const float *matrix = unit.weights + w.input_matrix(), *bias = unit.weights + w.bias();
  const int64_t columns = w.columns(), panels = columns / (2 * unit.tiles.lanes);
  if (unit.rows >= kRowsForOneStep) {
    for (int64_t s = 0; s < count; ++s) {
      const int64_t t = unit.time(first + s);
      multiply(unit.tiles, x + unit.x_offset(t, unit.first_row),
               unit.x_offset(0, 1) - unit.x_offset(0, 0), unit.rows, w.input, matrix, 0, panels,
               bias, false, unit.gates + s * unit.rows * columns, columns);
    }
    return;
  }
  const int64_t forward = unit.x_offset(1, 0) - unit.x_offset(0, 0);
  for (int64_t r = 0; r < unit.rows; ++r)
    multiply(unit.tiles, x + unit.x_offset(unit.time(first), unit.first_row + r),
             unit.reversed ? -forward : forward, count, w.input, matrix, 0, panels, bias, false,
             unit.gates + r * columns, unit.rows * columns);
}

/// One step for all rows: `gates` holds the part of the inputs; h (and c) become the next state.
void advance(const Unit& unit, float* gates) {
  const RecurrentWeights& w = unit.shape;
  const int64_t columns = w.columns(), padded = w.padded(), panel = 2 * unit.tiles.lanes;
  const float* matrix = unit.weights + w.state_matrix();
  const float* peepholes = unit.problem.has_peepholes ? unit.weights + w.peepholes() : nullptr;
  const int64_t joined = w.joined_gates() * padded / panel;  // panels that need nothing but h
  multiply(unit.tiles, unit.h, padded, unit.rows, w.hidden, matrix, 0, joined, nullptr, true, gates,
           columns);
  if (unit.problem.cell == RecurrentCell::kGru) {
    const int64_t last = columns / panel;
    const bool before_reset = unit.problem.linear_before_reset;
    float* candidate = before_reset ? unit.candidate : gates + 2 * padded;
    if (!before_reset)
      for (int64_t r = 0; r < unit.rows; ++r)
        unit.functions.gru_reset(gates + r * columns, unit.h + r * padded, unit.reset + r * padded,
                                 padded);
    multiply(unit.tiles, before_reset ? unit.h : unit.reset, padded, unit.rows, w.hidden, matrix,
             joined, last, before_reset ? unit.weights + w.state_bias() : nullptr, !before_reset,
             candidate, before_reset ? padded : columns);
  }
  for (int64_t r = 0; r < unit.rows; ++r) {
    float *row = gates + r * columns, *h = unit.h + r * padded;
    switch (unit.problem.cell) {
      case RecurrentCell::kRnn:
        unit.functions.rnn(row, unit.problem.relu, h, padded);
        break;
      case RecurrentCell::kGru:
        unit.functions.gru(row,
                           unit.problem.linear_before_reset ? unit.candidate + r * padded : nullptr,
                           h, padded);
        break;
      case RecurrentCell::kLstm:
        unit.functions.lstm(row, peepholes, unit.c + r * padded, h, padded);
        break;
    }
  }
}

void copy_row(const float* from, int64_t count, float* to) {
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

/// The states before the first step, padded with zeros.
void start(const Unit& unit, const float* initial, float* states) {
  const int64_t padded = unit.shape.padded(), hidden = unit.problem.hidden;
  std::fill_n(states, unit.rows * padded, 0.0f);
  if (!initial) return;
  for (int64_t r = 0; r < unit.rows; ++r)
    copy_row(initial + unit.edge_offset(unit.first_row + r), hidden, states + r * padded);
}

void run_recurrent(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  const State& state = bound.state<State>();
  const auto& problem = std::get<RecurrentProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  const RecurrentWeights shape = recurrent_weights(bound.plan->weights);
  auto* floats = static_cast<float*>(scratch);
  float *y = views.output(0), *last_h = views.output(1), *last_c = views.output(2);
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t direction = index / state.row_parts,
                  first_row = index % state.row_parts * state.rows_of_part;
    const Unit unit{.state = state,
                    .problem = problem,
                    .shape = shape,
                    .tiles = tiles,
                    .functions = recurrent_functions(bound.plan->isa),
                    .weights = views.input(1) + direction * shape.floats(),
                    .direction = direction,
                    .first_row = first_row,
                    .rows = std::min(state.rows_of_part, state.dims.batch - first_row),
                    .reversed = problem.first_reversed || direction == 1,
                    .gates = floats,
                    .h = floats + state.state_offset,
                    .c = floats + state.cell_offset,
                    .reset = floats + state.reset_offset,
                    .candidate = floats + state.candidate_offset};
    const bool lstm = problem.cell == RecurrentCell::kLstm;
    start(unit, views.input(2), unit.h);
    if (lstm) start(unit, views.input(3), unit.c);
    const int64_t padded = shape.padded();
    for (int64_t first = 0; first < state.dims.steps; first += state.steps_at_once) {
      const int64_t count = std::min(state.steps_at_once, state.dims.steps - first);
      input_gates(unit, views.input(0), first, count);
      for (int64_t s = 0; s < count; ++s) {
        advance(unit, unit.gates + s * unit.rows * shape.columns());
        for (int64_t r = 0; y && r < unit.rows; ++r)
          copy_row(unit.h + r * padded, problem.hidden,
                   y + unit.y_offset(unit.time(first + s), first_row + r));
      }
    }
    for (int64_t r = 0; r < unit.rows; ++r) {
      const int64_t at = unit.edge_offset(first_row + r);
      if (last_h) copy_row(unit.h + r * padded, problem.hidden, last_h + at);
      if (last_c && lstm) copy_row(unit.c + r * padded, problem.hidden, last_c + at);
    }
  }
}

}  // namespace

Prepared prepare_recurrent(const Problem& problem, Isa isa) {
  KernelPlan plan;
  plan.weights = recurrent_recipe(std::get<RecurrentProblem>(problem), tiles_for(isa).lanes);
  return {plan, {}};
}

Result<BoundKernel> bind_recurrent(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<RecurrentProblem>(plan.problem);
  const TileTable& tiles = tiles_for(plan.isa);
  const RecurrentWeights shape = recurrent_weights(plan.weights);
  BoundKernel bound;
  bound.run = run_recurrent;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<RecurrentDims>(dims);
  const RecurrentDims& d = state.dims;
  if (d.batch <= 0 || problem.hidden <= 0) return bound;

  // Whole tiles of rows share one reading of the weights; a second block of them a second thread.
  state.row_parts = parts_of(d.batch, tiles.max_rows);
  if (problem.directions * state.row_parts == 1 && d.batch >= 2 * kRowsForOneStep)
    state.row_parts = 2;
  state.rows_of_part = parts_of(d.batch, state.row_parts);
  state.row_parts = parts_of(d.batch, state.rows_of_part);
  const int64_t gates = state.rows_of_part * shape.columns(),
                states = state.rows_of_part * shape.padded();
  state.steps_at_once =
      std::clamp<int64_t>(kGateFloats / gates, 1, std::clamp<int64_t>(d.steps, 1, kMostSteps));
  const bool gru = problem.cell == RecurrentCell::kGru;
  state.state_offset = state.steps_at_once * gates;
  state.cell_offset = state.state_offset + states;
  state.reset_offset = state.cell_offset + (problem.cell == RecurrentCell::kLstm ? states : 0);
  state.candidate_offset = state.reset_offset + (gru ? states : 0);
  bound.parts = problem.directions * state.row_parts;
  bound.scratch_bytes =
      (state.candidate_offset + (gru ? states : 0)) * static_cast<int64_t>(sizeof(float));

  const auto count = [](int64_t x) { return static_cast<double>(x); };
  const double steps = count(d.steps) * count(d.batch) * count(problem.directions);
  const double gate_outputs = count(shape.gates()) * count(problem.hidden);
  bound.cost.flops = 2 * steps * gate_outputs * count(problem.input + problem.hidden);
  bound.cost.bytes = 4 * (count(problem.directions) * count(shape.floats()) +
                          steps * count(problem.input + problem.hidden));
  // The state's matrix is read again at every step.
  bound.cost.nanoseconds =
      bound.cost.flops / (4.0 * tiles.lanes) + 2 * steps * gate_outputs;  // tuned
  return bound;
}

}  // namespace shipway::kernels
