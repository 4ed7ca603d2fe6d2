// The prepare and bind functions that registry.cpp puts into the table; each lives in the file of
// its subject.
#pragma once

#include "kernels/kernels.h"

namespace shipway::kernels {

#define SHIPWAY_KERNEL(name)                                \
  Prepared prepare_##name(const Problem& problem, Isa isa); \
  Result<BoundKernel> bind_##name(const KernelPlan& plan, const Dims& dims)

Prepared prepare_conv_blocked(const Problem& problem, Isa isa);
Prepared prepare_conv_first(const Problem& problem, Isa isa);
Result<BoundKernel> bind_conv_direct(const KernelPlan& plan, const Dims& dims);
Prepared prepare_conv_transposed(const Problem& problem, Isa isa);
Result<BoundKernel> bind_conv_taps(const KernelPlan& plan, const Dims& dims);
SHIPWAY_KERNEL(attention);
SHIPWAY_KERNEL(conv_depthwise);
SHIPWAY_KERNEL(conv_few_outputs);
SHIPWAY_KERNEL(conv_plain);
SHIPWAY_KERNEL(conv_winograd);
SHIPWAY_KERNEL(elementwise);
SHIPWAY_KERNEL(gemm);
SHIPWAY_KERNEL(norm);
SHIPWAY_KERNEL(pool);
SHIPWAY_KERNEL(recurrent);
SHIPWAY_KERNEL(reduce);
SHIPWAY_KERNEL(reorder);
SHIPWAY_KERNEL(resize);
SHIPWAY_KERNEL(softmax);
SHIPWAY_KERNEL(strided_copy);

#undef SHIPWAY_KERNEL

}  // namespace shipway::kernels
