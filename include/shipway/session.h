// Session: a model made ready to run on this machine.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shipway/model.h"
#include "shipway/profile.h"
#include "shipway/status.h"

namespace shipway {

class Registry;

struct SessionOptions {
  /// Threads that a run may use, the caller's included; 0: as many as the process has cores.
  int threads = 0;
  /// 0: run the graph as it is; 1 and more: optimise it first (see shipway/optimizer.h).
  int level = 3;
  /// Operators to look nodes up in; null: the built-in ones.
  const Registry* registry = nullptr;
  /// Every node by its plain reference loops, in order; for comparisons.
  bool reference = false;
  /// Most bytes that the session's weights and the values of one run may take together; -1:
  /// SHIPWAY_MAX_MEMORY, else no limit. Weights that leave no room are refused by `create`, sizes
  /// by the run that has them.
  int64_t max_memory = -1;
  /// Seconds that a run may take; negative: SHIPWAY_TIMEOUT, else no limit.
  double timeout = -1;
};

/// An input or output of a session.
struct ValueInfo {
  std::string name;
  Type type;
  bool optional = false;  // an input with a default (an overridable initializer)
};

struct RunOptions {
  /// Seconds; negative: the session's.
  double timeout = -1;
  /// Set to true by another thread to end the run with kCancelled.
  const bool* cancelled = nullptr;
  /// When given, the steps of this run are added in the order in which they end, those of bodies of
  /// control flow too (the run then takes a little longer).
  std::vector<StepProfile>* profile = nullptr;
};

/// What a run needs, known before it. The caller's own inputs are not counted.
struct MemoryReport {
  int64_t weight_bytes = 0;       // packed for kernels; shared by all runs, like the next
  int64_t constant_bytes = 0;     // constants that are read as they are
  int64_t arena_bytes = 0;        // values inside the graph
  int64_t arena_lower_bound = 0;  // the most of them alive at one step: no plan takes less
  int64_t output_bytes = 0;
  int64_t scratch_bytes = 0;  // of all threads
  /// False when sizes follow from data: what comes after such a step, and bodies of control flow,
  /// are known in the run only, and not in these numbers.
  bool is_complete = true;
  int64_t shared_bytes() const { return weight_bytes + constant_bytes; }
  int64_t run_bytes() const { return arena_bytes + output_bytes + scratch_bytes; }
  int64_t peak_bytes() const { return shared_bytes() + run_bytes(); }
};

/// What a session has planned so far, the bodies of its control flow included. A plan (which step
/// follows which, where values lie) serves all sizes that fit it; a binding is a plan with one set
/// of sizes.
struct PlanStatistics {
  int64_t plans_made = 0, plans_kept = 0;
  int64_t bindings_made = 0, bindings_kept = 0;
};

using NamedValue = std::pair<std::string, RuntimeValue>;

/// Thread-safe: any number of threads may `run` at once; each run has an arena of its own, weights
/// and plans are shared.
class Session {
 public:
  /// legalize -> optimise -> infer -> lower. Fails with every operator named that cannot run.
  static Result<std::unique_ptr<Session>> create(Model model, const SessionOptions& options = {});
  /// From a plan file (see shipway/compile.h), which is mapped: its weights are used in place, and
  /// shared by all processes that have it open. `level` means nothing here; `reference` is refused.
  /// Refused too, each by name: damaged files, other versions of Shipway, instruction sets that
  /// this process does not use. The weights' checksums are compared by the first run.
  static Result<std::unique_ptr<Session>> open(const std::string& path,
                                               const SessionOptions& options = {});
  /// The same for bytes in memory, which `owner` keeps alive; without one they are copied.
  static Result<std::unique_ptr<Session>> open(std::span<const std::byte> plan,
                                               std::shared_ptr<const void> owner,
                                               const SessionOptions& options = {});
  ~Session();

  std::span<const ValueInfo> inputs() const;
  std::span<const ValueInfo> outputs() const;
  /// The graph that is run (optimised, at the newest opsets).
  const Model& model() const;
  /// The dims of `inputs()` and `outputs()` belong to this table.
  const DimTable& dims() const { return model().dims(); }

  /// Outputs by name in the order of `output_names` (empty: all). Inputs by name. Errors name what
  /// is missing, unknown, or of the wrong dtype or shape. Output tensors own their memory.
  Result<std::vector<RuntimeValue>> run(std::span<const NamedValue> inputs,
                                        std::span<const std::string> output_names = {},
                                        const RunOptions& options = {}) const;

  /// Every step of every plan, the main graph's first, each as profiles refer to it.
  std::vector<std::shared_ptr<const PlanStep>> plan() const;

  /// Memory for inputs of these shapes (one per input, in order).
  Result<MemoryReport> memory(std::span<const Shape> input_shapes) const;
  PlanStatistics plan_statistics() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shipway
