// One function for each element-wise operation and instruction set: a plain loop over vectors.
#include <cmath>
#include <cstdint>

#include "kernels/problems.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/maths-inl.h"
#include "kernels/simd_targets.h"

HWY_BEFORE_NAMESPACE();
namespace shipway::kernels {
namespace HWY_NAMESPACE {
namespace {

/// The constants of an instruction.
struct Constants {
  float p, q;
};

/// y[i] = op(a[i], b[i], c[i]), the last incomplete vector apart, so that nothing outside is
/// touched and every element gets the same arithmetic whatever its position.
template <int kArguments, typename Op>
HWY_INLINE void map(const float* a, const float* b, const float* c, float* y, int64_t n, Op op) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const F zero = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const F va = hn::LoadU(d, a + i);
    const F vb = kArguments > 1 ? hn::LoadU(d, b + i) : zero;
    const F vc = kArguments > 2 ? hn::LoadU(d, c + i) : zero;
    hn::StoreU(op(va, vb, vc), d, y + i);
  }
  if (i == n) return;
  const F va = load_part(a + i, n - i);
  const F vb = kArguments > 1 ? load_part(b + i, n - i) : zero;
  const F vc = kArguments > 2 ? load_part(c + i, n - i) : zero;
  store_part(op(va, vb, vc), y + i, n - i);
}

template <typename Op>
void run(const float* a, const float* b, const float* c, float p, float q, float* y, int64_t n) {
  const Op op{{p, q}};
  map<Op::kArguments>(a, b, c, y, n, op);
}

// min and max that keep NaN, as ONNX asks: a comparison with NaN is false, so the tested one is
// returned.
HWY_INLINE F keep_below(F x, F high) { return hn::IfThenElse(hn::Gt(x, high), high, x); }
HWY_INLINE F keep_above(F x, F low) { return hn::IfThenElse(hn::Lt(x, low), low, x); }
HWY_INLINE F clip(F x, F low, F high) { return keep_below(keep_above(x, low), high); }
template <typename Mask>
HWY_INLINE F one_where(Mask mask) {
  return hn::IfThenElseZero(mask, set(1.0f));
}
HWY_INLINE auto is_true(F x) { return hn::Ne(x, hn::Zero(Floats())); }
HWY_INLINE F softplus(F x) {  // max(x, 0) + log1p(e^-|x|), so that neither end overflows
  const F e = exp(hn::Neg(hn::Abs(x)));
  // log1p(e) = log(1 + e) * e / ((1 + e) - 1) corrects the rounding of 1 + e (Kahan).
  const F u = hn::Add(set(1.0f), e), d = hn::Sub(u, set(1.0f));
  const F tail = hn::IfThenElse(hn::Eq(d, hn::Zero(Floats())), e, hn::Div(hn::Mul(log(u), e), d));
  return hn::Add(keep_above(x, hn::Zero(Floats())), tail);
}
HWY_INLINE F expm1(F x) {  // relative error 1e-6: tanh(x/2) * (e^x + 1), which cancels nowhere
  const F direct = hn::Sub(exp(x), set(1.0f));
  const F careful = hn::Mul(tanh(hn::Mul(x, set(0.5f))), hn::Add(exp(x), set(1.0f)));
  return hn::IfThenElse(hn::Lt(hn::Abs(x), set(1.0f)), careful, direct);
}

#define SHIPWAY_OP1(name, ...)                                       \
  struct name : Constants {                                          \
    static constexpr int kArguments = 1;                             \
    HWY_INLINE F operator()(F a, F, F) const { return __VA_ARGS__; } \
  }
#define SHIPWAY_OP2(name, ...)                                         \
  struct name : Constants {                                            \
    static constexpr int kArguments = 2;                               \
    HWY_INLINE F operator()(F a, F b, F) const { return __VA_ARGS__; } \
  }
#define SHIPWAY_OP3(name, ...)                                           \
  struct name : Constants {                                              \
    static constexpr int kArguments = 3;                                 \
    HWY_INLINE F operator()(F a, F b, F c) const { return __VA_ARGS__; } \
  }

HWY_INLINE F zero() { return hn::Zero(Floats()); }

SHIPWAY_OP1(Copy, a);
SHIPWAY_OP1(AbsOp, hn::Abs(a));
SHIPWAY_OP1(NegOp, hn::Neg(a));
SHIPWAY_OP1(SignOp,
            hn::IfThenElse(hn::IsNaN(a), a,
                           hn::Sub(one_where(hn::Gt(a, zero())), one_where(hn::Lt(a, zero())))));
SHIPWAY_OP1(Relu, keep_above(a, zero()));
SHIPWAY_OP1(LeakyRelu, hn::IfThenElse(hn::Lt(a, zero()), hn::Mul(a, set(p)), a));
SHIPWAY_OP1(ThresholdedRelu, hn::IfThenElse(hn::Le(a, set(p)), zero(), a));
SHIPWAY_OP1(Clip, clip(a, set(p), set(q)));
SHIPWAY_OP1(Affine, hn::MulAdd(a, set(p), set(q)));
SHIPWAY_OP1(Elu, hn::IfThenElse(hn::Lt(a, zero()), hn::Mul(set(p), expm1(a)), a));
SHIPWAY_OP1(Selu, hn::Mul(set(q), hn::IfThenElse(hn::Le(a, zero()), hn::Mul(set(p), expm1(a)), a)));
SHIPWAY_OP1(Celu, hn::IfThenElse(hn::Lt(a, zero()), hn::Mul(set(p), expm1(hn::Div(a, set(p)))), a));
SHIPWAY_OP1(Sigmoid, sigmoid(a));
SHIPWAY_OP1(HardSigmoid, clip(hn::MulAdd(a, set(p), set(q)), zero(), set(1.0f)));
SHIPWAY_OP1(HardSwish,
            hn::Mul(a, clip(hn::MulAdd(a, set(1.0f / 6), set(0.5f)), zero(), set(1.0f))));
SHIPWAY_OP1(Silu, hn::Mul(a, sigmoid(hn::Mul(set(p), a))));
SHIPWAY_OP1(TanhOp, tanh(a));
SHIPWAY_OP1(ErfOp, erf(a));
SHIPWAY_OP1(Gelu, hn::Mul(hn::Mul(set(0.5f), a),
                          hn::Add(set(1.0f), erf(hn::Mul(a, set(0.70710678118654752f))))));
SHIPWAY_OP1(GeluTanh,
            hn::Mul(hn::Mul(set(0.5f), a),
                    hn::Add(set(1.0f),
                            tanh(hn::Mul(hn::Mul(set(0.79788456080286536f), a),
                                         hn::MulAdd(hn::Mul(a, a), set(0.044715f), set(1.0f)))))));
SHIPWAY_OP1(Mish, hn::Mul(a, tanh(softplus(a))));
SHIPWAY_OP1(Softplus, softplus(a));
SHIPWAY_OP1(Softsign, hn::Div(a, hn::Add(set(1.0f), hn::Abs(a))));
SHIPWAY_OP1(ExpOp, exp(a));
SHIPWAY_OP1(LogOp, log(a));
SHIPWAY_OP1(SqrtOp, hn::Sqrt(a));
SHIPWAY_OP1(Rsqrt, hn::Div(set(1.0f), hn::Sqrt(a)));
SHIPWAY_OP1(Reciprocal, hn::Div(set(1.0f), a));
SHIPWAY_OP1(Square, hn::Mul(a, a));
SHIPWAY_OP1(FloorOp, hn::Floor(a));
SHIPWAY_OP1(CeilOp, hn::Ceil(a));
SHIPWAY_OP1(RoundOp, hn::Round(a));
SHIPWAY_OP1(NotOp, one_where(hn::Eq(a, zero())));
SHIPWAY_OP1(IsNan, one_where(hn::IsNaN(a)));
SHIPWAY_OP2(AddOp, hn::Add(a, b));
SHIPWAY_OP2(SubOp, hn::Sub(a, b));
SHIPWAY_OP2(MulOp, hn::Mul(a, b));
SHIPWAY_OP2(DivOp, hn::Div(a, b));
// NaN in either argument wins: the comparison keeps a's, the outer choice brings b's.
SHIPWAY_OP2(MinOp, hn::IfThenElse(hn::IsNaN(b), b, keep_below(a, b)));
SHIPWAY_OP2(MaxOp, hn::IfThenElse(hn::IsNaN(b), b, keep_above(a, b)));
SHIPWAY_OP2(Prelu, hn::IfThenElse(hn::Lt(a, zero()), hn::Mul(a, b), a));
SHIPWAY_OP2(Equal, one_where(hn::Eq(a, b)));
SHIPWAY_OP2(Less, one_where(hn::Lt(a, b)));
SHIPWAY_OP2(LessOrEqual, one_where(hn::Le(a, b)));
SHIPWAY_OP2(Greater, one_where(hn::Gt(a, b)));
SHIPWAY_OP2(GreaterOrEqual, one_where(hn::Ge(a, b)));
SHIPWAY_OP2(AndOp, one_where(hn::And(is_true(a), is_true(b))));
SHIPWAY_OP2(OrOp, one_where(hn::Or(is_true(a), is_true(b))));
SHIPWAY_OP2(XorOp, one_where(hn::Xor(is_true(a), is_true(b))));
SHIPWAY_OP3(Select, hn::IfThenElse(is_true(a), b, c));
SHIPWAY_OP3(MulAddOp, hn::MulAdd(a, b, c));

// Rare in networks and hard to get right over the whole range: the C library's, element by element,
// in double.
void run_sin(const float* a, const float*, const float*, float, float, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(std::sin(static_cast<double>(a[i])));
}
void run_cos(const float* a, const float*, const float*, float, float, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(std::cos(static_cast<double>(a[i])));
}
void run_pow(const float* a, const float* b, const float*, float, float, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(std::pow(static_cast<double>(a[i]), static_cast<double>(b[i])));
}
void run_pow_constant(const float* a, const float*, const float*, float p, float q, float* y,
                      int64_t n) {
  if (p == 1) return run<Copy>(a, nullptr, nullptr, p, q, y, n);
  if (p == 2) return run<Square>(a, nullptr, nullptr, p, q, y, n);
  if (p == 3)
    return map<1>(a, nullptr, nullptr, y, n,
                  [](F x, F, F) HWY_ATTR { return hn::Mul(hn::Mul(x, x), x); });
  if (p == -1) return run<Reciprocal>(a, nullptr, nullptr, p, q, y, n);
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(std::pow(static_cast<double>(a[i]), static_cast<double>(p)));
}

}  // namespace

