// The bodies of the micro-kernels, included by tiles_<isa>.cpp after it has defined, in an
// anonymous namespace:
//   V, kLanes, zero(), load(p), store(p, v), broadcast(p), splat(x), multiply_add(a, b, c) = a*b +
//   c, subtract_product(a, b, c) = c - a*b, add, subtract, multiply, minimum, maximum, kMaxRows,
//   kManyPanelsRows
// Everything is in an anonymous namespace: code made for one instruction set must never be merged
// with another's. minimum(limit, x) and maximum(limit, x) give x when x is NaN.

#include "kernels/winograd-inl.h"

namespace shipway::kernels {
namespace {

/// Turns the sums of a tile into its output.
template <int kRows, int kVectors>
inline void finish_and_store(const TileArguments& t, V (&sum)[kRows][kVectors]) {
  if (t.finish) {
    if (t.scale != 1.0f) {
      const V scale = splat(t.scale);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[r][v] = multiply(sum[r][v], scale);
    }
    if (t.bias) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const V bias = load(t.bias + v * kLanes);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) sum[r][v] = add(sum[r][v], bias);
      }
    }
    if (t.row_bias) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const V bias = broadcast(t.row_bias + r);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[r][v] = add(sum[r][v], bias);
      }
    }
    if (t.add) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v)
          sum[r][v] = add(sum[r][v], load(t.add + r * t.c_row_stride + v * t.c_vector_stride));
    }
    if (t.clip) {
      const V low = splat(t.low), high = splat(t.high);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[r][v] = minimum(high, maximum(low, sum[r][v]));
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      store(t.c + r * t.c_row_stride + v * t.c_vector_stride, sum[r][v]);
}

template <int kRows, int kVectors>
inline void start_sums(const TileArguments& t, V (&sum)[kRows][kVectors]) {
  if (t.accumulate) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v)
        sum[r][v] = load(t.c + r * t.c_row_stride + v * t.c_vector_stride);
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = zero();
  }
}

/// Rows are addressed from one pointer for each three, so that base + {0, 1, 2} * stride +
/// displacement needs no arithmetic.
template <int kRows, int kVectors>
void packed_tile(const TileArguments& t) {
  constexpr int kGroups = (kRows + 2) / 3;
  V sum[kRows][kVectors];
  start_sums<kRows, kVectors>(t, sum);
  const float* b = t.b;
  auto ahead =
      reinterpret_cast<uintptr_t>(t.prefetch);  // an address, not an object: it may be none
  const int64_t stride = t.a_row_stride;
  for (int64_t s = 0; s < t.segment_count; ++s) {
    const float* row[kGroups];
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) row[g] = t.a + t.segments[s].offset + 3 * g * stride;
    const auto step = [&](int k) __attribute__((always_inline)) {
      V column[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) column[v] = load(b + (k * kVectors + v) * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const V value = broadcast(row[r / 3] + (r % 3) * stride + k);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[r][v] = multiply_add(value, column[v], sum[r][v]);
      }
    };
    int64_t left = t.segments[s].length;
    for (; left >= 4; left -= 4) {
      step(0);
      step(1);
      step(2);
      step(3);
      b += 4 * kVectors * kLanes;
      if (kRows > 1) {  // null prefetches nothing, and no address can fault
        _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T1);
        ahead += 64;
      }
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) row[g] += 4;
    }
    for (; left > 0; --left) {
      step(0);
      b += kVectors * kLanes;
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) row[g] += 1;
    }
    b += t.segments[s].gap * kVectors * kLanes;
  }
  finish_and_store<kRows, kVectors>(t, sum);
}

/// The unaligned vectors are read once and held in registers where there are
/// enough: GCC would fold each load into every multiplication.
template <int kRows, int kVectors>
void direct_tile(const TileArguments& t) {
  V sum[kRows][kVectors];
  start_sums<kRows, kVectors>(t, sum);
  const float* a = t.a;
  for (int64_t s = 0; s < t.segment_count; ++s) {
    const float* b = t.b + t.segments[s].offset;
    const int64_t length = t.segments[s].length;
    for (int64_t k = 0; k < length; ++k) {
      V column[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        column[v] = load(b + v * kLanes);
        if constexpr (kRows * kVectors + kVectors < kRegisters) hold(column[v]);  // tuned
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const V value = broadcast(a + r * t.a_row_stride);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[r][v] = multiply_add(value, column[v], sum[r][v]);
      }
      ++a;
      b += t.b_step;
    }
  }
  finish_and_store<kRows, kVectors>(t, sum);
}

template <int kRows>
void many_panels(const TileArguments& t) {
  constexpr int kPanels = TileTable::kManyPanels, kVectors = 2 * kPanels;
  V sum[kRows][kVectors];
  start_sums<kRows, kVectors>(t, sum);
  const float* b = t.b;
  const float* a = t.a + t.segments[0].offset;
  const int64_t length = t.segments[0].length;
  for (int64_t k = 0; k < length; ++k, b += 2 * kLanes) {
    V value[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) value[r] = broadcast(a + r * t.a_row_stride + k);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const V column = load(b + (v / 2) * t.b_step + (v % 2) * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) sum[r][v] = multiply_add(value[r], column, sum[r][v]);
    }
  }
  finish_and_store<kRows, kVectors>(t, sum);
}

