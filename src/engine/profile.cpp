// What a plan's steps are, in words; the reports made of profiles; what the machine could do.
#include "shipway/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "base/text.h"
#include "base/thread_pool.h"
#include "engine/plan.h"
#include "kernels/peak.h"

namespace shipway {
namespace {

// ----------------------------------------------------------------------------------------------
// steps in words

std::string layout_text(kernels::Layout layout) {
  return layout.is_blocked() ? "NCHW" + std::to_string(layout.block) + "c" : "plain";
}

void add_node(PlanStep& step, const Model& model, NodeId id) {
  const Node& node = model.node(id);
  if (step.op_type.empty()) step.op_type = node.op_type();
  step.operators += (step.operators.empty() ? "" : " + ") + node.op_type();
  for (SourceId source : node.sources()) {
    const SourceNode& from = model.source(source);
    std::string origin = from.op_type + (from.name.empty() ? "" : " " + quoted(from.name));
    if (std::find(step.origins.begin(), step.origins.end(), origin) == step.origins.end())
      step.origins.push_back(std::move(origin));
  }
}

std::shared_ptr<PlanStep> plan_step(const Plan& plan, size_t index, const Model& model) {
  const Step& step = plan.steps[index];
  const auto value_at = [&](const std::vector<int32_t>& values) -> const LoweredValue* {
    return values.empty() || values[0] < 0 ? nullptr : &plan.values[static_cast<size_t>(values[0])];
  };
  auto result = std::make_shared<PlanStep>();
  result->graph = plan.graph.index;
  result->index = static_cast<int32_t>(index);
  result->name = describe(step, model);
  result->refusals = step.refusals;
  const bool is_kernel = step.kind == Step::Kind::kKernel;
  result->kernel =
      is_kernel ? std::string(kernels::kernel_table()[static_cast<size_t>(step.plan.row)].name)
      : step.kind == Step::Kind::kAlias ? "shape"
                                        : "reference";
  result->isa = to_string(is_kernel ? step.plan.isa : Isa::kScalar);
  for (NodeId node : step.nodes) add_node(*result, model, node);
  const LoweredValue *in = value_at(step.inputs), *out = value_at(step.outputs);
  if (in) result->layout = layout_text(in->layout);
  if (out && (!in || !(in->layout == out->layout)))
    result->layout += (in ? " to " : "") + layout_text(out->layout);
  if (step.nodes.empty() && in) {
    result->operators = "change of layout";
    result->name =
        result->kernel + " (change of layout of " + quoted(model.value(in->source).name()) + ")";
    if (const NodeId maker = model.value(in->source).producer(); maker.is_valid()) {
      PlanStep origin;
      add_node(origin, model, maker);
      result->origins = origin.origins;
    }
  }
  if (is_kernel)
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const LoweredValue* value =
          step.inputs[i] < 0 ? nullptr : &plan.values[static_cast<size_t>(step.inputs[i])];
      if (i == 1 && step.weights)
        result->constant_bytes += kernels::packed_size(step.weights->recipe);
      else if (value && value->kind == LoweredValue::Kind::kConstant)
        result->constant_bytes += value->constant.byte_size();
    }
  return result;
}

}  // namespace

std::vector<std::shared_ptr<const PlanStep>> plan_steps(const Plan& plan, const Model& model) {
  std::vector<std::shared_ptr<PlanStep>> steps;
  std::vector<size_t> maker(plan.values.size(), plan.steps.size()), reader = maker;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    steps.push_back(plan_step(plan, i, model));
    for (int32_t v : plan.steps[i].outputs)
      if (v >= 0) maker[static_cast<size_t>(v)] = i;
    for (int32_t v : plan.steps[i].inputs)
      if (v >= 0) reader[static_cast<size_t>(v)] = std::min(reader[static_cast<size_t>(v)], i);
  }
  for (size_t i = 0; i < steps.size(); ++i) {  // a change of layout: who wants it
    if (!plan.steps[i].nodes.empty()) continue;
    const auto from = static_cast<size_t>(plan.steps[i].inputs[0]),
               to = static_cast<size_t>(plan.steps[i].outputs[0]);
    const size_t before = maker[from], after = reader[to];
    steps[i]->refusals = {{std::string(to_string(kernels::RefusalCode::kLayout)),
                           after < steps.size() ? steps[after]->kernel : "",
                           (before < steps.size() ? steps[before]->name : "the caller") +
                               " makes " + layout_text(plan.values[from].layout) + ", " +
                               (after < steps.size() ? steps[after]->name : "the caller") +
                               " reads " + layout_text(plan.values[to].layout)}};
  }
  return {steps.begin(), steps.end()};
}

