#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "cli/values.h"
#include "shipway/formats.h"

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

std::string profile_table(const std::vector<std::vector<StepProfile>>& profiles) {
  // The median of each step over the runs.
  std::vector<std::vector<std::string>> rows;
  double total = 0;
  std::vector<double> medians;
  for (size_t step = 0; step < profiles[0].size(); ++step) {
    std::vector<double> times;
    for (const auto& profile : profiles)
      if (step < profile.size()) times.push_back(profile[step].nanoseconds);
    std::nth_element(times.begin(), times.begin() + static_cast<ptrdiff_t>(times.size() / 2),
                     times.end());
    medians.push_back(times[times.size() / 2]);
    total += medians.back();
  }
  for (size_t step = 0; step < profiles[0].size(); ++step) {
    const StepProfile& p = profiles[0][step];
    rows.push_back({std::to_string(step), fixed(medians[step] / 1e3, 1),
                    fixed(100 * medians[step] / total, 1),
                    p.flops > 0 ? fixed(p.flops / medians[step], 1) : "",
                    p.bytes > 0 ? fixed(p.bytes / medians[step], 1) : "", std::to_string(p.threads),
                    p.name, p.refused});
  }
  return table(
      {"step", "us", "%", "GFLOP/s", "GB/s", "threads", "kernel (nodes)", "faster ways refused"},
      rows);
}

}  // namespace

Status bench(const BenchArguments& arguments) {
  const bool quiet = arguments.common.quiet;
  auto start = std::chrono::steady_clock::now();
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(arguments.model));
  SessionOptions options;
  options.threads = arguments.threads;
  SHIPWAY_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session,
                           Session::create(std::move(model), options));
  const double load_ms = milliseconds_since(start);

  SHIPWAY_ASSIGN_OR_RETURN(const auto shapes, parse_shapes(arguments.shapes, session->inputs()));
  std::map<std::string, std::string> files;
  for (const std::string& text : arguments.inputs) {
    SHIPWAY_ASSIGN_OR_RETURN(const auto assignment,
                             split_assignment(text, session->inputs(), "--input"));
    files.insert(assignment);
  }
  std::vector<NamedValue> inputs;
  for (const ValueInfo& input : session->inputs()) {
    if (const auto file = files.find(input.name); file != files.end() && file->second != "random") {
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, read_value(file->second, input));
      inputs.emplace_back(input.name, std::move(value));
      continue;
    }
    if (input.optional) continue;
    SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, shape_for(input, shapes, session->dims(), quiet));
    SHIPWAY_ASSIGN_OR_RETURN(
        Tensor tensor, random_tensor(input.type.dtype(), shape, arguments.seed + inputs.size()));
    inputs.emplace_back(input.name, std::move(tensor));
  }

  const GracefulStop stop;
  RunOptions run;
  run.cancelled = interrupted();
  start = std::chrono::steady_clock::now();
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
  // One profiled run counts the operations; the table of steps takes the median of several.
  std::vector<std::vector<StepProfile>> profiles(arguments.profile ? 5 : 1);
  for (std::vector<StepProfile>& profile : profiles) {
    run.profile = &profile;
    SHIPWAY_RETURN_IF_ERROR(session->run(inputs, {}, run).status());
  }
  double flops = 0;
  for (const StepProfile& step : profiles.back()) flops += step.flops;
  std::sort(times.begin(), times.end());
  const double least = times.front(), median = times[times.size() / 2],
               p99 = times[(times.size() - 1) * 99 / 100];
  const int64_t peak = peak_memory();
  if (arguments.common.json) {
    nlohmann::json result = {
        {"model", arguments.model},
        {"runs", times.size()},
        {"load_ms", load_ms},
        {"first_ms", first_ms},
        {"min_ms", least},
        {"median_ms", median},
        {"p99_ms", p99},
        {"gflops", flops / least / 1e6},
        {"peak_bytes", peak},
        {"isa", std::string(to_string(active_isa()))},
        {"threads", arguments.threads > 0 ? arguments.threads : usable_cores()}};
    if (arguments.profile)
      for (const StepProfile& step : profiles.back())
        result["steps"].push_back({{"name", step.name},
                                   {"kernel", step.kernel},
                                   {"op_type", step.op_type},
                                   {"ns", step.nanoseconds},
                                   {"flops", step.flops},
                                   {"bytes", step.bytes},
                                   {"threads", step.threads},
                                   {"refused", step.refused}});
    print_line(result.dump());
    return Status::ok();
  }
  print_line(table({"runs", "min ms", "median ms", "p99 ms", "GFLOP/s", "load ms", "first run ms",
                    "peak memory"},
                   {{std::to_string(times.size()), fixed(least, 3), fixed(median, 3), fixed(p99, 3),
                     fixed(flops / least / 1e6, 1), fixed(load_ms, 1), fixed(first_ms, 1),
                     human_bytes(static_cast<double>(peak))}}));
  if (arguments.profile) print_line(profile_table(profiles));
  return Status::ok();
}

}  // namespace shipway::cli
