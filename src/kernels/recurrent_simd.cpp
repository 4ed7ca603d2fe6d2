// The cells of RNN, GRU and LSTM after their matrix products, for every instruction set. Rows are
// padded to whole vectors (RecurrentWeights in pack.h), so there is no rest to care for.
#include "kernels/problems.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/recurrent_simd.cpp"
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

HWY_INLINE F at(const float* p) { return hn::LoadU(Floats(), p); }

void rnn(const float* gates, bool relu, float* h, int64_t padded) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < padded; j += lanes) {
    const F x = at(gates + j);
    // Below zero gives zero; NaN is kept.
    hn::StoreU(relu ? hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x) : tanh(x), d, h + j);
  }
}

void gru_reset(const float* gates, const float* h, float* reset, int64_t padded) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < padded; j += lanes)
    hn::StoreU(hn::Mul(sigmoid(at(gates + 2 * j + lanes)), at(h + j)), d, reset + j);
}

void gru(const float* gates, const float* candidate, float* h, int64_t padded) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < padded; j += lanes) {
    const F z = sigmoid(at(gates + 2 * j));
    F n = at(gates + 2 * padded + j);
    if (candidate) n = hn::MulAdd(sigmoid(at(gates + 2 * j + lanes)), at(candidate + j), n);
    n = tanh(n);
    // (1 - z) n + z h
    hn::StoreU(hn::MulAdd(z, hn::Sub(at(h + j), n), n), d, h + j);
  }
}

void lstm(const float* gates, const float* peepholes, float* c, float* h, int64_t padded) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < padded; j += lanes, gates += 4 * lanes) {
    const F before = at(c + j);
    F input = at(gates), output = at(gates + lanes), forget = at(gates + 2 * lanes);
    if (peepholes) {
      input = hn::MulAdd(at(peepholes + j), before, input);
      forget = hn::MulAdd(at(peepholes + 2 * padded + j), before, forget);
    }
    const F next =
        hn::MulAdd(sigmoid(forget), before, hn::Mul(sigmoid(input), tanh(at(gates + 3 * lanes))));
    if (peepholes) output = hn::MulAdd(at(peepholes + padded + j), next, output);
    hn::StoreU(next, d, c + j);
    hn::StoreU(hn::Mul(sigmoid(output), tanh(next)), d, h + j);
  }
}

}  // namespace

const RecurrentFunctions kRecurrent = {rnn, gru_reset, gru, lstm};

}  // namespace HWY_NAMESPACE
}  // namespace shipway::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shipway::kernels {

const RecurrentFunctions& recurrent_functions(Isa isa) {
  return *SHIPWAY_SIMD_OBJECT(isa, kRecurrent);
}

}  // namespace shipway::kernels
#endif