std::vector<std::shared_ptr<const PlanStep>> reference_steps(const Model& model) {
  std::vector<std::shared_ptr<const PlanStep>> steps(model.node_count());
  for (size_t i = 0; i < steps.size(); ++i) {
    const Node& node = model.node(NodeId{static_cast<int32_t>(i)});
    if (node.is_removed()) continue;
    auto step = std::make_shared<PlanStep>();
    step->graph = node.graph().index;
    step->index = static_cast<int32_t>(i);
    step->kernel = "reference";
    step->isa = to_string(Isa::kScalar);
    step->layout = "plain";
    step->refusals = {{std::string(to_string(kernels::RefusalCode::kForced)), "",
                       "the session runs every node by its reference loops"}};
    add_node(*step, model, node.id());
    step->name = "reference (" + node.op_type() +
                 (node.name().empty() ? "" : " " + quoted(node.name())) + ")";
    steps[i] = std::move(step);
  }
  return steps;
}

// ----------------------------------------------------------------------------------------------
// the machine

namespace {

/// The least time, in nanoseconds, of a call of work(part) on every thread at once, tried for so
/// long.
template <typename Work>
double least_window(int threads, double milliseconds, const Work& work) {
  using Clock = std::chrono::steady_clock;
  ThreadPool::Hold hold(ThreadPool::instance(), threads);
  double least = 1e30;
  constexpr int kFewest = 4;
  const auto deadline = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  for (int i = 0; i < kFewest || Clock::now() < deadline; ++i) {
    const auto start = Clock::now();
    hold.run(
        threads,
        [](void* context, int64_t begin, int64_t end, int) {
          for (int64_t part = begin; part < end; ++part) (*static_cast<const Work*>(context))(part);
        },
        const_cast<Work*>(&work));
    least = std::min(least, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return least;
}

}  // namespace

Result<MachinePeak> measure_peak(int threads) {
  constexpr int64_t kRounds = 60'000;  // some hundred microseconds
  constexpr int64_t kFloat = sizeof(float), kSlice = 1024, kMiB = 1 << 20;
  const CpuFeatures& cpu = cpu_features();
  const kernels::PeakFunctions& peak = kernels::peak_functions(active_isa());
  MachinePeak result;
  result.threads = threads = std::max(threads, 1);
  result.l2_bytes = std::max<int64_t>(cpu.l2_bytes, kMiB / 4) * threads;
  result.l3_bytes = std::max(cpu.l3_bytes, result.l2_bytes);
  std::vector<float> sums(static_cast<size_t>(threads) * 16);  // one cache line a thread
  volatile float sink = 0;
  const double fma_ns = least_window(threads, 80, [&](int64_t part) {
    sums[static_cast<size_t>(part) * 16] = peak.multiply_add(kRounds);
  });
  result.gflops = static_cast<double>(threads * kRounds * peak.flops) / fma_ns;

  // Beyond the last cache; not more than half a gigabyte on machines whose caches are that large.
  const int64_t most = std::clamp<int64_t>(3 * result.l3_bytes, 64 * kMiB, 512 * kMiB);
  SHIPWAY_ASSIGN_OR_RETURN(const std::shared_ptr<Storage> buffer,
                           Storage::allocate(static_cast<size_t>(most)));
  std::fill_n(reinterpret_cast<uint8_t*>(buffer->data()), most, uint8_t{0});
  const auto* floats = reinterpret_cast<const float*>(buffer->data());
  const auto bandwidth = [&](int64_t bytes, double milliseconds) {
    const int64_t each = std::max(bytes / kFloat / threads / kSlice, int64_t{1}) * kSlice;
    const int64_t repeats = std::max<int64_t>(1, 8 * kMiB / (each * kFloat * threads));
    const double ns = least_window(threads, milliseconds, [&](int64_t part) {
      for (int64_t i = 0; i < repeats; ++i)
        sums[static_cast<size_t>(part) * 16] += peak.read(floats + part * each, each);
    });
    return static_cast<double>(each * kFloat * threads * repeats) / ns;
  };
  result.l2_gbs = bandwidth(result.l2_bytes / 2, 30);
  result.l3_gbs = bandwidth(std::max(result.l3_bytes / 2, result.l2_bytes / 2), 30);
  result.memory_gbs = bandwidth(most, 50);
  for (float sum : sums) sink = sink + sum;
  return result;
}

// ----------------------------------------------------------------------------------------------
// reports

namespace {

/// Of several runs the least counts: whatever else the machine does only adds to it.
double least_of(std::span<const double> values) {
  return values.empty() ? 0 : *std::min_element(values.begin(), values.end());
}

/// Bytes a nanosecond where data of this size lie.
double bandwidth_of(const MachinePeak& peak, double bytes) {
  return bytes <= static_cast<double>(peak.l2_bytes)   ? peak.l2_gbs
         : bytes <= static_cast<double>(peak.l3_bytes) ? peak.l3_gbs
                                                       : peak.memory_gbs;
}

}  // namespace

ProfileReport make_report(std::span<const std::shared_ptr<const PlanStep>> plan,
                          std::span<const std::vector<StepProfile>> runs,
                          std::span<const double> run_ns, const MachinePeak& peak) {
  ProfileReport report;
  report.peak = peak;
  report.run_ns = least_of(run_ns);
  std::map<const PlanStep*, size_t> position;
  for (const auto& step : plan) {
    position.emplace(step.get(), report.steps.size());
    report.steps.emplace_back().step = step;
  }
  std::vector<std::vector<double>> times(plan.size(), std::vector<double>(runs.size()));
  std::vector<double> outside;
  for (size_t r = 0; r < runs.size(); ++r) {
    outside.push_back(r < run_ns.size() ? run_ns[r] : 0);
    for (const StepProfile& entry : runs[r]) {
      outside.back() -= entry.self_ns;
      const auto found = position.find(entry.step.get());
      if (found == position.end()) continue;
      times[found->second][r] += entry.self_ns;
      if (r + 1 < runs.size()) continue;  // the rest is that of the last run
      StepReport& step = report.steps[found->second];
      ++step.calls;
      step.dynamic = entry.dynamic;
      step.flops += entry.flops;
      step.saved_flops += entry.saved_flops;
      step.bytes += entry.bytes;
      step.threads = std::max(step.threads, entry.threads);
      step.parts = std::max(step.parts, entry.parts);
      step.input = entry.input;
      step.output = entry.output;
    }
  }
  report.outside_ns = std::max(0.0, least_of(outside));
  double weights = 0;
  for (size_t i = 0; i < report.steps.size(); ++i) {
    report.steps[i].nanoseconds = least_of(times[i]);
    report.steps_ns += report.steps[i].nanoseconds;
    if (report.steps[i].calls > 0) weights += static_cast<double>(plan[i]->constant_bytes);
  }
  for (StepReport& step : report.steps) {
    if (report.steps_ns > 0) step.share = step.nanoseconds / report.steps_ns;
    if (step.calls == 0 || peak.gflops <= 0) continue;
    const double calls = static_cast<double>(step.calls), bytes = step.bytes / calls;
    const double constant = std::min(static_cast<double>(step.step->constant_bytes), bytes);
    const double compute = (step.flops - step.saved_flops) / peak.gflops;
    const double memory = calls * (constant / bandwidth_of(peak, weights) +
                                   (bytes - constant) / bandwidth_of(peak, bytes - constant));
    step.memory_bound = memory > compute;
    step.roofline_ns = std::max(memory, compute);
  }
  return report;
}

// ----------------------------------------------------------------------------------------------
// why it is slow

namespace {

struct Cause {
  std::string key;   // equal for steps that are slow for the same reason
  std::string text;  // of the slowest of them
};

std::string refusal_text(const Refusal& refusal) {
  return refusal.reason + " [" + refusal.code + "]";
}

Cause cause_of(const StepReport& step, const MachinePeak& peak) {
  const PlanStep& plan = *step.step;
  if (step.dynamic)
    return {"dynamic", "sizes known only during the run, so its nodes run one by one"};
  if (plan.kernel == "reference") {
    if (plan.refusals.empty()) return {"reference", "reference loops"};
    return {"reference " + plan.refusals[0].code + plan.refusals[0].reason,
            "reference loops, because " + refusal_text(plan.refusals[0])};
  }
  if (plan.op_type.empty())
    return {"layout", plan.refusals.empty() ? "different layouts" : plan.refusals[0].reason};
  std::string text, key;
  const auto add = [&](std::string_view word, std::string part) {
    key += word;
    text += (text.empty() ? "" : "; ") + std::move(part);
  };
  const double gbs = step.bytes / step.nanoseconds, gflops = step.flops / step.nanoseconds;
  const int64_t columns = step.output.empty() ? 0 : step.output.back();
  int64_t elements = 1;
  for (int64_t size : step.output) elements *= size;
  constexpr int64_t kFewRows = 5;  // fewer than the rows of a GEMM tile
  const int64_t rows = columns > 0 ? elements / columns : 0;
  const bool thin = plan.kernel.starts_with("gemm") && rows > 0 && rows <= kFewRows;
  if (thin)
    add("thin", fmt::format("a product of only {} {}, which reads its weights for little work",
                            rows, rows == 1 ? "row" : "rows"));
  if (step.memory_bound)
    add("memory",
        fmt::format("bound by memory: {:.3g} MB at {:.3g} GB/s, the machine reaches {:.3g}",
                    step.bytes / 1e6, gbs, step.bytes / step.roofline_ns));
  else if (step.flops > 0)
    add("compute", fmt::format("{:.3g} GFLOP/s, the machine reaches {:.3g}", gflops,
                               step.flops / step.roofline_ns));
  if (peak.threads > 1 && step.threads == 1)
    add("one thread", step.parts <= 1
                          ? "one unit of work, so one thread of " + std::to_string(peak.threads)
                          : "too short to be shared by threads");
  if (!plan.refusals.empty()) {
    const Refusal& best = plan.refusals[0];
    add(best.code, best.kernel + " refused: " + refusal_text(best));
  }
  constexpr double kShortNs = 2000;
  if (step.nanoseconds / static_cast<double>(std::max<int64_t>(step.calls, 1)) < kShortNs)
    add("short", "so short that its start counts");
  return {key, text};
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string milliseconds(double ns) { return fmt::format("{:.3g} ms", ns / 1e6); }

}  // namespace

std::vector<Finding> why_slow(const ProfileReport& report, size_t most) {
  const double total = std::max(report.steps_ns + report.outside_ns, 1.0);
  std::map<std::string, std::vector<int32_t>> groups;
  for (size_t i = 0; i < report.steps.size(); ++i) {
    const StepReport& step = report.steps[i];
    if (step.calls == 0 || step.nanoseconds <= 0) continue;
    groups[std::string(step.kernel()) + "|" + step.step->operators + "|" +
           cause_of(step, report.peak).key]
        .push_back(static_cast<int32_t>(i));
  }
  std::vector<Finding> findings;
  for (auto& [key, steps] : groups) {
    Finding finding;
    double roofline = 0;
    int32_t slowest = steps[0];
    for (int32_t i : steps) {
      const StepReport& step = report.steps[static_cast<size_t>(i)];
      finding.nanoseconds += step.nanoseconds;
      roofline += step.roofline_ns;
      if (step.nanoseconds > report.steps[static_cast<size_t>(slowest)].nanoseconds) slowest = i;
    }
    finding.lost_ns = std::max(0.0, finding.nanoseconds - roofline);
    finding.share = finding.nanoseconds / total;
    const StepReport& step = report.steps[static_cast<size_t>(slowest)];
    const PlanStep& plan = *step.step;
    const std::string number = "step " + std::to_string(plan.index);
    const std::string what =
        steps.size() == 1 ? number + ", " + plan.name
                          : fmt::format("{} steps of {} on {}, the slowest {}{}", steps.size(),
                                        plan.operators, step.kernel(), number,
                                        plan.origins.empty() ? "" : " (" + plan.origins[0] + ")");
    finding.sentence =
        percent(finding.share) + " (" + milliseconds(finding.nanoseconds) + "): " + what;
    if (roofline > 0)
      finding.sentence += ", at " + percent(roofline / finding.nanoseconds) + " of the roofline";
    finding.sentence += ": " + cause_of(step, report.peak).text + ".";
    finding.steps = std::move(steps);
    findings.push_back(std::move(finding));
  }
  if (report.outside_ns > 0) {
    Finding finding;
    finding.nanoseconds = finding.lost_ns = report.outside_ns;
    finding.share = report.outside_ns / total;
    finding.sentence = percent(finding.share) + " (" + milliseconds(report.outside_ns) +
                       ") passes outside the steps: inputs checked, memory and outputs made.";
    findings.push_back(std::move(finding));
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.lost_ns > b.lost_ns; });
  constexpr double kLeastShare = 0.005;
  std::erase_if(findings, [](const Finding& f) { return f.share < kLeastShare; });
  if (findings.size() > most) findings.resize(most);
  return findings;
}

}  // namespace shipway
