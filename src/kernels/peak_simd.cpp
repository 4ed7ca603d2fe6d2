#include "kernels/peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak_simd.cpp"
#include "kernels/simd_targets.h"
//
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace shipway::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

/// 12 accumulators: two units times a latency of 4 need 8, and SSE4 and AVX2 have 16 registers.
constexpr int64_t kAccumulators = 12;

float multiply_add(int64_t rounds) {
  const Floats d;
  // Fixed point 1: no denormals, no overflow, and nothing that a compiler may work out beforehand.
  const auto x = hn::Set(d, 0.999f), y = hn::Set(d, 0.001f);
  auto a0 = hn::Set(d, 0.0f), a1 = hn::Set(d, 0.1f), a2 = hn::Set(d, 0.2f), a3 = hn::Set(d, 0.3f);
  auto a4 = hn::Set(d, 0.4f), a5 = hn::Set(d, 0.5f), a6 = hn::Set(d, 0.6f), a7 = hn::Set(d, 0.7f);
  auto a8 = hn::Set(d, 0.8f), a9 = hn::Set(d, 0.9f), a10 = hn::Set(d, 1.1f), a11 = hn::Set(d, 1.2f);
  for (int64_t i = 0; i < rounds; ++i) {
    a0 = hn::MulAdd(a0, x, y);
    a1 = hn::MulAdd(a1, x, y);
    a2 = hn::MulAdd(a2, x, y);
    a3 = hn::MulAdd(a3, x, y);
    a4 = hn::MulAdd(a4, x, y);
    a5 = hn::MulAdd(a5, x, y);
    a6 = hn::MulAdd(a6, x, y);
    a7 = hn::MulAdd(a7, x, y);
    a8 = hn::MulAdd(a8, x, y);
    a9 = hn::MulAdd(a9, x, y);
    a10 = hn::MulAdd(a10, x, y);
    a11 = hn::MulAdd(a11, x, y);
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(hn::Add(a4, a5), hn::Add(a6, a7)));
  return hn::GetLane(hn::Add(sum, hn::Add(hn::Add(a8, a9), hn::Add(a10, a11))));
}

float read(const float* x, int64_t n) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d)), quarter = n / 4;
  const float *x1 = x + quarter, *x2 = x1 + quarter, *x3 = x2 + quarter;
  auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
  for (int64_t i = 0; i < quarter; i += 2 * lanes) {
    a0 = hn::Add(a0, hn::LoadU(d, x + i));
    a1 = hn::Add(a1, hn::LoadU(d, x1 + i));
    a2 = hn::Add(a2, hn::LoadU(d, x2 + i));
    a3 = hn::Add(a3, hn::LoadU(d, x3 + i));
    a4 = hn::Add(a4, hn::LoadU(d, x + i + lanes));
    a5 = hn::Add(a5, hn::LoadU(d, x1 + i + lanes));
    a6 = hn::Add(a6, hn::LoadU(d, x2 + i + lanes));
    a7 = hn::Add(a7, hn::LoadU(d, x3 + i + lanes));
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(hn::Add(a4, a5), hn::Add(a6, a7)));
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

}  // namespace

const PeakFunctions kPeak = {multiply_add, 2 * kAccumulators* int64_t{HWY_LANES(float)}, read};

}  // namespace HWY_NAMESPACE
}  // namespace shipway::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shipway::kernels {

const PeakFunctions& peak_functions(Isa isa) { return *SHIPWAY_SIMD_OBJECT(isa, kPeak); }

}  // namespace shipway::kernels
#endif
