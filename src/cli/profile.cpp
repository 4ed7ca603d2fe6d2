#include "cli/profile.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "base/cpu.h"
#include "base/mapped_file.h"
#include "cli/terminal.h"
#include "cli/values.h"
#include "shipway/formats.h"

namespace shipway::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string joined(const std::vector<std::string>& parts, const char* between, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(parts.size(), most); ++i) text += (i ? between : "") + parts[i];
  return parts.size() > most ? text + between + "..." : text;
}

std::vector<std::string> refusal_texts(const PlanStep& step) {
  std::vector<std::string> texts;
  for (const Refusal& r : step.refusals)
    texts.push_back((r.kernel.empty() ? "" : r.kernel + ": ") + r.reason + " [" + r.code + "]");
  return texts;
}

std::vector<int64_t> sizes(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::string or_empty(double value, int digits) { return value > 0 ? fixed(value, digits) : ""; }

}  // namespace

Result<Measured> prepare_measured(const MeasureArguments& arguments) {
  const bool quiet = arguments.common.quiet;
  const auto start = Clock::now();
  SessionOptions options;
  options.threads = arguments.threads;
  Measured measured;
  measured.threads = arguments.threads > 0 ? arguments.threads : usable_cores();
  SHIPWAY_ASSIGN_OR_RETURN(measured.session, open_session(arguments.model, options));
  measured.load_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  const Session& session = *measured.session;
  SHIPWAY_ASSIGN_OR_RETURN(const auto shapes, parse_shapes(arguments.shapes, session.inputs()));
  std::map<std::string, std::string> files;
  for (const std::string& text : arguments.inputs) {
    SHIPWAY_ASSIGN_OR_RETURN(const auto assignment,
                             split_assignment(text, session.inputs(), "--input"));
    files.insert(assignment);
  }
  for (const ValueInfo& input : session.inputs()) {
    if (const auto file = files.find(input.name); file != files.end() && file->second != "random") {
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, read_value(file->second, input));
      measured.inputs.emplace_back(input.name, std::move(value));
      continue;
    }
    if (input.optional) continue;
    SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, shape_for(input, shapes, session.dims(), quiet));
    SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, random_tensor(input.type.dtype(), shape,
                                                          arguments.seed + measured.inputs.size()));
    measured.inputs.emplace_back(input.name, std::move(tensor));
  }
  return measured;
}

