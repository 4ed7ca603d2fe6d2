// Reductions and normalisation of one contiguous row, for every instruction set.
#include <cstdint>
#include <limits>

#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows_simd.cpp"
#include "kernels/simd_targets.h"
//
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/maths-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shipway::kernels {
namespace HWY_NAMESPACE {
namespace {

/// Four interleaved accumulators of whole vectors; the end of a row is filled up with `neutral`.
template <typename Accumulate, typename Combine>
HWY_INLINE F accumulate_row(const float* x, int64_t n, float start, float neutral,
                            Accumulate accumulate, Combine combine) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  F a0 = set(start), a1 = a0, a2 = a0, a3 = a0;
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a0 = accumulate(a0, hn::LoadU(d, x + i));
    a1 = accumulate(a1, hn::LoadU(d, x + i + lanes));
    a2 = accumulate(a2, hn::LoadU(d, x + i + 2 * lanes));
    a3 = accumulate(a3, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) a0 = accumulate(a0, hn::LoadU(d, x + i));
  if (i < n) {
    HWY_ALIGN float tail[16];
    for (int64_t j = 0; j < lanes; ++j) tail[j] = i + j < n ? x[i + j] : neutral;
    a1 = accumulate(a1, hn::Load(d, tail));
  }
  return combine(combine(a0, a1), combine(a2, a3));
}

HWY_INLINE float total(F sum) {
  const Floats d;
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

float sum(const float* x, int64_t n) {
  const auto add = [](F a, F b) HWY_ATTR { return hn::Add(a, b); };
  return total(accumulate_row(x, n, 0, 0, add, add));
}
float sum_abs(const float* x, int64_t n) {
  return total(accumulate_row(
      x, n, 0, 0, [](F a, F v) HWY_ATTR { return hn::Add(a, hn::Abs(v)); },
      [](F a, F b) HWY_ATTR { return hn::Add(a, b); }));
}
float sum_square(const float* x, int64_t n) {
  return total(accumulate_row(
      x, n, 0, 0, [](F a, F v) HWY_ATTR { return hn::MulAdd(v, v, a); },
      [](F a, F b) HWY_ATTR { return hn::Add(a, b); }));
}
float sum_square_difference(const float* x, float mean, int64_t n) {
  const F m = set(mean);
  return total(accumulate_row(
      x, n, 0, mean,
      [m](F a, F v) HWY_ATTR {
        const F difference = hn::Sub(v, m);
        return hn::MulAdd(difference, difference, a);
      },
      [](F a, F b) HWY_ATTR { return hn::Add(a, b); }));
}
float product(const float* x, int64_t n) {
  const Floats d;
  const auto multiply = [](F a, F b) HWY_ATTR { return hn::Mul(a, b); };
  HWY_ALIGN float lanes[16];
  hn::Store(accumulate_row(x, n, 1, 1, multiply, multiply), d, lanes);
  float result = 1;
  for (size_t i = 0; i < hn::Lanes(d); ++i) result *= lanes[i];
  return result;
}
float maximum(const float* x, int64_t n) {
  const Floats d;
  const auto larger = [](F a, F v) HWY_ATTR {
    return hn::IfThenElse(hn::Or(hn::Gt(v, a), hn::IsNaN(v)), v, a);
  };
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  HWY_ALIGN float lanes[16];
  hn::Store(accumulate_row(x, n, kLowest, kLowest, larger, larger), d, lanes);
  float result = lanes[0];
  for (size_t i = 1; i < hn::Lanes(d); ++i)
    if (lanes[i] > result || lanes[i] != lanes[i]) result = lanes[i];
  return result;
}
float minimum(const float* x, int64_t n) {
  const Floats d;
  const auto smaller = [](F a, F v) HWY_ATTR {
    return hn::IfThenElse(hn::Or(hn::Lt(v, a), hn::IsNaN(v)), v, a);
  };
  constexpr float kHighest = std::numeric_limits<float>::infinity();
  HWY_ALIGN float lanes[16];
  hn::Store(accumulate_row(x, n, kHighest, kHighest, smaller, smaller), d, lanes);
  float result = lanes[0];
  for (size_t i = 1; i < hn::Lanes(d); ++i)
    if (lanes[i] < result || lanes[i] != lanes[i]) result = lanes[i];
  return result;
}

/// e^x where x is mostly at or below 0: zero below e^-87, which is where fp32 turns subnormal, so
/// that -inf gives 0.
HWY_INLINE F exp_below(F x) {
  return hn::IfThenElse(hn::Lt(x, set(-87.0f)), hn::Zero(Floats()), bounded_exp(x));
}

float exp_sum(const float* x, float shift, float* y, int64_t n) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const F s = set(shift);
  F a0 = hn::Zero(d), a1 = a0;
  const auto one = [&](int64_t i) HWY_ATTR {
    const F e = exp_below(hn::Sub(hn::LoadU(d, x + i), s));
    if (y) hn::StoreU(e, d, y + i);
    return e;
  };
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a0 = hn::Add(a0, one(i));
    a1 = hn::Add(a1, one(i + lanes));
  }
  for (; i + lanes <= n; i += lanes) a0 = hn::Add(a0, one(i));
  if (i < n) {
    HWY_ALIGN float tail[16];
    for (int64_t j = 0; j < lanes; ++j)
      tail[j] = i + j < n ? x[i + j] : -std::numeric_limits<float>::infinity();
    const F e = exp_below(hn::Sub(hn::Load(d, tail), s));
    hn::Store(e, d, tail);
    // Where the shift is -inf or NaN, what fills the vector up would be NaN too: it must not count.
    for (int64_t j = n - i; j < lanes; ++j) tail[j] = 0;
    a1 = hn::Add(a1, hn::Load(d, tail));
    if (y)
      for (int64_t j = i; j < n; ++j) y[j] = tail[j - i];
  }
  return total(hn::Add(a0, a1));
}

void normalize(const float* x, float mean, float factor, const float* scale, const float* bias,
               float* y, int64_t n) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const F m = set(mean), f = set(factor), zero = hn::Zero(d), one = set(1.0f);
  const auto step = [&](F v, F s, F b)
                        HWY_ATTR { return hn::MulAdd(hn::Mul(hn::Sub(v, m), f), s, b); };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(step(hn::LoadU(d, x + i), scale ? hn::LoadU(d, scale + i) : one,
                    bias ? hn::LoadU(d, bias + i) : zero),
               d, y + i);
  if (i == n) return;
  HWY_ALIGN float tail[3][16] = {};
  for (int64_t j = i; j < n; ++j) {
    tail[0][j - i] = x[j];
    tail[1][j - i] = scale ? scale[j] : 1.0f;
    tail[2][j - i] = bias ? bias[j] : 0.0f;
  }
  hn::Store(step(hn::Load(d, tail[0]), hn::Load(d, tail[1]), hn::Load(d, tail[2])), d, tail[0]);
  for (int64_t j = i; j < n; ++j) y[j] = tail[0][j - i];
}

}  // namespace

