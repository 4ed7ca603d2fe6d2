// Every case of every kind, for the shared suite and the benchmarks.
#pragma once

#include "kernels/testing/elementwise_cases.h"

namespace shipway::kernels::testing {

inline std::vector<KernelCase> cases_of(KernelKind kind) {
  switch (kind) {
    case KernelKind::kElementwise:
      return elementwise_cases();
    default:
      return {};
  }
}

inline Instance make_instance(const KernelCase& kernel_case, uint64_t seed) {
  Random random(seed);
  switch (kind_of(kernel_case.problem)) {
    case KernelKind::kElementwise:
      return elementwise_instance(kernel_case, random);
    default:
      return {};
  }
}

}  // namespace shipway::kernels::testing
