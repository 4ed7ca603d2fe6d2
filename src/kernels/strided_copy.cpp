// Copies between strided views: the one kernel behind Transpose, Slice, Concat, Expand, Split and
// Pad's inside.
#include <algorithm>
#include <cstring>

#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/transpose_block.h"

namespace shipway::kernels {
namespace {

constexpr int kMaxRank = StridedCopyDims::kMaxRank;
constexpr int64_t kBytesOfPart = 64 << 10;  // tuned
constexpr int64_t kTransposeTile = 64;      // tuned: 64 x 64 floats: both sides stay in L1

/// Dims in the order of the destination's strides, largest first, neighbours merged. The last two
/// are the inner plane.
struct State {
  int32_t rank = 0;
  std::array<int64_t, kMaxRank> sizes{}, source{}, destination{};
  int64_t outer = 1;  // product of all but the last two
  int64_t rows_of_part = 1, row_parts = 1;
};

template <typename T>
void copy_plane(const T* from, T* to, int64_t rows, int64_t columns, const int64_t* source,
                const int64_t* destination) {
  if (source[1] == 1 && destination[1] == 1) {
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(to + r * destination[0], from + r * source[0],
                  static_cast<size_t>(columns) * sizeof(T));
    return;
  }
  if (source[0] == 1 && destination[1] == 1) {  // a transposition
    for (int64_t r = 0; r < rows; r += kTransposeTile)
      for (int64_t c = 0; c < columns; c += kTransposeTile) {
        const int64_t tile_rows = std::min(kTransposeTile, rows - r),
                      tile_columns = std::min(kTransposeTile, columns - c);
        const T* source_tile = from + r + c * source[1];
        T* target_tile = to + r * destination[0] + c;
        if constexpr (sizeof(T) == sizeof(float)) {
          transpose_block(reinterpret_cast<const float*>(source_tile), source[1],
                          reinterpret_cast<float*>(target_tile), destination[0], tile_columns,
                          tile_rows);
        } else {
          for (int64_t i = 0; i < tile_rows; ++i)
            for (int64_t j = 0; j < tile_columns; ++j)
              target_tile[i * destination[0] + j] = source_tile[i + j * source[1]];
        }
      }
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    const T* source_row = from + r * source[0];
    T* target_row = to + r * destination[0];
    if (source[1] == 0 && destination[1] == 1) {
      std::fill_n(target_row, columns, *source_row);
    } else {
      for (int64_t c = 0; c < columns; ++c)
        target_row[c * destination[1]] = source_row[c * source[1]];
    }
  }
}

template <typename T>
void run_typed(const State& state, const void* from, void* to, Range part) {
  const int last = state.rank - 2;
  for (int64_t index = part.begin; index < part.end; ++index) {
    int64_t rest = index / state.row_parts, source = 0, destination = 0;
    for (int d = last - 1; d >= 0; --d) {
      source += rest % state.sizes[d] * state.source[d];
      destination += rest % state.sizes[d] * state.destination[d];
      rest /= state.sizes[d];
    }
    const int64_t begin = index % state.row_parts * state.rows_of_part,
                  end = std::min(begin + state.rows_of_part, state.sizes[last]);
    copy_plane(static_cast<const T*>(from) + source + begin * state.source[last],
               static_cast<T*>(to) + destination + begin * state.destination[last], end - begin,
               state.sizes[last + 1], &state.source[last], &state.destination[last]);
  }
}

struct Wide {
  uint64_t low, high;
};

void run_strided_copy(const BoundKernel& bound, const Views& views, Range part, void*) {
  const State& state = bound.state<State>();
  const void* from = views.inputs[0];
  void* to = views.outputs[0];
  switch (std::get<StridedCopyProblem>(bound.plan->problem).element_size) {
    case 1:
      return run_typed<uint8_t>(state, from, to, part);
    case 2:
      return run_typed<uint16_t>(state, from, to, part);
    case 4:
      return run_typed<uint32_t>(state, from, to, part);
    case 8:
      return run_typed<uint64_t>(state, from, to, part);
    default:
      return run_typed<Wide>(state, from, to, part);
  }
}

}  // namespace

Prepared prepare_strided_copy(const Problem& problem, Isa) {
  const int32_t size = std::get<StridedCopyProblem>(problem).element_size;
  if (size != 1 && size != 2 && size != 4 && size != 8 && size != 16)
    return Prepared::refuse(RefusalCode::kType, "an element size other than 1, 2, 4, 8, 16");
  return {KernelPlan{}, {}};
}

Result<BoundKernel> bind_strided_copy(const KernelPlan& plan, const Dims& dims) {
  const auto& d = std::get<StridedCopyDims>(dims);
  if (d.rank < 0 || d.rank > kMaxRank)
    return Status::internal("rank {}, at most {}", d.rank, kMaxRank);
  BoundKernel bound;
  bound.run = run_strided_copy;
  State& state = bound.state<State>();
  state = {};
  std::array<int, kMaxRank> order{};
  int kept = 0;
  int64_t elements = 1;
  for (int i = 0; i < d.rank; ++i) {
    elements *= d.sizes[i];
    if (d.sizes[i] != 1) order[kept++] = i;
  }
  std::stable_sort(order.begin(), order.begin() + kept, [&](int a, int b) {
    return d.destination_strides[a] > d.destination_strides[b];
  });
  for (int i = 0; i < kept; ++i) {
    const int64_t size = d.sizes[order[i]], source = d.source_strides[order[i]],
                  destination = d.destination_strides[order[i]];
    const int before = state.rank - 1;
    if (before >= 0 && state.source[before] == source * size &&
        state.destination[before] == destination * size) {
      state.sizes[before] *= size;
      state.source[before] = source;
      state.destination[before] = destination;
      continue;
    }
    state.sizes[state.rank] = size;
    state.source[state.rank] = source;
    state.destination[state.rank++] = destination;
  }
  // The dim with source stride 1 next to the innermost makes a transposition of the inner plane.
  const int inner = state.rank - 1;
  for (int i = 0; i < inner - 1 && state.source[inner] != 1; ++i)
    if (state.source[i] == 1) {
      std::rotate(state.sizes.begin() + i, state.sizes.begin() + i + 1,
                  state.sizes.begin() + inner);
      std::rotate(state.source.begin() + i, state.source.begin() + i + 1,
                  state.source.begin() + inner);
      std::rotate(state.destination.begin() + i, state.destination.begin() + i + 1,
                  state.destination.begin() + inner);
      break;
    }
  while (state.rank < 2) {  // dims of size 1 in front
    std::rotate(state.sizes.begin(), state.sizes.end() - 1, state.sizes.end());
    std::rotate(state.source.begin(), state.source.end() - 1, state.source.end());
    std::rotate(state.destination.begin(), state.destination.end() - 1, state.destination.end());
    state.sizes[0] = 1;
    state.source[0] = state.destination[0] = 0;
    if (++state.rank == 1) state.source[0] = state.destination[0] = 1;
  }
  const int32_t element = std::get<StridedCopyProblem>(plan.problem).element_size;
  if (elements > 0) {
    const int row = state.rank - 2;
    for (int i = 0; i < row; ++i) state.outer *= state.sizes[i];
    const int64_t bytes_of_row = state.sizes[row + 1] * element;
    state.rows_of_part = std::clamp<int64_t>(kBytesOfPart / bytes_of_row, 1, state.sizes[row]);
    if (state.source[row] == 1 &&
        state.rows_of_part < state.sizes[row])  // whole tiles of a transposition
      state.rows_of_part = std::min(state.sizes[row], (state.rows_of_part + kTransposeTile - 1) /
                                                          kTransposeTile * kTransposeTile);
    state.row_parts = parts_of(state.sizes[row], state.rows_of_part);
    bound.parts = state.outer * state.row_parts;
  }
  bound.cost.bytes = 2.0 * static_cast<double>(elements) * element;
  bound.cost.nanoseconds = bound.cost.bytes / 15;  // tuned
  return bound;
}

}  // namespace shipway::kernels