const RowFunctions kRows = {
    sum, sum_abs, sum_square, product, maximum, minimum, sum_square_difference, exp_sum, normalize};

namespace {

/// y[o] = combination over taps. Whole vectors where outputs lie side by side, else vector by
/// vector of a pixel, else one by one.
template <bool kMaximum>
void pool_row(const PoolRow& row) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d)), tap_step = row.dilation * row.pixel;
  const auto combine = [](F a, F v) HWY_ATTR {
    return kMaximum ? hn::IfThenElse(hn::Or(hn::Gt(v, a), hn::IsNaN(v)), v, a) : hn::Add(a, v);
  };
  const auto vector_at = [&](const float* x) HWY_ATTR {
    F a = hn::LoadU(d, x);
    for (int64_t t = 1; t < row.taps; ++t) a = combine(a, hn::LoadU(d, x + t * tap_step));
    return a;
  };
  const auto scalar_at = [&](const float* x) HWY_ATTR {
    float a = *x;
    for (int64_t t = 1; t < row.taps; ++t) {
      const float v = x[t * tap_step];
      if (!kMaximum) a += v;
      if (kMaximum && (v > a || v != v)) a = v;
    }
    return a;
  };
  if (row.pixel != 1) {  // whole vectors: a channel block
    for (int64_t o = 0; o < row.count; ++o)
      for (int64_t j = 0; j < row.pixel; j += lanes) {
        F a = vector_at(row.x + o * row.stride * row.pixel + j);
        if (row.divisors) a = hn::Div(a, set(row.divisors[o]));
        hn::StoreU(a, d, row.y + o * row.pixel + j);
      }
    return;
  }
  // Windows of every position, then those that the stride leaves: whole vectors, though most of a
  // large stride is thrown away.
  HWY_ALIGN float windows[kPoolSlack * 4];
  const int64_t outputs = (kPoolSlack * 4 - lanes) / row.stride;
  if (outputs == 0) {
    for (int64_t o = 0; o < row.count; ++o) {
      const float a = scalar_at(row.x + o * row.stride);
      row.y[o] = row.divisors ? a / row.divisors[o] : a;
    }
    return;
  }
  for (int64_t o = 0; o < row.count; o += outputs) {
    const int64_t count = row.count - o < outputs ? row.count - o : outputs;
    const float* x = row.x + o * row.stride;
    for (int64_t i = 0; i <= (count - 1) * row.stride; i += lanes)
      hn::Store(vector_at(x + i), d, windows + i);
    for (int64_t j = 0; j < count; ++j) {
      const float a = windows[j * row.stride];
      row.y[o + j] = row.divisors ? a / row.divisors[o + j] : a;
    }
  }
}