Result<ProfileReport> measure_profile(const Measured& measured, int runs, const std::string& trace,
                                      const RunOptions& options) {
  SHIPWAY_ASSIGN_OR_RETURN(const MachinePeak peak, measure_peak(measured.threads));
  SHIPWAY_RETURN_IF_ERROR(measured.session->run(measured.inputs, {}, options).status());
  std::vector<std::vector<StepProfile>> profiles(static_cast<size_t>(std::max(runs, 1)));
  std::vector<double> times;
  for (std::vector<StepProfile>& profile : profiles) {
    RunOptions run = options;
    run.profile = &profile;
    const auto start = Clock::now();
    SHIPWAY_RETURN_IF_ERROR(measured.session->run(measured.inputs, {}, run).status());
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  if (!trace.empty()) SHIPWAY_RETURN_IF_ERROR(write_trace(trace, profiles.back()));
  return make_report(measured.session->plan(), profiles, times, peak);
}

std::string profile_table(const ProfileReport& report) {
  constexpr size_t kMostOrigins = 4, kMostRefusals = 3;
  std::vector<std::vector<std::string>> rows;
  for (const StepReport& step : report.steps) {
    const PlanStep& plan = *step.step;
    const std::string body =
        plan.graph == report.steps[0].step->graph ? "" : std::to_string(plan.graph) + ":";
    rows.push_back({body + std::to_string(plan.index), fixed(step.nanoseconds / 1e3, 1),
                    fixed(100 * step.share, 1),
                    step.nanoseconds > 0 ? or_empty(step.flops / step.nanoseconds, 1) : "",
                    or_empty(step.bytes / 1e6, 2),
                    step.nanoseconds > 0 ? or_empty(step.bytes / step.nanoseconds, 1) : "",
                    step.nanoseconds > 0 ? or_empty(100 * step.roofline_ns / step.nanoseconds, 0) +
                                               (step.roofline_ns <= 0 ? ""
                                                : step.memory_bound   ? " m"
                                                                      : " c")
                                         : "",
                    step.calls > 0 ? std::to_string(step.threads) : "", plan.layout,
                    std::string(step.kernel()), joined(plan.origins, " + ", kMostOrigins),
                    joined(refusal_texts(plan), "; ", kMostRefusals)});
  }
  return table({"step", "us", "%", "GFLOP/s", "MB", "GB/s", "roofline %", "threads", "layout",
                "kernel", "origin", "faster ways refused"},
               rows);
}

std::string peak_text(const MachinePeak& peak) {
  return "machine, measured now with " + std::to_string(peak.threads) +
         (peak.threads == 1 ? " thread" : " threads") + " and " +
         std::string(to_string(active_isa())) + ": " + fixed(peak.gflops, 1) +
         " GFLOP/s of multiply-adds; reads " + fixed(peak.l2_gbs, 1) + " GB/s from L2, " +
         fixed(peak.l3_gbs, 1) + " from L3, " + fixed(peak.memory_gbs, 1) + " from memory";
}

std::string why_slow_text(const ProfileReport& report) {
  std::string text;
  const std::vector<Finding> findings = why_slow(report);
  for (size_t i = 0; i < findings.size(); ++i)
    text += (i ? "\n" : "") + std::to_string(i + 1) + ". " + findings[i].sentence;
  return text;
}

nlohmann::json profile_json(const ProfileReport& report) {
  const MachinePeak& peak = report.peak;
  nlohmann::json json = {{"peak",
                          {{"threads", peak.threads},
                           {"gflops", peak.gflops},
                           {"l2_gbs", peak.l2_gbs},
                           {"l3_gbs", peak.l3_gbs},
                           {"memory_gbs", peak.memory_gbs},
                           {"how", "measured in this process"}}},
                         {"run_ns", report.run_ns},
                         {"steps_ns", report.steps_ns},
                         {"outside_ns", report.outside_ns},
                         {"steps", nlohmann::json::array()},
                         {"why_slow", nlohmann::json::array()}};
  for (const StepReport& step : report.steps) {
    const PlanStep& plan = *step.step;
    nlohmann::json refusals = nlohmann::json::array();
    for (const Refusal& r : plan.refusals)
      refusals.push_back({{"code", r.code}, {"kernel", r.kernel}, {"reason", r.reason}});
    json["steps"].push_back(
        {{"graph", plan.graph},
         {"step", plan.index},
         {"name", plan.name},
         {"kernel", step.kernel()},
         {"op_type", plan.op_type},
         {"operators", plan.operators},
         {"origins", plan.origins},
         {"isa", plan.isa},
         {"layout", plan.layout},
         {"input", sizes(step.input)},
         {"output", sizes(step.output)},
         {"calls", step.calls},
         {"ns", step.nanoseconds},
         {"share", step.share},
         {"flops", step.flops},
         {"bytes", step.bytes},
         {"threads", step.threads},
         {"gflops", step.nanoseconds > 0 ? step.flops / step.nanoseconds : 0},
         {"gbs", step.nanoseconds > 0 ? step.bytes / step.nanoseconds : 0},
         {"roofline", step.nanoseconds > 0 ? step.roofline_ns / step.nanoseconds : 0},
         {"bound", step.roofline_ns <= 0 ? ""
                   : step.memory_bound   ? "memory"
                                         : "compute"},
         {"refused", std::move(refusals)}});
  }
  for (const Finding& finding : why_slow(report))
    json["why_slow"].push_back({{"sentence", finding.sentence},
                                {"share", finding.share},
                                {"ns", finding.nanoseconds},
                                {"lost_ns", finding.lost_ns},
                                {"steps", finding.steps}});
  return json;
}

Status write_trace(const std::string& path, const std::vector<StepProfile>& steps) {
  nlohmann::json events = nlohmann::json::array();
  int64_t first = steps.empty() ? 0 : steps[0].start_ns;
  for (const StepProfile& step : steps) first = std::min(first, step.start_ns);
  for (const StepProfile& step : steps)
    events.push_back({{"name", step.step->name},
                      {"cat", "Step"},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", static_cast<double>(step.start_ns - first) / 1e3},
                      {"dur", step.nanoseconds / 1e3},
                      {"args",
                       {{"step", step.step->index},
                        {"graph", step.step->graph},
                        {"kernel", step.kernel()},
                        {"op_type", step.step->op_type},
                        {"origins", step.step->origins},
                        {"layout", step.step->layout},
                        {"output", sizes(step.output)},
                        {"flops", step.flops},
                        {"bytes", step.bytes},
                        {"threads", step.threads},
                        {"refused", refusal_texts(*step.step)}}}});
  const std::string text = events.dump(1);
  return write_file_atomically(path, std::as_bytes(std::span(text)));
}

}  // namespace shipway::cli
