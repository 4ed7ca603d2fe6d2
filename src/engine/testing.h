// What the engine's tests share.
#pragma once

#include <gtest/gtest.h>

#include <random>

#include "graph/text.h"
#include "shipway/session.h"
#include "tensor/convert.h"

namespace shipway {

inline Tensor random(const Shape& shape, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Tensor tensor = Tensor::allocate(DType::kFloat32, shape).value_or_throw();
  for (float& x : tensor.mutable_as<float>()) x = uniform(engine);
  return tensor;
}

inline Model model_of(const std::string& text) { return parse(text).value_or_throw(); }

/// Equal kinds, dtypes and shapes; floats to `tolerance` of the largest magnitude.
inline void expect_close(const RuntimeValue& got, const RuntimeValue& want, double tolerance) {
  if (const Sequence* sequence = want.sequence()) {
    ASSERT_TRUE(got.sequence());
    ASSERT_EQ(got.sequence()->size(), sequence->size());
    for (size_t i = 0; i < sequence->size(); ++i)
      expect_close((*got.sequence())[i], (*sequence)[i], tolerance);
    return;
  }
  ASSERT_TRUE(want.tensor() && got.tensor()) << to_string(got) << ", expected " << to_string(want);
  const Tensor &x = *got.tensor(), &y = *want.tensor();
  ASSERT_EQ(to_string(x.shape()), to_string(y.shape()));
  ASSERT_EQ(x.dtype(), y.dtype());
  const std::vector<double> p = *to_doubles(x), q = *to_doubles(y);
  double largest = 1e-30;
  for (double v : q) largest = std::max(largest, std::abs(v));
  for (size_t k = 0; k < p.size(); ++k)
    ASSERT_NEAR(p[k], q[k], tolerance * largest) << "element " << k;
}

/// Runs by kernels and by reference loops; both must agree to `tolerance` of the largest magnitude.
inline void expect_same_as_reference(const std::string& text, const std::vector<NamedValue>& inputs,
                                     double tolerance = 2e-6, int threads = 2) {
  SessionOptions fast, slow;
  fast.threads = threads;
  slow.reference = true;
  auto a = Session::create(model_of(text), fast);
  auto b = Session::create(model_of(text), slow);
  ASSERT_TRUE(a.is_ok()) << a.status().message();
  ASSERT_TRUE(b.is_ok()) << b.status().message();
  for (int repeat = 0; repeat < 2; ++repeat) {  // the second run reuses plan and arena
    auto got = (*a)->run(inputs);
    auto want = (*b)->run(inputs);
    ASSERT_TRUE(want.is_ok()) << want.status().message();
    ASSERT_TRUE(got.is_ok()) << got.status().message();
    ASSERT_EQ(got->size(), want->size());
    for (size_t i = 0; i < want->size(); ++i) {
      SCOPED_TRACE("output " + std::to_string(i));
      expect_close((*got)[i], (*want)[i], tolerance);
    }
  }
}

/// The kernels of the last run's steps, one after the other.
inline std::vector<std::string> kernels_of(const Session& session,
                                           const std::vector<NamedValue>& inputs) {
  std::vector<StepProfile> profile;
  RunOptions options;
  options.profile = &profile;
  EXPECT_TRUE(session.run(inputs, {}, options).is_ok());
  std::vector<std::string> kernels;
  for (const StepProfile& step : profile) kernels.emplace_back(step.kernel());
  return kernels;
}

}  // namespace shipway