/// In the order of Opcode.
const ElementwiseFunction kElementwise[] = {run<Copy>,
                                            run<AbsOp>,
                                            run<NegOp>,
                                            run<SignOp>,
                                            run<Relu>,
                                            run<LeakyRelu>,
                                            run<ThresholdedRelu>,
                                            run<Clip>,
                                            run<Affine>,
                                            run<Elu>,
                                            run<Selu>,
                                            run<Celu>,
                                            run<Sigmoid>,
                                            run<HardSigmoid>,
                                            run<HardSwish>,
                                            run<Silu>,
                                            run<TanhOp>,
                                            run<ErfOp>,
                                            run<Gelu>,
                                            run<GeluTanh>,
                                            run<Mish>,
                                            run<Softplus>,
                                            run<Softsign>,
                                            run<ExpOp>,
                                            run<LogOp>,
                                            run<SqrtOp>,
                                            run<Rsqrt>,
                                            run<Reciprocal>,
                                            run<Square>,
                                            run_pow_constant,
                                            run<FloorOp>,
                                            run<CeilOp>,
                                            run<RoundOp>,
                                            run_sin,
                                            run_cos,
                                            run<NotOp>,
                                            run<IsNan>,
                                            run<AddOp>,
                                            run<SubOp>,
                                            run<MulOp>,
                                            run<DivOp>,
                                            run<MinOp>,
                                            run<MaxOp>,
                                            run_pow,
                                            run<Prelu>,
                                            run<Equal>,
                                            run<Less>,
                                            run<LessOrEqual>,
                                            run<Greater>,
                                            run<GreaterOrEqual>,
                                            run<AndOp>,
                                            run<OrOp>,
                                            run<XorOp>,
                                            run<Select>,
                                            run<MulAddOp>};
static_assert(sizeof(kElementwise) / sizeof(kElementwise[0]) ==
              static_cast<size_t>(Opcode::kMulAdd) + 1);

}  // namespace HWY_NAMESPACE
}  // namespace shipway::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shipway::kernels {

const ElementwiseFunction* elementwise_functions(Isa isa) {
  return SHIPWAY_SIMD_TABLE(isa, kElementwise);
}

}  // namespace shipway::kernels
#endif
