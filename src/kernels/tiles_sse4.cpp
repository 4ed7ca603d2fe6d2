// Micro-kernels for SSE4.2: 4 rows by two vectors of 4; there is no fused multiply-add, so sums
// round twice.
#include <immintrin.h>

#include "kernels/tiles.h"
#include "kernels/winograd.h"

namespace shipway::kernels {
namespace {

using V = __m128;
constexpr int kLanes = 4, kRegisters = 16, kMaxRows = 4, kManyPanelsRows = 1;

inline V zero() { return _mm_setzero_ps(); }
inline V load(const float* p) { return _mm_loadu_ps(p); }
inline void store(float* p, V v) { _mm_storeu_ps(p, v); }
inline V splat(float x) { return _mm_set1_ps(x); }
inline V broadcast(const float* p) { return _mm_set1_ps(*p); }
inline V multiply_add(V a, V b, V c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
inline V subtract_product(V a, V b, V c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); }
inline V add(V a, V b) { return _mm_add_ps(a, b); }
inline V multiply(V a, V b) { return _mm_mul_ps(a, b); }
inline V subtract(V a, V b) { return _mm_sub_ps(a, b); }
/// Makes the compiler keep `v` in a register.
inline void hold(V& v) { asm("" : "+x"(v)); }
inline V minimum(V limit, V x) { return _mm_min_ps(limit, x); }
inline V maximum(V limit, V x) { return _mm_max_ps(limit, x); }

}  // namespace
}  // namespace shipway::kernels

#include "kernels/tiles-inl.h"

namespace shipway::kernels {

const TileTable& tiles_sse4() {
  static const TileTable table = make_table();
  return table;
}

}  // namespace shipway::kernels
