// The Highway targets that stand for Shipway's instruction sets, and the choice among their tables.
// Included before hwy/foreach_target.h.
#pragma once

// Targets between or beyond ours would be compiled for nothing.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SCALAR | HWY_EMU128)

/// `table`, an array in each target's namespace, for `isa`; null for kScalar.
#define SHIPWAY_SIMD_TABLE(isa, table)              \
  ((isa) == ::shipway::Isa::kAvx512 ? N_AVX3::table \
   : (isa) == ::shipway::Isa::kAvx2 ? N_AVX2::table \
   : (isa) == ::shipway::Isa::kSse4 ? N_SSE4::table \
                                    : nullptr)
/// The address of an object in each target's namespace.
#define SHIPWAY_SIMD_OBJECT(isa, object)              \
  ((isa) == ::shipway::Isa::kAvx512 ? &N_AVX3::object \
   : (isa) == ::shipway::Isa::kAvx2 ? &N_AVX2::object \
                                    : &N_SSE4::object)
