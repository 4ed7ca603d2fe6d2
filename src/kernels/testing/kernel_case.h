// What the shared suite and the benchmarks know about a case: a problem with dims, and (made when
// asked) inputs with the outputs that plain loops in double give for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace shipway::kernels::testing {

struct KernelCase {
  std::string name;
  Problem problem;
  Dims dims;
};

/// One input or output in plain layout; fp32 unless `is_bool`.
struct Operand {
  std::vector<float> values;
  std::vector<double> expected;  // outputs only
  bool is_bool = false;
  bool present = true;
  /// Set for values that take the plan's layout: [batch][channels][spatial].
  struct Channels {
    int64_t batch, channels, spatial;
  };
  std::optional<Channels> channels;
};

struct Instance {
  std::vector<Operand> inputs, outputs;
  double tolerance = 1e-5;  // of |actual - expected|, relative to max(|expected|, magnitude)
  double magnitude = 1;     // size of the terms that were added up to make an output
};

/// A small linear generator: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435761u + 88172645463325252u) {}
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }
  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(next() % 65536) / 65536.0f;
  }
  std::vector<float> values(int64_t count, float low = -1, float high = 1) {
    std::vector<float> result(static_cast<size_t>(count));
    for (float& x : result) x = uniform(low, high);
    return result;
  }

 private:
  uint64_t state_;
};

inline Operand input_operand(std::vector<float> values) { return {.values = std::move(values)}; }
inline Operand absent_operand() { return {.present = false}; }
inline Operand output_operand(std::vector<double> expected) {
  return {.expected = std::move(expected)};
}

}  // namespace shipway::kernels::testing
