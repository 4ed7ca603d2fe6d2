// What this processor can do: instruction set, cache sizes, and how many cores the process may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shipway {

/// Instruction sets that kernels are written for, each containing the ones before it. kScalar means
/// the reference loops; kSse4 is SSE4.2 with AES and PCLMUL; kAvx2 adds FMA, BMI1/2 and F16C;
/// kAvx512 is F, BW, CD, DQ, VL.
enum class Isa : uint8_t { kScalar, kSse4, kAvx2, kAvx512 };

/// "scalar", "sse4", "avx2" or "avx512".
std::string_view to_string(Isa isa);
/// The set called `name`, if there is one.
std::optional<Isa> isa_from_string(std::string_view name);

/// What cpuid and the operating system (saved registers) allow, whatever SHIPWAY_ISA says.
struct CpuFeatures {
  Isa isa = Isa::kScalar;
  bool vnni = false;      // int8 dot products on 512-bit registers
  bool avx_vnni = false;  // int8 dot products on 256-bit registers, VEX form
  bool bf16 = false;      // bf16 dot products on 512-bit registers
  int64_t l1_bytes = 0;   // data cache of one core
  int64_t l2_bytes = 0;   // of one core
  int64_t l3_bytes = 0;   // of one group of cores; 0 when there is none
};
/// Detected once; thread-safe.
const CpuFeatures& cpu_features();

/// The set to use: the detected one, or the lower one that the environment variable SHIPWAY_ISA
/// names (a higher or unknown name changes nothing). Read once; thread-safe.
Isa active_isa();
/// How active_isa decides: `detected`, lowered to `requested` where that names a lower set. For
/// tests.
Isa choose_isa(Isa detected, std::string_view requested);

/// Cores this process may keep busy: the affinity mask, limited by the quota of its cgroup (v1 or
/// v2, rounded up). At least 1. Read anew on every call.
int usable_cores();
/// Cores that the cgroup files under `root` (normally "/sys/fs/cgroup") allow for the process whose
/// /proc/self/cgroup has the text `membership`; nothing when there is no quota. For tests.
std::optional<int> cgroup_cores(std::string_view root, std::string_view membership);

}  // namespace shipway
