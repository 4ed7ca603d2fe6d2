// The micro-kernels of matrix product and convolution: one small block of the output, kept in
// registers while k runs. Plain structs only: this header is included by files compiled for one
// instruction set.
#pragma once

#include <cstdint>

namespace shipway::kernels {

/// A run of `length` consecutive k whose A elements lie side by side at `offset` (floats) from the
/// row's start. A matrix product has one segment; a convolution has one for each (channel block,
/// tap).
struct Segment {
  int64_t offset = 0, length = 0;
  int64_t gap = 0;  // rows of a packed B that are passed over before the next segment's
};

/// c[r][j] = finish(start + sum_k a[r][k] * b[k][j]), k ascending, one fused multiply-add each
/// (SSE4: multiply, add), where start is c when `accumulate`, else 0. The order of additions does
/// not depend on the tile's size, so that splitting rows, columns or k (through `accumulate`) never
/// changes a bit.
struct TileArguments {
  const float* a = nullptr;
  int64_t a_row_stride = 0;
  const Segment* segments = nullptr;
  int64_t segment_count = 0;
  const float* b = nullptr;  // packed: [k][vectors * lanes]; else see the tile's kind
  int64_t b_step = 0;        // DirectTile, ManyPanels
  float* c = nullptr;
  int64_t c_row_stride = 0, c_vector_stride = 0;
  bool accumulate = false;
  bool finish = true;  // the last run over k: apply what follows
  bool clip = false;
  float scale = 1;                  // of the sum
  const float* bias = nullptr;      // one per column, or null
  const float* row_bias = nullptr;  // one per row, or null
  const float* add = nullptr;       // strides of c, or null
  float low = 0, high = 0;          // with `clip`; NaN is kept
  /// What a packed tile should bring into L2 meanwhile, one cache line for every four k; or null.
  const float* prefetch = nullptr;
};
using TileFunction = void (*)(const TileArguments&);

/// A line of depthwise outputs whose windows lie inside the input; pixels are vectors.
struct DepthwiseLine {
  const float* a = nullptr;  // tap (0, 0) of the first output
  int64_t a_row_stride = 0;  // floats from one row of taps to the next
  const float* weights = nullptr;
  float* c = nullptr;
  int64_t count = 0;
  bool clip = false;
  const float* bias = nullptr;  // a vector, or null
  const float* add = nullptr;   // count vectors, or null
  float low = 0, high = 0;
};
using DepthwiseFunction = void (*)(const DepthwiseLine&);

/// Copies a plane of vectors [in_rows][in_columns] into the middle of [rows][columns] zeros.
struct PaddedPlane {
  const float* from;
  float* to;
  int64_t in_rows, in_columns, top, left, rows, columns;
};

/// Winograd's F(4x4, 3x3): a 6x6 block of inputs of one channel block becomes 36 vectors, the value
/// of position p at v + p * position_stride. Rows [row_begin, row_end) and columns [column_begin,
/// column_end) of the block lie inside the image, the others count as zeros; x is element (0, 0),
/// inside or not.
struct WinogradInput {
  const float* x = nullptr;
  int64_t row_stride = 0;
  int64_t row_begin = 0, row_end = 6, column_begin = 0, column_end = 6;
  float* v = nullptr;
  int64_t position_stride = 0;
};
/// The way back: 36 products become a 4x4 block of outputs of one channel block, of which `rows` by
/// `columns` lie inside the image. `add` has the strides of y.
struct WinogradOutput {
  const float* m = nullptr;
  int64_t position_stride = 0;
  float* y = nullptr;
  int64_t row_stride = 0;
  int64_t rows = 4, columns = 4;
  bool clip = false;
  const float* bias = nullptr;  // a vector, or null
  const float* add = nullptr;   // or null
  float low = 0, high = 0;
};

/// The micro-kernels of one instruction set.
struct TileTable {
  int lanes = 0;     // floats in a vector; the channel block too
  int max_rows = 0;  // of a tile
  static constexpr int kMaxRows = 16, kMaxVectors = 4;
  /// packed[v - 1][rows - 1]: B panel of v = 1 or 2 vectors.
  TileFunction packed[2][kMaxRows] = {};
  /// direct[v - 1][rows - 1], rows <= 4: A is [rows][k] without gaps along k, B vectors are read in
  /// place (unaligned) at b + segment.offset + i * b_step, neighbouring columns side by side.
  TileFunction direct[kMaxVectors][4] = {};
  /// many_panels[rows - 1]: 4 whole panels at once, `b_step` floats from panel to panel, c
  /// contiguous over all of them. A matrix with one or few rows is bound by memory, and parallel
  /// streams use more of it.
  TileFunction many_panels[4] = {};
  static constexpr int kManyPanels = 4;
  int many_panels_rows = 0;  // largest `rows` of many_panels
  /// depthwise[rows - 1]: rows are pixels of one channel block, c[r] = sum over segments s of a[r +
  /// s.offset] * b[s.length], vectors all: here `length` is the number of the tap, so that a border
  /// can leave taps out.
  TileFunction depthwise[kMaxRows] = {};
  /// depthwise_line[k / 2 - 1][stride - 1] for 3x3 and 5x5 kernels without dilation along the line.
  DepthwiseFunction depthwise_line[2][2] = {};
  void (*pad_plane)(const PaddedPlane&) = nullptr;
  void (*winograd_input)(const WinogradInput&) = nullptr;
  void (*winograd_output)(const WinogradOutput&) = nullptr;
};

const TileTable& tiles_avx512();
const TileTable& tiles_avx2();
const TileTable& tiles_sse4();

}  // namespace shipway::kernels
