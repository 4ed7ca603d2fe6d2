// The prepare and bind functions that registry.cpp puts into the table; each lives in the file of
// its subject.
#pragma once

#include "kernels/kernels.h"

namespace shipway::kernels {

#define SHIPWAY_KERNEL(name)                                \
  Prepared prepare_##name(const Problem& problem, Isa isa); \
  Result<BoundKernel> bind_##name(const KernelPlan& plan, const Dims& dims)

SHIPWAY_KERNEL(elementwise);
SHIPWAY_KERNEL(gemm);

#undef SHIPWAY_KERNEL

}  // namespace shipway::kernels
