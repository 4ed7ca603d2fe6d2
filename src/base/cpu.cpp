#include "base/cpu.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace shipway {
namespace {

#if defined(__x86_64__) || defined(__i386__)
struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c,
                    &r.d);  // leaves zeros for a leaf the CPU lacks
  return r;
}

bool bit(uint32_t value, int position) { return (value >> position) & 1; }

/// XCR0: which register states the operating system saves.
uint64_t saved_states() {
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

// Bit numbers: Intel SDM volume 2A, CPUID, leaves 1 and 7.
void detect_isa(CpuFeatures& features) {
  const Registers basic = cpuid(1), extended = cpuid(7), extended1 = cpuid(7, 1);
  const bool sse4 = bit(basic.c, 19) && bit(basic.c, 20) && bit(basic.c, 25) && bit(basic.c, 1);
  if (!sse4) return;
  features.isa = Isa::kSse4;
  const uint64_t states = bit(basic.c, 27) ? saved_states() : 0;
  const bool ymm = (states & 0x6) == 0x6;
  const bool fma_f16c = bit(basic.c, 12) && bit(basic.c, 28) && bit(basic.c, 29);
  const bool avx2_bmi = bit(extended.b, 5) && bit(extended.b, 3) && bit(extended.b, 8);
  if (!ymm || !fma_f16c || !avx2_bmi) return;
  features.isa = Isa::kAvx2;
  features.avx_vnni = bit(extended1.a, 4);
  const bool zmm = (states & 0xe6) == 0xe6;
  const bool f_dq_cd_bw_vl = bit(extended.b, 16) && bit(extended.b, 17) && bit(extended.b, 28) &&
                             bit(extended.b, 30) && bit(extended.b, 31);
  if (!zmm || !f_dq_cd_bw_vl) return;
  features.isa = Isa::kAvx512;
  features.vnni = bit(extended.c, 11);
  features.bf16 = bit(extended1.a, 5);
}
#else
void detect_isa(CpuFeatures&) {}
#endif

int64_t cache_bytes(int name, int64_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

std::optional<std::string> read_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

/// quota / period of one cgroup folder, either version.
std::optional<double> quota_of(const std::string& folder) {
  if (const auto line = read_line(folder + "/cpu.max")) {  // v2: "200000 100000" or "max 100000"
    const size_t space = line->find(' ');
    if (space == std::string::npos) return std::nullopt;
    const auto quota = to_number(std::string_view(*line).substr(0, space));
    const auto period = to_number(std::string_view(*line).substr(space + 1));
    if (quota && period && *quota > 0 && *period > 0) return *quota / *period;
    return std::nullopt;
  }
  const auto quota_line = read_line(folder + "/cpu.cfs_quota_us");
  const auto period_line = read_line(folder + "/cpu.cfs_period_us");
  if (!quota_line || !period_line) return std::nullopt;
  const auto quota = to_number(*quota_line), period = to_number(*period_line);
  if (quota && period && *quota > 0 && *period > 0)
    return *quota / *period;  // v1: -1 is "no quota"
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kSse4:
      return "sse4";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "unknown";
}

std::optional<Isa> isa_from_string(std::string_view name) {
  for (Isa isa : {Isa::kScalar, Isa::kSse4, Isa::kAvx2, Isa::kAvx512})
    if (to_string(isa) == name) return isa;
  return std::nullopt;
}

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = [] {
    CpuFeatures f;
    detect_isa(f);
    f.l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
    f.l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 256 << 10);
    f.l3_bytes = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 0);
    return f;
  }();
  return features;
}

Isa choose_isa(Isa detected, std::string_view requested) {
  const std::optional<Isa> isa = isa_from_string(requested);
  return isa ? std::min(*isa, detected) : detected;
}

Isa active_isa() {
  static const Isa isa = [] {
    const char* requested = std::getenv("SHIPWAY_ISA");
    return choose_isa(cpu_features().isa, requested ? requested : "");
  }();
  return isa;
}

std::optional<int> cgroup_cores(std::string_view root, std::string_view membership) {
  std::optional<double> smallest;
  const auto consider = [&](const std::string& folder) {
    if (const auto cores = quota_of(folder)) smallest = std::min(smallest.value_or(*cores), *cores);
  };
  std::istringstream lines{std::string(membership)};
  for (std::string line;
       std::getline(lines, line);) {  // "0::/a/b" (v2) or "4:cpu,cpuacct:/a/b" (v1)
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::string base = std::string(root) + (is_v2 ? "" : "/" + controllers);
    // A quota anywhere above the process limits it too, so every ancestor counts.
    for (std::string path = line.substr(second + 1);;) {
      consider(base + path);
      if (path.empty()) break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
    if (!is_v2) consider(std::string(root) + "/cpu");
  }
  if (!smallest) return std::nullopt;
  return std::max(1, static_cast<int>(std::ceil(*smallest)));
}

int usable_cores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) cores = CPU_COUNT(&mask);
  std::ifstream file("/proc/self/cgroup");
  const std::string membership((std::istreambuf_iterator<char>(file)),
                               std::istreambuf_iterator<char>());
  if (const auto limit = cgroup_cores("/sys/fs/cgroup", membership))
    cores = std::min(cores, *limit);
#endif
  return std::max(1, cores);
}

}  // namespace shipway
