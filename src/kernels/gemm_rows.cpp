#include "kernels/gemm_rows.h"

#include <cstring>

#include "kernels/tile_choice.h"

namespace shipway::kernels {

void run_row_tiles(const TileTable& tiles, TileArguments t, int64_t rows, int64_t width,
                   int64_t columns) {
  const int vectors = static_cast<int>(width / tiles.lanes);
  const TileFunction* functions = tiles.packed[vectors - 1];
  const RowTiles split(rows, tiles.max_rows);
  t.c_vector_stride = tiles.lanes;
  // Each tile brings its own piece: a line (16 floats) for every four k.
  int64_t prefetch_floats = 0;
  for (int64_t s = 0; s < t.segment_count; ++s) prefetch_floats += t.segments[s].length / 4 * 16;
  if (columns == width) {
    for (int64_t i = 0; i < split.count; ++i) {
      const int64_t tile_rows = split.rows(i);
      functions[tile_rows - 1](t);
      t.a += tile_rows * t.a_row_stride;
      t.c += tile_rows * t.c_row_stride;
      if (t.add) t.add += tile_rows * t.c_row_stride;
      if (t.row_bias) t.row_bias += tile_rows;
      if (t.prefetch) t.prefetch += prefetch_floats;
    }
    return;
  }
  // The last panel is not full: tiles are made in a buffer, so that nothing outside C is read or
  // written.
  constexpr int64_t kWidth = 32;
  float c[TileTable::kMaxRows * kWidth], add[TileTable::kMaxRows * kWidth];
  TileArguments buffered = t;
  buffered.c = c;
  buffered.c_row_stride = kWidth;
  if (t.add) buffered.add = add;
  const size_t bytes = static_cast<size_t>(columns) * sizeof(float);
  for (int64_t i = 0; i < split.count; ++i) {
    const int64_t tile_rows = split.rows(i);
    for (int64_t r = 0; r < tile_rows; ++r) {
      if (t.accumulate) {
        std::memset(c + r * kWidth, 0, kWidth * sizeof(float));
        std::memcpy(c + r * kWidth, t.c + r * t.c_row_stride, bytes);
      }
      if (t.add) {
        std::memset(add + r * kWidth, 0, kWidth * sizeof(float));
        std::memcpy(add + r * kWidth, t.add + r * t.c_row_stride, bytes);
      }
    }
    functions[tile_rows - 1](buffered);
    for (int64_t r = 0; r < tile_rows; ++r)
      std::memcpy(t.c + r * t.c_row_stride, c + r * kWidth, bytes);
    buffered.a += tile_rows * t.a_row_stride;
    if (buffered.row_bias) buffered.row_bias += tile_rows;
    t.c += tile_rows * t.c_row_stride;
    if (t.add) t.add += tile_rows * t.c_row_stride;
  }
}

}  // namespace shipway::kernels
