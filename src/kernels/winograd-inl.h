// The transforms of Winograd's F(4x4, 3x3), included by tiles-inl.h. winograd.h has the matrices;
// here the sums of each pair of points share their even and odd parts.

namespace shipway::kernels {
namespace {

/// d = B^T d.
inline void transform_input(V (&d)[winograd::kInput]) {
  constexpr auto kA = static_cast<float>(winograd::kA), kB = static_cast<float>(winograd::kB);
  constexpr auto kA2 = static_cast<float>(winograd::kA2), kB2 = static_cast<float>(winograd::kB2);
  const V a2 = splat(kA2), b2 = splat(kB2);
  const V product = splat(kA2 * kB2), sum = splat(kA2 + kB2);
  const V even_a = subtract_product(b2, d[2], d[4]), odd_a = subtract_product(b2, d[1], d[3]);
  const V even_b = subtract_product(a2, d[2], d[4]), odd_b = subtract_product(a2, d[1], d[3]);
  d[0] = multiply_add(product, d[0], subtract_product(sum, d[2], d[4]));
  d[5] = multiply_add(product, d[1], subtract_product(sum, d[3], d[5]));
  d[1] = multiply_add(splat(kA), odd_a, even_a);
  d[2] = subtract_product(splat(kA), odd_a, even_a);
  d[3] = multiply_add(splat(kB), odd_b, even_b);
  d[4] = subtract_product(splat(kB), odd_b, even_b);
}

void winograd_input(const WinogradInput& t) {
  constexpr int kSize = winograd::kInput;
  alignas(64) float block[winograd::kPositions * kLanes];  // columns done, rows not yet
#pragma GCC unroll 1
  for (int column = 0; column < kSize; ++column) {
    V d[kSize];
    const float* x = t.x + column * kLanes;
    if (column >= t.column_begin && column < t.column_end) {
#pragma GCC unroll 8
      for (int row = 0; row < kSize; ++row)
        d[row] = row >= t.row_begin && row < t.row_end ? load(x + row * t.row_stride) : zero();
      transform_input(d);
    } else {
#pragma GCC unroll 8
      for (int row = 0; row < kSize; ++row) d[row] = zero();
    }
#pragma GCC unroll 8
    for (int row = 0; row < kSize; ++row) store(block + (row * kSize + column) * kLanes, d[row]);
  }
#pragma GCC unroll 1
  for (int row = 0; row < kSize; ++row) {
    V d[kSize];
#pragma GCC unroll 8
    for (int column = 0; column < kSize; ++column)
      d[column] = load(block + (row * kSize + column) * kLanes);
    transform_input(d);
    float* v = t.v + row * kSize * t.position_stride;
#pragma GCC unroll 8
    for (int column = 0; column < kSize; ++column) store(v + column * t.position_stride, d[column]);
  }
}

/// y = A^T m.
inline void transform_output(const V (&m)[winograd::kInput], V (&y)[winograd::kTile]) {
  constexpr auto kA = static_cast<float>(winograd::kA), kB = static_cast<float>(winograd::kB);
  const V even_a = add(m[1], m[2]), odd_a = subtract(m[1], m[2]);
  const V even_b = add(m[3], m[4]), odd_b = subtract(m[3], m[4]);
  y[0] = add(m[0], add(even_a, even_b));
  y[1] = multiply_add(splat(kA), odd_a, multiply(splat(kB), odd_b));
  y[2] = multiply_add(splat(kA * kA), even_a, multiply(splat(kB * kB), even_b));
  y[3] = multiply_add(splat(kA * kA * kA), odd_a, multiply_add(splat(kB * kB * kB), odd_b, m[5]));
}

void winograd_output(const WinogradOutput& t) {
  constexpr int kSize = winograd::kInput, kTile = winograd::kTile;
  alignas(64) float block[kTile * kSize * kLanes];
#pragma GCC unroll 1
  for (int column = 0; column < kSize; ++column) {
    V m[kSize], y[kTile];
    const float* from = t.m + column * t.position_stride;
#pragma GCC unroll 8
    for (int row = 0; row < kSize; ++row) m[row] = load(from + row * kSize * t.position_stride);
    transform_output(m, y);
#pragma GCC unroll 8
    for (int row = 0; row < kTile; ++row) store(block + (row * kSize + column) * kLanes, y[row]);
  }
  const V bias = t.bias ? load(t.bias) : zero();
  const V low = splat(t.low), high = splat(t.high);
#pragma GCC unroll 1
  for (int64_t row = 0; row < t.rows; ++row) {
    V m[kSize], y[kTile];
#pragma GCC unroll 8
    for (int column = 0; column < kSize; ++column)
      m[column] = load(block + (row * kSize + column) * kLanes);
    transform_output(m, y);
#pragma GCC unroll 8
    for (int column = 0; column < kTile; ++column) {
      if (column >= t.columns) break;
      const int64_t offset = row * t.row_stride + column * kLanes;
      V value = add(y[column], bias);
      if (t.add) value = add(value, load(t.add + offset));
      if (t.clip) value = minimum(high, maximum(low, value));
      store(t.y + offset, value);
    }
  }
}

}  // namespace
}  // namespace shipway::kernels
