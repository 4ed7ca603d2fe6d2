// Transposition of a small block of floats, the inner step of packing, reordering and Transpose.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace shipway::kernels {

/// to[c * to_stride + r] = from[r * from_stride + c] for r < rows, c < columns. Strides in floats;
/// no alignment needed.
inline void transpose_block(const float* from, int64_t from_stride, float* to, int64_t to_stride,
                            int64_t rows, int64_t columns) {
  int64_t r = 0;
#if defined(__SSE2__)
  for (; r + 4 <= rows; r += 4) {
    int64_t c = 0;
    for (; c + 4 <= columns; c += 4) {
      const float* source = from + r * from_stride + c;
      __m128 a = _mm_loadu_ps(source), b = _mm_loadu_ps(source + from_stride);
      __m128 d = _mm_loadu_ps(source + 2 * from_stride), e = _mm_loadu_ps(source + 3 * from_stride);
      _MM_TRANSPOSE4_PS(a, b, d, e);
      float* target = to + c * to_stride + r;
      _mm_storeu_ps(target, a);
      _mm_storeu_ps(target + to_stride, b);
      _mm_storeu_ps(target + 2 * to_stride, d);
      _mm_storeu_ps(target + 3 * to_stride, e);
    }
    for (; c < columns; ++c)
      for (int64_t i = 0; i < 4; ++i) to[c * to_stride + r + i] = from[(r + i) * from_stride + c];
  }
#endif
  for (; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) to[c * to_stride + r] = from[r * from_stride + c];
}

}  // namespace shipway::kernels
