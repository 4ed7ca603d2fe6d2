#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "cli/interrupt.h"
#include "cli/profile.h"
#include "cli/terminal.h"

namespace shipway::cli {
namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace

Status bench(const BenchArguments& arguments) {
  const bool quiet = arguments.common.quiet;
  SHIPWAY_ASSIGN_OR_RETURN(const Measured measured, prepare_measured(arguments));
  const std::unique_ptr<Session>& session = measured.session;
  const std::vector<NamedValue>& inputs = measured.inputs;

  const GracefulStop stop;
  RunOptions run;
  run.cancelled = interrupted();
  auto start = std::chrono::steady_clock::now();
  SHIPWAY_RETURN_IF_ERROR(session->run(inputs, {}, run).status());
  const double first_ms = milliseconds_since(start);
  std::vector<double> times;
  const auto began = std::chrono::steady_clock::now();
  const int64_t wanted = arguments.runs > 0 ? arguments.runs : 1'000'000;
  {
    Progress progress(
        "measuring",
        arguments.runs > 0 ? arguments.runs : static_cast<int64_t>(arguments.seconds * 1e3), quiet);
    while (static_cast<int64_t>(times.size()) < wanted &&
           (arguments.runs > 0 || times.size() < 3 ||
            milliseconds_since(began) < arguments.seconds * 1e3)) {
      start = std::chrono::steady_clock::now();
      SHIPWAY_RETURN_IF_ERROR(session->run(inputs, {}, run).status());
      times.push_back(milliseconds_since(start));
      progress.advance(arguments.runs > 0 ? static_cast<int64_t>(times.size())
                                          : static_cast<int64_t>(milliseconds_since(began)));
    }
  }
  const int64_t peak = peak_memory();  // before the machine's own limits are measured
  // One profiled run counts the operations; the table of steps takes the least of several.
  constexpr int kProfiledRuns = 5;
  const bool detailed = arguments.profile || arguments.why_slow || !arguments.trace.empty();
  std::optional<ProfileReport> report;
  double flops = 0;
  if (detailed) {
    SHIPWAY_ASSIGN_OR_RETURN(report,
                             measure_profile(measured, kProfiledRuns, arguments.trace, run));
    for (const StepReport& step : report->steps) flops += step.flops;
  } else {
    std::vector<StepProfile> profile;
    run.profile = &profile;
    SHIPWAY_RETURN_IF_ERROR(session->run(inputs, {}, run).status());
    for (const StepProfile& step : profile) flops += step.flops;
  }
  std::sort(times.begin(), times.end());
  const double least = times.front(), median = times[times.size() / 2],
               p99 = times[(times.size() - 1) * 99 / 100];
  if (arguments.common.json) {
    nlohmann::json result = {{"model", arguments.model},
                             {"runs", times.size()},
                             {"load_ms", measured.load_ms},
                             {"first_ms", first_ms},
                             {"min_ms", least},
                             {"median_ms", median},
                             {"p99_ms", p99},
                             {"gflops", flops / least / 1e6},
                             {"peak_bytes", peak},
                             {"isa", std::string(to_string(active_isa()))},
                             {"threads", measured.threads}};
    if (report) result.update(profile_json(*report));
    print_line(result.dump());
    return Status::ok();
  }
  print_line(table({"runs", "min ms", "median ms", "p99 ms", "GFLOP/s", "load ms", "first run ms",
                    "peak memory"},
                   {{std::to_string(times.size()), fixed(least, 3), fixed(median, 3), fixed(p99, 3),
                     fixed(flops / least / 1e6, 1), fixed(measured.load_ms, 1), fixed(first_ms, 1),
                     human_bytes(static_cast<double>(peak))}}));
  if (report) print_note(peak_text(report->peak), quiet);
  if (arguments.profile) print_line(profile_table(*report));
  if (arguments.why_slow) print_line(why_slow_text(*report));
  return Status::ok();
}

}  // namespace shipway::cli
