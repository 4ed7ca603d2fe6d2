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
  if (i < n) a1 = accumulate(a1, load_part(x + i, n - i, neutral));
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
  HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
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
  HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
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
  HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
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
    const F e =
        exp_below(hn::Sub(load_part(x + i, n - i, -std::numeric_limits<float>::infinity()), s));
    if (y) store_part(e, y + i, n - i);
    // Where the shift is -inf or NaN, what fills the vector up would be NaN too: it must not count.
    a1 = hn::Add(a1, hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n - i)), e));
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
  store_part(step(load_part(x + i, n - i), scale ? load_part(scale + i, n - i) : one,
                  bias ? load_part(bias + i, n - i) : zero),
             y + i, n - i);
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
  constexpr int64_t kWindows = 4 * kPoolSlack;  // tuned
  HWY_ALIGN float windows[kWindows];
  const int64_t outputs = (kWindows - lanes) / row.stride;
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
  F a = hn::Mul(set(weights[0]), load_part(rows[0] + i, n - i));
  for (int64_t t = 1; t < taps; ++t)
    a = hn::MulAdd(set(weights[t]), load_part(rows[t] + i, n - i), a);
  store_part(a, y + i, n - i);
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
