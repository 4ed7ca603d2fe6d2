// PlannedGraph: the main graph or a body, planned, with what its runs share. Private to the engine.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "base/thread_pool.h"
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
  const PlannedGraph& main() const { return *graphs_.front(); }
  /// Null when the model has no such graph.
  const PlannedGraph* graph(GraphId id) const;

 private:
  const Model& model_;
  const Registry& registry_;
  int threads_;
  std::vector<std::unique_ptr<PlannedGraph>> graphs_;
  std::vector<int32_t> index_;  // by GraphId::index; -1: none
};

/// What one run of a session hands down to the bodies in it.
struct RunEnvironment {
  RunLimits limits;
  std::vector<StepProfile>* profile = nullptr;  // of the main graph only
  ThreadPool::Hold& hold;
  int depth = 0;  // graphs around this one
};

class PlannedGraph {
 public:
  PlannedGraph(const PlannedModel& owner, Plan plan);
  ~PlannedGraph();

  const PlannedModel& owner() const { return owner_; }
  const Plan& plan() const { return plan_; }

  /// `inputs` by graph input (absent ones may follow); captured values are asked for by id. Outputs
  /// in order: of the main graph in memory of their own; of a body perhaps in its inputs' memory.
  /// Any number of threads at once.
  Result<std::vector<RuntimeValue>> run(std::span<const RuntimeValue> inputs,
                                        const std::function<RuntimeValue(ValueId)>& captured,
                                        const RunEnvironment& environment) const;

  /// The plan for inputs of these sizes; made, or found among the last few.
  Result<std::shared_ptr<const BoundPlan>> bound_for(std::span<const RuntimeValue> values) const;
  /// The part after `before`, once the sizes of its open values are known: `values` by lowered
  /// value.
  Result<std::shared_ptr<const BoundPlan>> part_after(const BoundPlan& before,
                                                      std::span<const RuntimeValue> values) const;

 private:
  using Parts = std::list<std::shared_ptr<const BoundPlan>>;
  std::shared_ptr<const BoundPlan> find(Parts& parts,
                                        const std::vector<std::optional<Shape>>& key) const;
  Result<std::shared_ptr<const BoundPlan>> make(Parts& parts, std::vector<std::optional<Shape>> key,
                                                ShapeTable known, const BoundPlan* before) const;
  bool bind_symbols(const ShapeTable& known, std::unordered_map<int32_t, int64_t>& sizes) const;
  Result<bool> infer(ShapeTable& shapes, int32_t depth) const;

  const PlannedModel& owner_;
  const Plan plan_;
  mutable std::mutex mutex_;  // guards what follows, and BoundPlan::next
  mutable Parts bindings_;    // last used first
  mutable std::vector<std::unique_ptr<RunContext>> idle_;
  /// By part and lowered value: inference with all sizes at hand could not tell its shape.
  mutable std::vector<std::vector<bool>> unknowable_;
};

}  // namespace shipway
