// PlannedGraph: the main graph or a body, planned, with what its runs share. Private to the engine.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "base/thread_pool.h"
#include "engine/late_sizes.h"
#include "engine/plan.h"
#include "operators/reference.h"
#include "shipway/session.h"

namespace shipway {

class PlannedGraph;
class RunContext;

/// All graphs of one model; the bodies of If, Loop, Scan and SequenceMap have plans of their own.
class PlannedModel {
 public:
  /// `model` and `registry` must outlive it, and the model must not change.
  PlannedModel(const Model& model, const Registry& registry, LoweredModel lowered, int threads);
  ~PlannedModel();

  const Model& model() const { return model_; }
  const Registry& registry() const { return registry_; }
  int threads() const { return threads_; }
  /// What a run may use; -1: as much as it wants. Set before the first run.
  void set_max_bytes(int64_t bytes) { max_bytes_ = bytes; }
  int64_t max_bytes() const { return max_bytes_; }
  const PlannedGraph& main() const { return *graphs_.front(); }
  /// Null when the model has no such graph.
  const PlannedGraph* graph(GraphId id) const;
  /// Of all graphs together.
  PlanStatistics statistics() const;
  /// Of all graphs, the main one's first.
  std::vector<std::shared_ptr<const PlanStep>> steps() const;
  /// Of the constants that steps read as they are, not packed.
  int64_t constant_bytes() const;

 private:
  const Model& model_;
  const Registry& registry_;
  int threads_;
  int64_t max_bytes_ = -1;
  std::vector<std::unique_ptr<PlannedGraph>> graphs_;
  std::vector<int32_t> index_;  // by GraphId::index; -1: none
};

/// What one run of a session hands down to the bodies in it.
struct RunEnvironment {
  RunLimits limits;
  std::vector<StepProfile>* profile = nullptr;
  ThreadPool::Hold& hold;
  int depth = 0;           // graphs around this one
  int64_t held_bytes = 0;  // by those
};

class PlannedGraph {
 public:
  PlannedGraph(const PlannedModel& owner, Plan plan);
  ~PlannedGraph();

  const PlannedModel& owner() const { return owner_; }
  const Plan& plan() const { return plan_; }
  /// What each step of the plan is, for profiles; made when first asked for.
  std::span<const std::shared_ptr<const PlanStep>> steps() const;

  /// `inputs` by graph input (absent ones may follow); captured values are asked for by id. Outputs
  /// in order: of the main graph in memory of their own; of a body perhaps in its inputs' memory.
  /// Any number of threads at once.
  Result<std::vector<RuntimeValue>> run(std::span<const RuntimeValue> inputs,
                                        const std::function<RuntimeValue(ValueId)>& captured,
                                        const RunEnvironment& environment) const;

  /// The binding for inputs of these sizes: found among the last ones, or made, by a plan that fits
  /// them or a new one.
  Result<std::shared_ptr<const BoundPlan>> bound_for(std::span<const RuntimeValue> values) const;
  /// The part after `before`, once the sizes of its open values are known: `values` by lowered
  /// value.
  Result<std::shared_ptr<const BoundPlan>> part_after(std::shared_ptr<const BoundPlan> before,
                                                      std::span<const RuntimeValue> values) const;
  /// A plan for these sizes and no others; nothing of it is kept.
  Result<BoundPlan> measured(std::span<const RuntimeValue> values) const;
  PlanStatistics statistics() const;

 private:
  using Key = std::vector<std::optional<Shape>>;
  enum class Growth : bool { kNone, kAllowed };
  Key key_of(std::span<const RuntimeValue> values) const;
  ShapeTable known_from(const Key& key) const;
  Result<std::shared_ptr<const BoundPlan>> find_or_make(std::shared_ptr<const BoundPlan> before,
                                                        Key key) const;
  Result<std::shared_ptr<const PartPlan>> make_part(const ShapeTable& shapes,
                                                    const SymbolSizes& symbols,
                                                    const BoundPlan* latest,
                                                    std::shared_ptr<const PartPlan> before,
                                                    BindMode mode, Growth growth) const;
  int64_t run_bytes(const BoundPlan& bound) const;
  std::vector<int64_t> room_for(const ShapeTable& shapes, const SymbolSizes& symbols,
                                const SymbolSizes& capacity) const;
  bool bind_symbols(const ShapeTable& known, SymbolSizes& sizes) const;
  Result<bool> infer(ShapeTable& shapes, int32_t depth, SymbolSizes& symbols) const;

  const PlannedModel& owner_;
  const Plan plan_;
  std::vector<int32_t> twins_;  // of lowered values: the first one of the same graph value
  LateSizes late_sizes_;

  mutable std::mutex mutex_;  // guards what follows
  /// Of all parts, last used first; so many that each part keeps a few.
  mutable std::list<std::shared_ptr<const BoundPlan>> bindings_;
  mutable std::list<std::shared_ptr<const PartPlan>> parts_;
  mutable size_t depths_ = 1;  // the most parts a run had
  mutable int64_t plans_made_ = 0, bindings_made_ = 0;
  mutable std::vector<std::unique_ptr<RunContext>> idle_;
  /// By part and lowered value: inference with all sizes at hand could not tell its shape.
  mutable std::vector<std::vector<bool>> unknowable_;
  mutable std::once_flag steps_made_;
  mutable std::vector<std::shared_ptr<const PlanStep>> steps_;
};

}  // namespace shipway
