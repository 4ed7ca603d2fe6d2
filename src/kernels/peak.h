// What an instruction set reaches on this machine: the loops that a roofline is measured with.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace shipway::kernels {

struct PeakFunctions {
  /// `rounds` times `flops` fp32 operations of multiply-adds that stay in registers, enough of
  /// them independent to hide their latency. The result means nothing but must be used.
  float (*multiply_add)(int64_t rounds);
  /// Operations of one round: two for each lane of each accumulator.
  int64_t flops;
  /// The sum of n floats, read as four streams side by side: one alone does not fill the memory's
  /// bandwidth. n is a multiple of 1024.
  float (*read)(const float* x, int64_t n);
};
/// Of kScalar: those of the narrowest set, kSse4.
const PeakFunctions& peak_functions(Isa isa);

}  // namespace shipway::kernels
