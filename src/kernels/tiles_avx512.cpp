// Micro-kernels for AVX-512: 14 rows by two vectors of 16 use 28 of 32 registers for sums.
#include <immintrin.h>

#include "kernels/tiles.h"
#include "kernels/winograd.h"

namespace shipway::kernels {
namespace {

using V = __m512;
constexpr int kLanes = 16, kRegisters = 32, kMaxRows = 14, kManyPanelsRows = 3;

inline V zero() { return _mm512_setzero_ps(); }
inline V load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, V v) { _mm512_storeu_ps(p, v); }
inline V splat(float x) { return _mm512_set1_ps(x); }
inline V broadcast(const float* p) { return _mm512_set1_ps(*p); }
inline V multiply_add(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
inline V subtract_product(V a, V b, V c) { return _mm512_fnmadd_ps(a, b, c); }
inline V add(V a, V b) { return _mm512_add_ps(a, b); }
inline V multiply(V a, V b) { return _mm512_mul_ps(a, b); }
inline V subtract(V a, V b) { return _mm512_sub_ps(a, b); }
/// Makes the compiler keep `v` in a register.
inline void hold(V& v) { asm("" : "+v"(v)); }
inline V minimum(V limit, V x) { return _mm512_min_ps(limit, x); }
inline V maximum(V limit, V x) { return _mm512_max_ps(limit, x); }

}  // namespace
}  // namespace shipway::kernels

#include "kernels/tiles-inl.h"

namespace shipway::kernels {

const TileTable& tiles_avx512() {
  static const TileTable table = make_table();
  return table;
}

}  // namespace shipway::kernels
