// What this machine reaches: multiply-adds and reading, the limits that shares of a roofline refer
// to. JSON on stdout, one object for each number of threads.
//
//   peak [THREADS...]     1 and all cores of the process when none is given
#include <fmt/format.h>

#include <cstdlib>
#include <vector>

#include "base/cpu.h"
#include "shipway/profile.h"

int main(int argc, char** argv) {
  std::vector<int> counts;
  for (int i = 1; i < argc; ++i) counts.push_back(std::atoi(argv[i]));
  if (counts.empty()) {
    counts = {1};
    if (shipway::usable_cores() > 1) counts.push_back(shipway::usable_cores());
  }
  fmt::print("[");
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto peak = shipway::measure_peak(counts[i]);
    if (!peak.is_ok()) {
      fmt::print(stderr, "peak: {}\n", peak.status().message());
      return 1;
    }
    fmt::print(
        "{}{{\"threads\": {}, \"isa\": \"{}\", \"gflops\": {:.1f}, \"l2_gbs\": {:.1f}, "
        "\"l3_gbs\": {:.1f}, \"memory_gbs\": {:.1f}}}",
        i ? ",\n " : "", peak->threads, shipway::to_string(shipway::active_isa()), peak->gflops,
        peak->l2_gbs, peak->l3_gbs, peak->memory_gbs);
  }
  fmt::print("]\n");
  return 0;
}
