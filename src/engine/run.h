// One run of a planned graph at a time. Private to the engine.
#pragma once

#include "engine/planned_graph.h"

namespace shipway {

/// The memory of one run; kept by the graph between runs.
class RunContext {
 public:
  explicit RunContext(const PlannedGraph& graph);
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  /// `values` by graph input, then by captured value. Gives the graph's outputs in order.
  Result<std::vector<RuntimeValue>> run(std::shared_ptr<const BoundPlan> bound,
                                        std::span<const RuntimeValue> values,
                                        const RunEnvironment& environment);
  /// Gives back arenas of more than `bytes`.
  void trim(int64_t bytes);

 private:
  Status run_parts(std::shared_ptr<const BoundPlan>& bound, std::span<const RuntimeValue> values);
  Status prepare_part(const BoundPlan& bound);
  Status run_steps(const BoundPlan& bound);
  void run_kernel(const BoundPlan& bound, const Step& step, const BoundStep& b);
  Status run_reference(const BoundPlan& bound, const Step& step);
  Status run_dynamic(const BoundPlan& bound, const Step& step);
  void add_profile(const BoundPlan& bound, size_t i, int64_t start, size_t first);
  /// A value as operators read it: plain, in the shape it has where `v` stands.
  Result<RuntimeValue> plain_value(const BoundPlan& bound, int32_t v) const;
  Status keep(int32_t v, RuntimeValue value);
  void release(int32_t v);
  /// Counts memory that the run takes; false when it is more than the run may have.
  bool take(int64_t bytes);
  Status too_much(const std::string& details = {}) const;
  void forget();
  Result<std::vector<RuntimeValue>> take_outputs(const BoundPlan& bound);
  Result<std::vector<RuntimeValue>> run_body(GraphId graph, std::span<const RuntimeValue> inputs);
  std::byte* memory_of(const BoundPlan& bound, int32_t v) const {
    return v < 0 ? nullptr : memory_[static_cast<size_t>(bound.part->root[static_cast<size_t>(v)])];
  }

  const PlannedGraph& graph_;
  const Plan& plan_;
  const Model& model_;
  ReferenceRunner runner_;
  const RunEnvironment* environment_ = nullptr;
  std::vector<std::shared_ptr<Storage>> arenas_;  // by part
  std::shared_ptr<Storage> scratch_;
  int64_t scratch_bytes_ = 0;           // of one thread
  int64_t bytes_ = 0;                   // of arenas, scratch, outputs and own values of this run
  std::vector<std::byte*> memory_;      // by lowered value (roots only)
  std::vector<Tensor> output_tensors_;  // by lowered value that goes to the caller
  std::vector<RuntimeValue> own_;  // by lowered value (roots only): given ones, and Place::kOwn
  std::vector<Tensor> blocked_;    // own tensors again, as kernels want them
  std::vector<std::pair<ValueId, RuntimeValue>> captured_;  // of the node that runs, by id
};

}  // namespace shipway
