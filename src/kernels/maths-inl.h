// fp32 maths on Highway vectors, included once for each target. Stated errors are maxima over the
// whole range, measured against double by maths_test.cpp. NaN goes through every function.
#if defined(SHIPWAY_KERNELS_MATHS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHIPWAY_KERNELS_MATHS_INL_H_
#undef SHIPWAY_KERNELS_MATHS_INL_H_
#else
#define SHIPWAY_KERNELS_MATHS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace shipway::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using F = hn::Vec<Floats>;

HWY_INLINE F set(float value) { return hn::Set(Floats(), value); }

/// `count` numbers, fewer than a vector has, and `rest` behind them. Nothing outside is read.
HWY_INLINE F load_part(const float* x, int64_t count, float rest = 0) {
  const Floats d;
  HWY_ALIGN float part[hn::MaxLanes(Floats())];
  hn::Store(set(rest), d, part);
  std::memcpy(part, x, static_cast<size_t>(count) * sizeof(float));
  return hn::Load(d, part);
}
/// The first `count` lanes; nothing outside is written.
HWY_INLINE void store_part(F v, float* y, int64_t count) {
  HWY_ALIGN float part[hn::MaxLanes(Floats())];
  hn::Store(v, Floats(), part);
  std::memcpy(y, part, static_cast<size_t>(count) * sizeof(float));
}

/// 2^n for integers -252 <= n <= 254 held in `n`, applied to x in two steps so that neither
/// overflows early.
HWY_INLINE F scale_by_power(F x, hn::Vec<Ints> n) {
  const Floats d;
  const Ints di;
  const auto half = hn::ShiftRight<1>(n);
  const auto power = [&](hn::Vec<Ints> e) HWY_ATTR {
    return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(e, hn::Set(di, 127))));
  };
  return hn::Mul(hn::Mul(x, power(half)), power(hn::Sub(n, half)));
}

/// e^(y - n ln 2) for |y - n ln 2| <= ln2 / 2: the polynomial of Cephes expf.
HWY_INLINE F exp_polynomial(F y, F n) {
  F r = hn::NegMulAdd(n, set(0.693359375f), y);
  r = hn::NegMulAdd(n, set(-2.12194440e-4f), r);
  F p = set(1.9875691500e-4f);
  p = hn::MulAdd(p, r, set(1.3981999507e-3f));
  p = hn::MulAdd(p, r, set(8.3334519073e-3f));
  p = hn::MulAdd(p, r, set(4.1665795894e-2f));
  p = hn::MulAdd(p, r, set(1.6666665459e-1f));
  p = hn::MulAdd(p, r, set(5.0000001201e-1f));
  return hn::MulAdd(p, hn::Mul(r, r), hn::Add(r, set(1.0f)));
}

/// e^x; relative error 1.5e-7, subnormal results and both overflows as libm gives them. Polynomial
/// on
/// [-ln2/2, ln2/2] from Cephes expf.
HWY_INLINE F exp(F x) {
  const Floats d;
  const Ints di;
  // Comparisons with NaN are false, so NaN is kept.
  F y = hn::IfThenElse(hn::Gt(x, set(89.0f)), set(89.0f), x);
  y = hn::IfThenElse(hn::Lt(y, set(-104.5f)), set(-104.5f), y);
  const F n = hn::Round(hn::Mul(y, set(1.44269504088896341f)));
  const F p = exp_polynomial(y, n);
  const F result =
      scale_by_power(p, hn::ConvertTo(di, hn::IfThenElse(hn::IsNaN(n), hn::Zero(d), n)));
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// e^x for sums with terms of size 1: as exp, but between e^-87 and e^88 and stopping there.
HWY_INLINE F bounded_exp(F x) {
  const Floats d;
  const Ints di;
  F y = hn::IfThenElse(hn::Gt(x, set(88.0f)), set(88.0f), x);
  y = hn::IfThenElse(hn::Lt(y, set(-87.0f)), set(-87.0f), y);
  const F n = hn::Round(hn::Mul(y, set(1.44269504088896341f)));
  const F p = exp_polynomial(y, n);
  // A NaN makes some integer of n, but p is NaN already and stays so.
  const auto power = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127)));
  return hn::Mul(p, hn::BitCast(d, power));
}

/// 1 / (1 + e^-x); relative error 3e-7 for x > -87.
HWY_INLINE F sigmoid(F x) {
  return hn::Div(set(1.0f), hn::Add(set(1.0f), bounded_exp(hn::Neg(x))));
}