template <int kRows>
void depthwise_tile(const TileArguments& t) {
  constexpr int kGroups = (kRows + 2) / 3;
  V sum[kRows][1];
  start_sums<kRows, 1>(t, sum);
  const int64_t stride = t.a_row_stride;
  for (int64_t s = 0; s < t.segment_count; ++s) {
    const V weight = load(t.b + t.segments[s].length * kLanes);
    const float* a = t.a + t.segments[s].offset;
    const float* row[kGroups];
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) row[g] = a + 3 * g * stride;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
      sum[r][0] = multiply_add(load(row[r / 3] + (r % 3) * stride), weight, sum[r][0]);
  }
  finish_and_store<kRows, 1>(t, sum);
}

/// kPixels outputs: all sums stay in registers while the window's rows are read with constant
/// displacements.
template <int kKernel, int kStride, int kPixels>
inline void depthwise_pixels(const DepthwiseLine& l, int64_t at) {
  V sum[kPixels];
#pragma GCC unroll 16
  for (int p = 0; p < kPixels; ++p) sum[p] = zero();
  const float* a = l.a + at * kStride * kLanes;
#pragma GCC unroll 8
  for (int h = 0; h < kKernel; ++h, a += l.a_row_stride)
#pragma GCC unroll 8
    for (int w = 0; w < kKernel; ++w) {
      const V weight = load(l.weights + (h * kKernel + w) * kLanes);
#pragma GCC unroll 16
      for (int p = 0; p < kPixels; ++p)
        sum[p] = multiply_add(load(a + (p * kStride + w) * kLanes), weight, sum[p]);
    }
  if (l.bias) {
    const V bias = load(l.bias);
#pragma GCC unroll 16
    for (int p = 0; p < kPixels; ++p) sum[p] = add(sum[p], bias);
  }
  if (l.add) {
#pragma GCC unroll 16
    for (int p = 0; p < kPixels; ++p) sum[p] = add(sum[p], load(l.add + (at + p) * kLanes));
  }
  if (l.clip) {
    const V low = splat(l.low), high = splat(l.high);
#pragma GCC unroll 16
    for (int p = 0; p < kPixels; ++p) sum[p] = minimum(high, maximum(low, sum[p]));
  }
#pragma GCC unroll 16
  for (int p = 0; p < kPixels; ++p) store(l.c + (at + p) * kLanes, sum[p]);
}

template <int kKernel, int kStride>
void depthwise_line(const DepthwiseLine& l) {
  int64_t at = 0;
  for (; at + 8 <= l.count; at += 8) depthwise_pixels<kKernel, kStride, 8>(l, at);
  if (l.count - at >= 4) {
    depthwise_pixels<kKernel, kStride, 4>(l, at);
    at += 4;
  }
  switch (l.count - at) {
    case 3:
      return depthwise_pixels<kKernel, kStride, 3>(l, at);
    case 2:
      return depthwise_pixels<kKernel, kStride, 2>(l, at);
    case 1:
      return depthwise_pixels<kKernel, kStride, 1>(l, at);
    default:
      return;
  }
}

void pad_plane(const PaddedPlane& plane) {
  const V nothing = zero();
  float* to = plane.to;
  const float* from = plane.from;
  for (int64_t r = 0; r < plane.rows; ++r) {
    const bool inside = r >= plane.top && r < plane.top + plane.in_rows;
    const int64_t begin = inside ? plane.left : plane.columns;
    int64_t c = 0;
    for (; c < begin; ++c, to += kLanes) store(to, nothing);
    if (!inside) continue;
    for (; c < plane.left + plane.in_columns; ++c, to += kLanes, from += kLanes)
      store(to, load(from));
    for (; c < plane.columns; ++c, to += kLanes) store(to, nothing);
  }
}

template <int kRows>
void fill_table(TileTable& table) {
  table.packed[0][kRows - 1] = packed_tile<kRows, 1>;
  table.packed[1][kRows - 1] = packed_tile<kRows, 2>;
  table.depthwise[kRows - 1] = depthwise_tile<kRows>;
  if constexpr (kRows <= 4) {
    // Sums must leave a few registers free.
    table.direct[0][kRows - 1] = direct_tile<kRows, 1>;
    table.direct[1][kRows - 1] = direct_tile<kRows, 2>;
    if constexpr (3 * kRows + 4 <= kRegisters) table.direct[2][kRows - 1] = direct_tile<kRows, 3>;
    if constexpr (4 * kRows + 4 <= kRegisters) table.direct[3][kRows - 1] = direct_tile<kRows, 4>;
  }
  if constexpr (kRows <= kManyPanelsRows) table.many_panels[kRows - 1] = many_panels<kRows>;
  if constexpr (kRows > 1) fill_table<kRows - 1>(table);
}

TileTable make_table() {
  TileTable table;
  table.lanes = kLanes;
  table.max_rows = kMaxRows;
  table.many_panels_rows = kManyPanelsRows;
  fill_table<kMaxRows>(table);
  table.depthwise_line[0][0] = depthwise_line<3, 1>;
  table.depthwise_line[0][1] = depthwise_line<3, 2>;
  table.depthwise_line[1][0] = depthwise_line<5, 1>;
  table.depthwise_line[1][1] = depthwise_line<5, 2>;
  table.pad_plane = pad_plane;
  table.winograd_input = winograd_input;
  table.winograd_output = winograd_output;
  return table;
}

}  // namespace
}  // namespace shipway::kernels