void vertical(const float* const* rows, const float* weights, int64_t taps, float* y, int64_t n) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    F a = hn::Mul(set(weights[0]), hn::LoadU(d, rows[0] + i));
    for (int64_t t = 1; t < taps; ++t)
      a = hn::MulAdd(set(weights[t]), hn::LoadU(d, rows[t] + i), a);
    hn::StoreU(a, d, y + i);
  }
  if (i == n) return;
  HWY_ALIGN float tail[16] = {};
  F a = hn::Zero(d);
  for (int64_t t = 0; t < taps; ++t) {
    for (int64_t j = i; j < n; ++j) tail[j - i] = rows[t][j];
    const F w = set(weights[t]), v = hn::Load(d, tail);
    a = t == 0 ? hn::Mul(w, v) : hn::MulAdd(w, v, a);
  }
  hn::Store(a, d, tail);
  for (int64_t j = i; j < n; ++j) y[j] = tail[j - i];
}

void horizontal(const float* x, const int32_t* indices, const float* weights, int64_t taps,
                float* y, int64_t count, int64_t inner) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  if (inner % lanes == 0) {
    for (int64_t o = 0; o < count; ++o, indices += taps, weights += taps)
      for (int64_t j = 0; j < inner; j += lanes) {
        F a = hn::Mul(set(weights[0]), hn::LoadU(d, x + indices[0] * inner + j));
        for (int64_t t = 1; t < taps; ++t)
          a = hn::MulAdd(set(weights[t]), hn::LoadU(d, x + indices[t] * inner + j), a);
        hn::StoreU(a, d, y + o * inner + j);
      }
    return;
  }
  for (int64_t o = 0; o < count; ++o, indices += taps, weights += taps)
    for (int64_t j = 0; j < inner; ++j) {
      float a = weights[0] * x[indices[0] * inner + j];
      for (int64_t t = 1; t < taps; ++t) a += weights[t] * x[indices[t] * inner + j];
      y[o * inner + j] = a;
    }
}

}  // namespace

const PoolFunctions kPool = {pool_row<true>, pool_row<false>};
const ResizeFunctions kResize = {vertical, horizontal};

}  // namespace HWY_NAMESPACE
}  // namespace shipway::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shipway::kernels {

const RowFunctions& row_functions(Isa isa) { return *SHIPWAY_SIMD_OBJECT(isa, kRows); }
const PoolFunctions& pool_functions(Isa isa) { return *SHIPWAY_SIMD_OBJECT(isa, kPool); }
const ResizeFunctions& resize_functions(Isa isa) { return *SHIPWAY_SIMD_OBJECT(isa, kResize); }

}  // namespace shipway::kernels
#endif