/// Relative error 4e-7. Odd polynomial below 0.625 (Cephes tanhf), 1 - 2 / (e^2|x| + 1) above.
HWY_INLINE F tanh(F x) {
  const F magnitude = hn::Abs(x), z = hn::Mul(x, x);
  F p = set(-5.70498872745e-3f);
  p = hn::MulAdd(p, z, set(2.06390887954e-2f));
  p = hn::MulAdd(p, z, set(-5.37397155531e-2f));
  p = hn::MulAdd(p, z, set(1.33314422036e-1f));
  p = hn::MulAdd(p, z, set(-3.33332819422e-1f));
  const F small = hn::MulAdd(hn::Mul(p, z), x, x);
  const F e = bounded_exp(hn::Add(magnitude, magnitude));
  const F large = hn::Sub(set(1.0f), hn::Div(set(2.0f), hn::Add(e, set(1.0f))));
  return hn::IfThenElse(hn::Lt(magnitude, set(0.625f)), small, hn::CopySign(large, x));
}

/// Relative error 3e-7. Minimax polynomials published by N. Juffa, "erff" (BSD-2).
HWY_INLINE F erf(F a) {
  const F t = hn::Abs(a), s = hn::Mul(a, a);
  F r = hn::MulAdd(set(-1.72853470e-5f), t, set(3.83197126e-4f));
  const F u = hn::MulAdd(set(-3.88396438e-3f), t, set(2.42546219e-2f));
  r = hn::MulAdd(r, s, u);
  r = hn::MulAdd(r, t, set(-1.06777877e-1f));
  r = hn::MulAdd(r, t, set(-6.34846687e-1f));
  r = hn::MulAdd(r, t, set(-1.28717512e-1f));
  r = hn::MulAdd(r, t, hn::Neg(t));
  // Beyond 4 the result is 1 and the polynomial would turn back.
  r = hn::IfThenElse(hn::Gt(t, set(4.0f)), set(-20.0f), r);
  const F large = hn::CopySign(hn::Sub(set(1.0f), bounded_exp(r)), a);
  F q = set(-5.96761703e-4f);
  q = hn::MulAdd(q, s, set(4.99119423e-3f));
  q = hn::MulAdd(q, s, set(-2.67681349e-2f));
  q = hn::MulAdd(q, s, set(1.12819925e-1f));
  q = hn::MulAdd(q, s, set(-3.76125336e-1f));
  q = hn::MulAdd(q, s, set(1.28379166e-1f));
  const F small = hn::MulAdd(q, a, a);
  return hn::IfThenElse(hn::Gt(t, set(0.927734375f)), large, small);
}

/// Natural logarithm; relative error 2e-7 (absolute near 1); log(0) = -inf, negative gives NaN.
/// Cephes logf.
HWY_INLINE F log(F x) {
  const Floats d;
  const Ints di;
  const auto subnormal = hn::Lt(x, set(1.17549435e-38f));
  const F scaled = hn::IfThenElse(subnormal, hn::Mul(x, set(8388608.0f)), x);  // 2^23
  const auto bits = hn::BitCast(di, scaled);
  // Mantissa in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) moves the split there.
  const auto shifted = hn::Sub(bits, hn::Set(di, 0x3f3504f3));
  const auto exponent = hn::ShiftRight<23>(shifted);
  const F m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent)));
  const F e = hn::Sub(hn::ConvertTo(d, exponent), hn::IfThenElseZero(subnormal, set(23.0f)));
  const F f = hn::Sub(m, set(1.0f)), z = hn::Mul(f, f);
  F p = set(7.0376836292e-2f);
  p = hn::MulAdd(p, f, set(-1.1514610310e-1f));
  p = hn::MulAdd(p, f, set(1.1676998740e-1f));
  p = hn::MulAdd(p, f, set(-1.2420140846e-1f));
  p = hn::MulAdd(p, f, set(1.4249322787e-1f));
  p = hn::MulAdd(p, f, set(-1.6668057665e-1f));
  p = hn::MulAdd(p, f, set(2.0000714765e-1f));
  p = hn::MulAdd(p, f, set(-2.4999993993e-1f));
  p = hn::MulAdd(p, f, set(3.3333331174e-1f));
  F y = hn::Mul(hn::Mul(p, f), z);
  y = hn::MulAdd(e, set(-2.12194440e-4f), y);
  y = hn::NegMulAdd(z, set(0.5f), y);
  y = hn::MulAdd(e, set(0.693359375f), hn::Add(f, y));
  const F infinity = hn::Inf(d);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), y);
  y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::NaN(d), y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace shipway::kernels
HWY_AFTER_NAMESPACE();

#endif
