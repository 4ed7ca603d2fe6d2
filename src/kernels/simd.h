// The functions that Highway files compile once for each instruction set, as tables of pointers. A
// plan picks the table of its own instruction set, so that several sets can be used (and tested) in
// one process.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace shipway::kernels {

/// y[i] = op(a[i], b[i], c[i]) for i < n. No alignment needed; y may be the same memory as an
/// argument. Unused arguments may be null.
using ElementwiseFunction = void (*)(const float* a, const float* b, const float* c, float p,
                                     float q, float* y, int64_t n);
/// Indexed by Opcode; null for kScalar.
const ElementwiseFunction* elementwise_functions(Isa isa);

}  // namespace shipway::kernels
