// What a session's plan does step by step, what runs spend their time on, and how far that is from
// what the machine can do.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shipway/tensor.h"

namespace shipway {

/// A faster way that a step does not take.
struct Refusal {
  /// One stable word: "dtype", "layout", "not-constant", "operator", ...
  std::string code;
  std::string kernel;  // which kernel refused; empty: whatever kernels there are
  std::string reason;  // "its weights are not constant"
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// One step of a plan: what holds for every run.
struct PlanStep {
  int32_t graph = 0;      // its id in Session::model(): the main graph's, or that of a body
  int32_t index = 0;      // in the plan of its graph
  std::string name;       // "conv_blocked_avx512 (Conv 'conv1' + Relu)"
  std::string kernel;     // row of the kernel table; "reference": plain loops; "shape": no work
  std::string op_type;    // of its first node; empty for a change of layout
  std::string operators;  // of all its nodes: "Conv + Relu"; "change of layout"
  std::vector<std::string> origins;  // nodes of the source file that it does: "Conv 'conv1'"
  std::string isa;                   // "avx512"; "scalar" for reference loops
  std::string layout;                // of its first input and output: "plain", "plain to NCHW16c"
  int64_t constant_bytes = 0;        // weights and other constants that it reads
  std::vector<Refusal> refusals;     // better kernels passed over; for "reference", why none
};

/// What a step did once in one run.
struct StepProfile {
  std::shared_ptr<const PlanStep> step;
  bool dynamic = false;    // its nodes ran one by one: sizes were not known before
  int64_t start_ns = 0;    // of std::chrono::steady_clock
  double nanoseconds = 0;  // bodies of control flow included
  double self_ns = 0;      // without them: the sum over a run's steps counts nothing twice
  double flops = 0;        // two per multiply-add
  double saved_flops = 0;  // of them, what an algorithm such as Winograd does not do
  double bytes = 0;        // read and written, each once
  int threads = 1;         // that shared its work
  int64_t parts = 1;       // units of work that there were to share
  int depth = 0;           // bodies around it
  Shape input, output;     // of its first input and output, where known

  /// PlanStep::kernel, or "dynamic".
  std::string_view kernel() const { return dynamic ? "dynamic" : std::string_view(step->kernel); }
};

/// What this machine reaches, all `threads` together.
struct MachinePeak {
  int threads = 1;
  double gflops = 0;                              // fp32 multiply-adds on registers; two each
  double l2_gbs = 0, l3_gbs = 0, memory_gbs = 0;  // reading, by where the data lie
  int64_t l2_bytes = 0, l3_bytes = 0;             // sizes of the caches: L2 of all threads
};
/// Measures it, in about a quarter of a second: the best of many windows, so that what else runs
/// here lowers it little. Uses the instruction set that sessions use (see SHIPWAY_ISA).
Result<MachinePeak> measure_peak(int threads);

/// A step over several runs.
struct StepReport {
  std::shared_ptr<const PlanStep> step;
  bool dynamic = false;
  int64_t calls = 0;       // in one run
  double nanoseconds = 0;  // of its own in one run, all calls: the least of the runs
  double flops = 0, saved_flops = 0, bytes = 0;
  int threads = 1;
  int64_t parts = 1;
  Shape input, output;
  double share = 0;  // of the time of all steps
  /// The least time that the machine allows: flops at its peak, or bytes at the bandwidth of where
  /// they lie (weights: where all weights of the model fit; other values: where the step's own
  /// fit), whichever takes longer. 0 when neither is known.
  double roofline_ns = 0;
  bool memory_bound = false;  // of the two, bytes take longer

  std::string_view kernel() const { return dynamic ? "dynamic" : std::string_view(step->kernel); }
};
struct ProfileReport {
  MachinePeak peak;
  double run_ns = 0;              // a whole run; the least
  double steps_ns = 0;            // all steps of it: sum of `steps`
  double outside_ns = 0;          // what a run takes beside its steps; the least
  std::vector<StepReport> steps;  // every step of every plan, also those without a call
};
/// `plan` as Session::plan() gives it; `runs` the profiles of whole runs, `run_ns` their times.
ProfileReport make_report(std::span<const std::shared_ptr<const PlanStep>> plan,
                          std::span<const std::vector<StepProfile>> runs,
                          std::span<const double> run_ns, const MachinePeak& peak);

/// Why a run takes as long as it does: one sentence for each group of steps that are slow for one
/// reason, those with most time above the roofline first.
struct Finding {
  std::string sentence;
  double share = 0;            // of the time of steps and of what passes outside of them
  double nanoseconds = 0;      // of these steps in one run
  double lost_ns = 0;          // of it above the roofline
  std::vector<int32_t> steps;  // in ProfileReport::steps; empty: what passes between steps
};
std::vector<Finding> why_slow(const ProfileReport& report, size_t most = 10);

}  // namespace shipway
