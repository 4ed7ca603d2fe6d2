// Removes nodes whose results nobody needs, and initializers that nobody reads. Graph inputs stay,
// also those that nobody reads: callers name them.
#include <algorithm>

#include "passes/pipelines.h"

namespace shipway {
namespace {

/// What must stay: everything that outputs and states are computed from, and nodes that might do
/// more than compute.
class Liveness {
 public:
  Liveness(const Model& model, const Registry& registry)
      : model_(model), live_(model.node_count()) {
    need_outputs(model.main_graph());
    for (const Function& function : model.functions()) need_outputs(function.body);
    for (size_t i = 0; i < model.node_count(); ++i) {
      const Node& node = model.node(NodeId{static_cast<int32_t>(i)});
      if (!node.is_removed() && may_have_effects(node, registry)) need_with_owners(node.id());
    }
    while (!pending_.empty()) {
      const Node& node = model.node(pending_.back());
      pending_.pop_back();
      for (ValueId input : node.inputs()) need(input);
      for (GraphId inside : node.subgraphs()) need_outputs(inside);
    }
  }
  bool is_live(NodeId id) const { return live_[static_cast<size_t>(id.index)]; }

 private:
  bool may_have_effects(const Node& node, const Registry& registry) const {
    if (registry.find(node.domain(), node.op_type())) return false;
    return !model_.find_function(node.domain(), node.op_type(), node.overload());
  }

  void need(ValueId id) {
    if (id.is_valid() && model_.value(id).producer().is_valid()) need(model_.value(id).producer());
  }
  void need(NodeId id) {
    if (is_live(id)) return;
    live_[static_cast<size_t>(id.index)] = true;
    pending_.push_back(id);
  }
  void need_outputs(GraphId id) {
    const Graph& graph = model_.graph(id);
    for (ValueId output : graph.outputs()) need(output);
    for (const StatePair& state : graph.states()) need(state.output);
  }
  void need_with_owners(NodeId id) {
    while (id.is_valid()) {
      need(id);
      id = model_.graph(model_.node(id).graph()).owner();
    }
  }

  const Model& model_;
  std::vector<bool> live_;
  std::vector<NodeId> pending_;
};

Status eliminate_dead_code(PassContext& context) {
  const Model& model = context.model();
  const Liveness liveness(model, context.registry());
  Patch nodes;
  for (size_t i = 0; i < model.node_count(); ++i) {
    const Node& node = model.node(NodeId{static_cast<int32_t>(i)});
    if (node.is_removed() || liveness.is_live(node.id())) continue;
    // What stands inside a dead node goes with it.
    const NodeId owner = model.graph(node.graph()).owner();
    if (!owner.is_valid() || liveness.is_live(owner)) nodes.remove_node(node.id());
  }
  SHIPWAY_RETURN_IF_ERROR(context.apply(std::move(nodes)));

  std::vector<bool> is_state(model.value_count());
  for (GraphId graph : context.graphs())
    for (const StatePair& state : model.graph(graph).states())
      is_state[static_cast<size_t>(state.output.index)] = true;
  Patch initializers;
  for (size_t i = 0; i < model.value_count(); ++i) {
    const Value& value = model.value(ValueId{static_cast<int32_t>(i)});
    if (value.is_initializer() && !value.is_input() && value.uses().empty() &&
        value.output_count() == 0 && !is_state[i])
      initializers.remove_value(value.id());
  }
  return context.apply(std::move(initializers));
}

}  // namespace

const Pass kEliminateDeadCode = {"eliminate_dead_code",
                                 "removes nodes and initializers that no output needs", 1, nullptr,
                                 eliminate_dead_code};

}  // namespace shipway
