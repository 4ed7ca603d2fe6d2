// The interpreter of element-wise programs: tiles of kTile elements go through all instructions
// while they are in L1, so a chain costs one pass over memory; dispatch is paid once per tile and
// instruction.
#include <algorithm>
#include <cstring>

#include "kernels/kernels.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/sizes.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kTile = 512;  // tuned: 2 KiB a slot: 8 slots and the operands stay in 32 KiB
constexpr int64_t kElementsPerPart = 16384;  // tuned
constexpr int kMaxRank = ElementwiseDims::kMaxRank;
constexpr int kMaxInputs = ElementwiseProgram::kMaxInputs;
constexpr int kMaxOutputs = ElementwiseProgram::kMaxOutputs;

/// The loop nest: [outer...][rows][columns], adjacent dims merged where every stride allows it.
struct State {
  int32_t outer_rank = 0;
  std::array<int64_t, kMaxRank> outer_sizes{};
  int64_t rows = 1, columns = 1;
  int64_t tile_rows = 1, tile_columns = 1;  // one of them spans its dim or is 1
  int64_t row_tiles = 1, column_tiles = 1, tiles = 0, tiles_per_part = 1;
  std::array<std::array<int64_t, kMaxRank>, kMaxInputs> input_outer{};
  std::array<int64_t, kMaxInputs> input_row{}, input_column{};
  std::array<std::array<int64_t, kMaxRank>, kMaxOutputs> output_outer{};
  std::array<int64_t, kMaxOutputs> output_row{}, output_column{};
  std::array<uint8_t, kMaxInputs>
      input_slots{};  // where an input goes when it cannot be read in place
  std::array<uint8_t, ElementwiseProgram::kMaxInstructions> result_slots{};
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// Gives every input and every result a slot; a slot is free again after the last use of its value.
int assign_slots(const ElementwiseProgram& program, State& state) {
  int slots = 0;
  for (int i = 0; i < program.input_count; ++i)
    state.input_slots[i] = static_cast<uint8_t>(slots++);
  std::array<int, ElementwiseProgram::kMaxInstructions> last_use{};
  for (int i = 0; i < program.instruction_count; ++i) {
    last_use[i] = i;
    const Instruction& instruction = program.instructions[i];
    for (int j = 0; j < argument_count(instruction.op); ++j)
      if (const int from = instruction.arguments[j] - program.input_count; from >= 0)
        last_use[from] = i;
  }
  for (int j = 0; j < program.output_count; ++j)
    if (const int from = program.outputs[j] - program.input_count; from >= 0)
      last_use[from] = ElementwiseProgram::kMaxInstructions;
  std::array<uint8_t, ElementwiseProgram::kMaxInstructions> free_slots{};
  int free_count = 0;
  for (int i = 0; i < program.instruction_count; ++i) {
    state.result_slots[i] =
        free_count > 0 ? free_slots[--free_count] : static_cast<uint8_t>(slots++);
    for (int before = 0; before < i; ++before)
      if (last_use[before] == i) free_slots[free_count++] = state.result_slots[before];
  }
  return slots;
}

bool merges(const ElementwiseProgram& program, const ElementwiseDims& dims, int outer, int inner) {
  const int64_t size = dims.sizes[inner];
  for (int i = 0; i < program.input_count; ++i)
    if (dims.input_strides[i][outer] != dims.input_strides[i][inner] * size) return false;
  for (int j = 0; j < program.output_count; ++j)
    if (dims.output_strides[j][outer] != dims.output_strides[j][inner] * size) return false;
  return true;
}

/// Drops dims of size 1 and merges neighbours.
ElementwiseDims collapse(const ElementwiseProgram& program, const ElementwiseDims& dims) {
  ElementwiseDims result;
  const auto copy_dim = [&](const ElementwiseDims& from, int source, int target) {
    result.sizes[target] = from.sizes[source];
    for (int i = 0; i < program.input_count; ++i)
      result.input_strides[i][target] = from.input_strides[i][source];
    for (int j = 0; j < program.output_count; ++j)
      result.output_strides[j][target] = from.output_strides[j][source];
  };
  for (int d = 0; d < dims.rank; ++d) {
    if (dims.sizes[d] == 1) continue;
    copy_dim(dims, d, result.rank++);
    while (result.rank >= 2 && merges(program, result, result.rank - 2, result.rank - 1)) {
      const int64_t size = result.sizes[result.rank - 2] * result.sizes[result.rank - 1];
      const ElementwiseDims before = result;
      copy_dim(before, result.rank - 1, result.rank - 2);
      result.sizes[result.rank - 2] = size;
      --result.rank;
    }
  }
  return result;
}

/// One operand of one tile: where it is and how it steps.
struct TileView {
  int64_t offset, row_stride, column_stride;
};

/// The rows x columns elements at `base` as `count` contiguous floats: in place when they lie so,
/// else in `slot`.
const float* load(const void* base, ElementType type, TileView view, int64_t rows, int64_t columns,
                  float* slot) {
  const bool contiguous =
      (view.column_stride == 1 || columns == 1) && (rows == 1 || view.row_stride == columns);
  const auto* floats = static_cast<const float*>(base) + view.offset;
  if (type == ElementType::kBool) {
    const auto* bytes = static_cast<const uint8_t*>(base) + view.offset;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        slot[r * columns + c] = bytes[r * view.row_stride + c * view.column_stride] ? 1.0f : 0.0f;
    return slot;
  }
  if (contiguous) return floats;
  for (int64_t r = 0; r < rows; ++r) {
    float* target = slot + r * columns;
    const float* source = floats + r * view.row_stride;
    if (view.column_stride == 1) {
      std::memcpy(target, source, static_cast<size_t>(columns) * sizeof(float));
    } else if (view.column_stride == 0) {
      std::fill_n(target, columns, *source);
    } else {
      for (int64_t c = 0; c < columns; ++c) target[c] = source[c * view.column_stride];
    }
  }
  return slot;
}

void store(const float* values, void* base, ElementType type, TileView view, int64_t rows,
           int64_t columns) {
  if (type == ElementType::kBool) {
    auto* bytes = static_cast<uint8_t*>(base) + view.offset;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        bytes[r * view.row_stride + c * view.column_stride] = values[r * columns + c] != 0;
    return;
  }
  auto* floats = static_cast<float*>(base) + view.offset;
  for (int64_t r = 0; r < rows; ++r) {
    float* target = floats + r * view.row_stride;
    if (view.column_stride == 1) {
      std::memcpy(target, values + r * columns, static_cast<size_t>(columns) * sizeof(float));
    } else {
      for (int64_t c = 0; c < columns; ++c)
        target[c * view.column_stride] = values[r * columns + c];
    }
  }
}

void run_tile(const BoundKernel& bound, const Views& views, int64_t tile, float* slots) {
  const State& state = bound.state<State>();
  const auto& program = std::get<ElementwiseProgram>(bound.plan->problem);
  const ElementwiseFunction* functions = elementwise_functions(bound.plan->isa);

  const int64_t column_begin = tile % state.column_tiles * state.tile_columns;
  int64_t rest = tile / state.column_tiles;
  const int64_t row_begin = rest % state.row_tiles * state.tile_rows;
  rest /= state.row_tiles;
  const int64_t columns = std::min(state.tile_columns, state.columns - column_begin);
  const int64_t rows = std::min(state.tile_rows, state.rows - row_begin);
  std::array<int64_t, kMaxRank> index{};
  for (int d = state.outer_rank - 1; d >= 0; --d) {
    index[d] = rest % state.outer_sizes[d];
    rest /= state.outer_sizes[d];
  }
  const auto view_of = [&](const std::array<int64_t, kMaxRank>& outer, int64_t row,
                           int64_t column) {
    int64_t offset = row_begin * row + column_begin * column;
    for (int d = 0; d < state.outer_rank; ++d) offset += index[d] * outer[d];
    return TileView{offset, row, column};
  };

  const int64_t count = rows * columns;
  std::array<const float*, kMaxInputs + ElementwiseProgram::kMaxInstructions> values{};
  for (int i = 0; i < program.input_count; ++i) {
    const TileView view = view_of(state.input_outer[i], state.input_row[i], state.input_column[i]);
    values[i] = load(views.inputs[i], program.input_types[i], view, rows, columns,
                     slots + state.input_slots[i] * kTile);
  }
  // Only the last instruction may write straight to its output: an output may share memory with an
  // input that an instruction in between still has to read.
  const int last = program.instruction_count - 1;
  int direct = -1;
  for (int i = 0; i <= last; ++i) {
    const Instruction& instruction = program.instructions[i];
    float* target = slots + state.result_slots[i] * kTile;
    if (i == last) {
      for (int j = 0; j < program.output_count && direct < 0; ++j) {
        const bool contiguous = (state.output_column[j] == 1 || columns == 1) &&
                                (rows == 1 || state.output_row[j] == columns);
        if (program.outputs[j] != program.input_count + i || !contiguous ||
            program.output_types[j] != ElementType::kFloat32)
          continue;
        if (program.output_count > 1)
          break;  // another output may alias an input of this instruction
        direct = j;
        target = static_cast<float*>(views.outputs[j]) +
                 view_of(state.output_outer[j], state.output_row[j], state.output_column[j]).offset;
      }
    }
    const auto argument = [&](int j) {
      return j < argument_count(instruction.op) ? values[instruction.arguments[j]] : nullptr;
    };
    functions[static_cast<size_t>(instruction.op)](argument(0), argument(1), argument(2),
                                                   instruction.p, instruction.q, target, count);
    values[program.input_count + i] = target;
  }
  for (int j = 0; j < program.output_count; ++j)
    if (j != direct)
      store(values[program.outputs[j]], views.outputs[j], program.output_types[j],
            view_of(state.output_outer[j], state.output_row[j], state.output_column[j]), rows,
            columns);
}

void run_elementwise(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  const State& state = bound.state<State>();
  const int64_t end = std::min(part.end * state.tiles_per_part, state.tiles);
  for (int64_t tile = part.begin * state.tiles_per_part; tile < end; ++tile)
    run_tile(bound, views, tile, static_cast<float*>(scratch));
}

}  // namespace

