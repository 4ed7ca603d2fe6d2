// Micro-kernels for AVX2 and FMA: 6 rows by two vectors of 8 use 12 of 16 registers for sums.
#include <immintrin.h>

#include "kernels/tiles.h"
#include "kernels/winograd.h"

namespace shipway::kernels {
namespace {

using V = __m256;
constexpr int kLanes = 8, kRegisters = 16, kMaxRows = 6, kManyPanelsRows = 1;

inline V zero() { return _mm256_setzero_ps(); }
inline V load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, V v) { _mm256_storeu_ps(p, v); }
inline V splat(float x) { return _mm256_set1_ps(x); }
inline V broadcast(const float* p) { return _mm256_broadcast_ss(p); }
inline V multiply_add(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
inline V subtract_product(V a, V b, V c) { return _mm256_fnmadd_ps(a, b, c); }
inline V add(V a, V b) { return _mm256_add_ps(a, b); }
inline V multiply(V a, V b) { return _mm256_mul_ps(a, b); }
inline V subtract(V a, V b) { return _mm256_sub_ps(a, b); }
/// Makes the compiler keep `v` in a register.
inline void hold(V& v) { asm("" : "+x"(v)); }
inline V minimum(V limit, V x) { return _mm256_min_ps(limit, x); }
inline V maximum(V limit, V x) { return _mm256_max_ps(limit, x); }

}  // namespace
}  // namespace shipway::kernels

#include "kernels/tiles-inl.h"

namespace shipway::kernels {

const TileTable& tiles_avx2() {
  static const TileTable table = make_table();
  return table;
}

}  // namespace shipway::kernels
