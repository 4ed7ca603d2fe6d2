// Runs a Model by the operators' own plain loops: the truth that every faster way is compared with.
#pragma once

#include "operators/operator.h"
#include "operators/registry.h"

namespace shipway {

/// One graph being run, node by node in order; each value is dropped after its last use. For
/// constant folding, `run --reference`, comparisons, and control flow in the engine. Not
/// thread-safe; use one per run.
class ReferenceRunner {
 public:
  /// Sees each node's outputs as they are made.
  using Observer = std::function<void(const Node&, std::span<const RuntimeValue>)>;

  /// `model` must be at the newest opsets (upgrade.h), without calls of its own functions, and
  /// outlive the runner.
  ReferenceRunner(const Model& model, const Registry& registry)
      : model_(model), registry_(registry) {}
  void set_limits(const RunLimits& limits) { limits_ = limits; }
  void set_observer(Observer observer) { observer_ = std::move(observer); }
  /// Subgraphs of nodes run this way instead of by this runner (the engine has plans for them).
  void set_subgraph_runner(EvaluateContext::SubgraphRunner runner) {
    subgraph_runner_ = std::move(runner);
  }

  /// Runs the main graph. Inputs by value id; an initializer that is also an input may be
  /// overridden. Errors name the node; a missing input, one too many or one of the wrong dtype or
  /// shape are named too.
  Result<std::vector<RuntimeValue>> run(std::span<const std::pair<ValueId, RuntimeValue>> inputs);

  /// One node on given inputs, subgraphs included (captured values are looked up in this runner).
  Status run_node(const Node& node, std::span<const RuntimeValue> inputs,
                  std::span<RuntimeValue> outputs);
  /// Gives captured or outer values before run_node.
  void set_value(ValueId id, RuntimeValue value);

 private:
  Status run_graph(GraphId graph);
  Result<std::vector<RuntimeValue>> run_subgraph(GraphId graph,
                                                 std::span<const RuntimeValue> inputs);
  RuntimeValue value_of(ValueId id) const;
  std::span<const ValueId> released_after(NodeId node);
  void find_last_uses(GraphId graph);

  const Model& model_;
  const Registry& registry_;
  RunLimits limits_;
  Observer observer_;
  EvaluateContext::SubgraphRunner subgraph_runner_;
  std::vector<RuntimeValue> values_;            // by value id
  std::vector<std::vector<ValueId>> releases_;  // by node id: values of its graph not used after it
  std::vector<bool> graph_known_;               // by graph id: releases_ filled
  int depth_ = 0;
};

}  // namespace shipway