Prepared prepare_elementwise(const Problem& problem, Isa) {
  const auto& program = std::get<ElementwiseProgram>(problem);
  if (program.input_count > kMaxInputs || program.output_count > kMaxOutputs ||
      program.instruction_count > ElementwiseProgram::kMaxInstructions)
    return Prepared::refuse(RefusalCode::kSize,
                            "more inputs, outputs or instructions than a program holds");
  for (int i = 0; i < program.instruction_count; ++i)
    for (int j = 0; j < argument_count(program.instructions[i].op); ++j)
      if (program.instructions[i].arguments[j] >= program.input_count + i)
        return Prepared::refuse(RefusalCode::kShape,
                                "an instruction uses a value that is computed after it");
  for (int j = 0; j < program.output_count; ++j)
    if (program.outputs[j] >= program.input_count + program.instruction_count)
      return Prepared::refuse(RefusalCode::kShape, "an output names no value");
  return {KernelPlan{}, {}};
}

Result<BoundKernel> bind_elementwise(const KernelPlan& plan, const Dims& dims_variant) {
  const auto& program = std::get<ElementwiseProgram>(plan.problem);
  const auto& given = std::get<ElementwiseDims>(dims_variant);
  if (given.rank < 0 || given.rank > kMaxRank)
    return Status::internal("rank {}, at most {}", given.rank, kMaxRank);
  int64_t elements = 1;
  for (int d = 0; d < given.rank; ++d) elements *= std::max<int64_t>(given.sizes[d], 0);

  BoundKernel bound;
  bound.run = run_elementwise;
  State& state = bound.state<State>();
  state = {};
  const int slots = assign_slots(program, state);
  const ElementwiseDims dims = collapse(program, given);
  const int column = dims.rank - 1, row = dims.rank - 2;
  if (column >= 0) state.columns = dims.sizes[column];
  if (row >= 0) state.rows = dims.sizes[row];
  state.outer_rank = std::max(0, row);
  int64_t outer = 1;
  for (int d = 0; d < state.outer_rank; ++d) outer *= state.outer_sizes[d] = dims.sizes[d];
  const auto stride = [&](const std::array<int64_t, kMaxRank>& strides, int d) {
    return d >= 0 ? strides[d] : 0;
  };
  for (int i = 0; i < program.input_count; ++i) {
    state.input_outer[i] = dims.input_strides[i];
    state.input_row[i] = stride(dims.input_strides[i], row);
    state.input_column[i] = stride(dims.input_strides[i], column);
  }
  for (int j = 0; j < program.output_count; ++j) {
    state.output_outer[j] = dims.output_strides[j];
    state.output_row[j] = stride(dims.output_strides[j], row);
    state.output_column[j] = stride(dims.output_strides[j], column);
  }
  if (elements > 0) {
    state.tile_columns = std::min(state.columns, kTile);
    state.tile_rows = state.columns < kTile
                          ? std::max<int64_t>(1, std::min(state.rows, kTile / state.columns))
                          : 1;
    state.column_tiles = parts_of(state.columns, state.tile_columns);
    state.row_tiles = parts_of(state.rows, state.tile_rows);
    state.tiles = outer * state.row_tiles * state.column_tiles;
    state.tiles_per_part =
        std::max<int64_t>(1, kElementsPerPart / (state.tile_rows * state.tile_columns));
    bound.parts = parts_of(state.tiles, state.tiles_per_part);
  }
  bound.scratch_bytes = slots * kTile * static_cast<int64_t>(sizeof(float));
  bound.cost.flops = static_cast<double>(elements) * program.instruction_count;
  bound.cost.bytes =
      static_cast<double>(elements) * 4 * (program.input_count + program.output_count);
  bound.cost.nanoseconds = bound.cost.bytes / 20 + bound.cost.flops / 8;  // tuned
  return bound;
}

}  // namespace shipway::kernels
