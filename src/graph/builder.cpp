#include "graph/builder.h"

#include <algorithm>
#include <cassert>

namespace shipway {

GraphId ModelBuilder::add_graph(std::string name) {
  const GraphId id{static_cast<int32_t>(model_.graphs_.size())};
  Graph& graph = model_.graphs_.emplace_back();
  graph.id_ = id;
  graph.name_ = std::move(name);
  return id;
}

void ModelBuilder::set_graph_name(GraphId graph, std::string name) {
  graph_at(graph).name_ = std::move(name);
}

ValueId ModelBuilder::add_value(GraphId graph, std::string name, Type type) {
  const ValueId id{static_cast<int32_t>(model_.values_.size())};
  Value& value = model_.values_.emplace_back();
  value.id_ = id;
  value.graph_ = graph;
  value.name_ = std::move(name);
  value.type_ = std::move(type);
  if (!model_.used_names_.empty()) model_.used_names_.insert(value.name_);
  return id;
}

void ModelBuilder::add_input(GraphId graph, ValueId value) {
  graph_at(graph).inputs_.push_back(value);
  value_at(value).is_input_ = true;
}

void ModelBuilder::drop_inputs_with_data(GraphId graph) {
  std::erase_if(graph_at(graph).inputs_, [&](ValueId id) {
    if (!value_at(id).constant_) return false;
    value_at(id).is_input_ = false;
    return true;
  });
}

void ModelBuilder::add_output(GraphId graph, ValueId value) {
  graph_at(graph).outputs_.push_back(value);
  ++value_at(value).output_count_;
  if (value_at(value).graph_ != graph) add_capture(graph, value);
}

void ModelBuilder::set_output(GraphId graph, size_t output, ValueId value) {
  const ValueId before = graph_at(graph).outputs_[output];
  --value_at(before).output_count_;
  if (value_at(before).graph_ != graph) drop_capture(graph, before);
  graph_at(graph).outputs_[output] = value;
  ++value_at(value).output_count_;
  if (value_at(value).graph_ != graph) add_capture(graph, value);
}

void ModelBuilder::add_initializer(ValueId value, Constant constant) {
  Value& v = value_at(value);
  if (!v.constant_) graph_at(v.graph_).initializers_.push_back(value);
  set_constant(value, std::move(constant));
}

void ModelBuilder::set_constant(ValueId value, Constant constant) {
  value_at(value).constant_ = std::make_shared<const Constant>(std::move(constant));
}

void ModelBuilder::remove_initializers(std::span<const ValueId> values) {
  std::vector<GraphId> touched;
  for (ValueId id : values) {
    value_at(id).constant_ = nullptr;
    touched.push_back(value_at(id).graph_);
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (GraphId graph : touched)
    std::erase_if(graph_at(graph).initializers_,
                  [&](ValueId id) { return !value_at(id).constant_; });
}

void ModelBuilder::add_state(GraphId graph, StatePair state) {
  graph_at(graph).states_.push_back(std::move(state));
}

void ModelBuilder::add_function(Function function) {
  model_.functions_.push_back(std::move(function));
}

void ModelBuilder::import_model_opsets_in_functions() {
  for (Function& function : model_.functions_)
    for (auto& [domain, version] : function.opset_imports)
      if (const int64_t imported = model_.opset(domain)) version = imported;
}

SourceId ModelBuilder::add_source(SourceNode source) {
  model_.sources_.push_back(std::move(source));
  return {static_cast<int32_t>(model_.sources_.size()) - 1};
}

Result<NodeId> ModelBuilder::add_node(GraphId graph, NodeSpec spec, NodeId before,
                                      std::optional<std::vector<SourceId>> sources) {
  for (ValueId output : spec.outputs) {
    if (!output.is_valid()) continue;
    const Value& value = value_at(output);
    if (value.producer_.is_valid() || value.is_input_ || value.constant_)
      return Status::invalid_model("value '{}' is made twice: {} and node '{}' ({})", value.name_,
                                   value.producer_.is_valid() ? model_.describe(value.producer_)
                                   : value.is_input_          ? std::string("graph input")
                                                              : std::string("initializer"),
                                   spec.name, spec.op_type);
  }
  const NodeId id{static_cast<int32_t>(model_.nodes_.size())};
  Node& node = model_.nodes_.emplace_back();
  node.id_ = id;
  node.graph_ = graph;
  node.name_ = std::move(spec.name);
  node.domain_ = std::move(spec.domain);
  node.op_type_ = std::move(spec.op_type);
  node.overload_ = std::move(spec.overload);
  node.attributes_ = std::move(spec.attributes);
  for (size_t i = 0; i < spec.outputs.size(); ++i) {
    const ValueId output = spec.outputs[i];
    node.outputs_.push_back(output);
    if (!output.is_valid()) continue;
    value_at(output).producer_ = id;
    value_at(output).producer_output_ = static_cast<int32_t>(i);
  }
  if (sources) {
    for (SourceId source : *sources) node.sources_.push_back(source);
  } else {
    node.sources_.push_back(add_source({node.name_, node.domain_, node.op_type_, {}}));
  }

  Graph& owner = graph_at(graph);
  node.next_ = before;
  node.previous_ = before.is_valid() ? node_at(before).previous_ : owner.last_node_;
  (node.previous_.is_valid() ? node_at(node.previous_).next_ : owner.first_node_) = id;
  (before.is_valid() ? node_at(before).previous_ : owner.last_node_) = id;
  ++owner.node_count_;

  attach_inputs(node, spec.inputs);
  attach_captures(node);
  return id;
}

void ModelBuilder::remove_node(NodeId id) {
  Node& node = node_at(id);
  assert(!node.removed_);
  detach_inputs(node);
  detach_captures(node);
  for (ValueId output : node.outputs_)
    if (output.is_valid()) value_at(output).producer_ = {};
  Graph& graph = graph_at(node.graph_);
  (node.previous_.is_valid() ? node_at(node.previous_).next_ : graph.first_node_) = node.next_;
  (node.next_.is_valid() ? node_at(node.next_).previous_ : graph.last_node_) = node.previous_;
  --graph.node_count_;
  node.removed_ = true;
  node.attributes_.clear();
}

Status ModelBuilder::remove_value(ValueId id) {
  Value& value = value_at(id);
  if (value.producer_.is_valid() || !value.uses_.empty() || value.is_input_ ||
      value.output_count_ > 0)
    return Status::internal("value '{}' is removed while something still makes or uses it",
                            value.name_);
  if (value.constant_) remove_initializers({&id, 1});
  value.removed_ = true;
  value.name_ = {};
  value.type_ = {};
  return Status::ok();
}

void ModelBuilder::set_input(NodeId id, size_t input, ValueId value) {
  Node& node = node_at(id);
  const ValueId before = node.inputs_[input];
  if (before.is_valid()) remove_use(before, node.input_slots_[input]);
  if (before.is_valid() && value_at(before).graph_ != node.graph_)
    drop_capture(node.graph_, before);
  node.inputs_[input] = value;
  node.input_slots_[input] =
      value.is_valid() ? add_use(value, {id, static_cast<int32_t>(input)}) : -1;
}

void ModelBuilder::set_inputs(NodeId id, std::span<const ValueId> inputs) {
  Node& node = node_at(id);
  const std::vector<ValueId> kept(inputs.begin(),
                                  inputs.end());  // may be a view of what is detached
  detach_inputs(node);
  attach_inputs(node, kept);
}

void ModelBuilder::set_attribute(NodeId id, Attribute attribute) {
  Node& node = node_at(id);
  detach_captures(node);
  const auto found = std::find_if(node.attributes_.begin(), node.attributes_.end(),
                                  [&](const Attribute& a) { return a.name == attribute.name; });
  if (found != node.attributes_.end())
    *found = std::move(attribute);
  else
    node.attributes_.push_back(std::move(attribute));
  attach_captures(node);
}

void ModelBuilder::remove_attribute(NodeId id, std::string_view name) {
  Node& node = node_at(id);
  detach_captures(node);
  std::erase_if(node.attributes_, [&](const Attribute& a) { return a.name == name; });
  attach_captures(node);
}

void ModelBuilder::set_op(NodeId id, std::string domain, std::string op_type) {
  node_at(id).domain_ = std::move(domain);
  node_at(id).op_type_ = std::move(op_type);
}

int32_t ModelBuilder::add_use(ValueId value, Use use) {
  auto& uses = value_at(value).uses_;
  uses.push_back(use);
  const auto slot = static_cast<int32_t>(uses.size()) - 1;
  const GraphId where = node_at(use.node).graph_;
  if (use.input != Use::kCapture && value_at(value).graph_ != where) add_capture(where, value);
  return slot;
}

int32_t& ModelBuilder::slot_of(const Use& use, ValueId value) {
  Node& node = node_at(use.node);
  if (use.input != Use::kCapture) return node.input_slots_[static_cast<size_t>(use.input)];
  const auto at = std::lower_bound(node.captures_.begin(), node.captures_.end(), value) -
                  node.captures_.begin();
  return node.capture_slots_[static_cast<size_t>(at)];
}

void ModelBuilder::remove_use(ValueId value, int32_t slot) {
  auto& uses = value_at(value).uses_;
  const auto at = static_cast<size_t>(slot);
  if (at + 1 != uses.size()) {
    uses[at] = uses.back();
    slot_of(uses[at], value) = slot;
  }
  uses.pop_back();
}

void ModelBuilder::attach_inputs(Node& node, std::span<const ValueId> inputs) {
  for (ValueId input : inputs) {
    const auto position = static_cast<int32_t>(node.inputs_.size());
    node.inputs_.push_back(input);
    node.input_slots_.push_back(input.is_valid() ? add_use(input, {node.id_, position}) : -1);
  }
}

void ModelBuilder::detach_inputs(Node& node) {
  for (size_t i = node.inputs_.size(); i-- > 0;) {  // backwards: captures shrink from their end
    const ValueId input = node.inputs_[i];
    if (!input.is_valid()) continue;
    remove_use(input, node.input_slots_[i]);
    if (value_at(input).graph_ != node.graph_) drop_capture(node.graph_, input);
  }
  node.inputs_.clear();
  node.input_slots_.clear();
}

/// Notes one more subgraph of `node` that uses the value; true when it is the first.
bool ModelBuilder::node_captures(Node& node, ValueId value) {
  const auto at = std::lower_bound(node.captures_.begin(), node.captures_.end(), value);
  const auto position = at - node.captures_.begin();
  if (at != node.captures_.end() && *at == value) {
    ++node.capture_counts_[static_cast<size_t>(position)];
    return false;
  }
  node.captures_.insert(at, value);
  node.capture_counts_.insert(node.capture_counts_.begin() + position, 1);
  node.capture_slots_.insert(node.capture_slots_.begin() + position,
                             add_use(value, {node.id_, Use::kCapture}));
  return true;
}

/// The reverse; true when none is left.
bool ModelBuilder::node_lets_go(Node& node, ValueId value) {
  const auto at = std::lower_bound(node.captures_.begin(), node.captures_.end(), value);
  assert(at != node.captures_.end() && *at == value);
  const auto position = at - node.captures_.begin();
  if (--node.capture_counts_[static_cast<size_t>(position)] > 0) return false;
  remove_use(value, node.capture_slots_[static_cast<size_t>(position)]);
  node.captures_.erase(at);
  node.capture_counts_.erase(node.capture_counts_.begin() + position);
  node.capture_slots_.erase(node.capture_slots_.begin() + position);
  return true;
}

/// A value of a graph outside `where` is used in it: the node that owns `where` captures it, and so
/// do the owners of all graphs between. Depth of nesting is what readers allow (100).
void ModelBuilder::add_capture(GraphId where, ValueId value) {
  const GraphId home = value_at(value).graph_;
  for (GraphId graph = where; graph != home;) {
    Graph& inner = graph_at(graph);
    if (++inner.captured_[value] > 1) return;
    if (!inner.owner_.is_valid()) return;  // not yet owned: attach_captures carries on
    Node& owner = node_at(inner.owner_);
    if (!node_captures(owner, value)) return;
    graph = owner.graph_;
  }
}

void ModelBuilder::drop_capture(GraphId where, ValueId value) {
  const GraphId home = value_at(value).graph_;
  for (GraphId graph = where; graph != home;) {
    Graph& inner = graph_at(graph);
    const auto found = inner.captured_.find(value);
    assert(found != inner.captured_.end());
    if (--found->second > 0) return;
    inner.captured_.erase(found);
    if (!inner.owner_.is_valid()) return;
    Node& owner = node_at(inner.owner_);
    if (!node_lets_go(owner, value)) return;
    graph = owner.graph_;
  }
}

void ModelBuilder::attach_captures(Node& node) {
  for (GraphId subgraph : node.subgraphs()) {
    graph_at(subgraph).owner_ = node.id_;
    for (const auto& [value, count] : graph_at(subgraph).captured_)
      if (node_captures(node, value) && value_at(value).graph_ != node.graph_)
        add_capture(node.graph_, value);
  }
}

void ModelBuilder::detach_captures(Node& node) {
  for (GraphId subgraph : node.subgraphs()) {
    for (const auto& [value, count] : graph_at(subgraph).captured_)
      if (node_lets_go(node, value) && value_at(value).graph_ != node.graph_)
        drop_capture(node.graph_, value);
    graph_at(subgraph).owner_ = {};
  }
}

void ModelBuilder::remove_graph(GraphId root) {
  std::vector<GraphId> pending = {root};
  while (!pending.empty()) {
    Graph& graph = graph_at(pending.back());
    pending.pop_back();
    assert(!graph.owner_.is_valid());
    std::vector<ValueId> own(graph.inputs_.begin(), graph.inputs_.end());
    own.insert(own.end(), graph.initializers_.begin(), graph.initializers_.end());
    for (ValueId output : graph.outputs_) {
      --value_at(output).output_count_;
      if (value_at(output).graph_ != graph.id_) drop_capture(graph.id_, output);
    }
    while (graph.last_node_.is_valid()) {
      const Node& node = node_at(graph.last_node_);
      const std::vector<GraphId> inside = node.subgraphs();
      pending.insert(pending.end(), inside.begin(), inside.end());
      for (ValueId output : node.outputs_)
        if (output.is_valid()) own.push_back(output);
      remove_node(node.id_);
    }
    graph.inputs_.clear();
    graph.outputs_.clear();
    graph.initializers_.clear();
    graph.states_.clear();
    for (ValueId id : own) {
      Value& value = value_at(id);
      value.removed_ = true;
      value.is_input_ = false;
      value.constant_ = nullptr;
      value.name_ = {};
      value.type_ = {};
    }
  }
}

void ModelBuilder::set_name(ValueId value, std::string name) {
  if (!model_.used_names_.empty()) model_.used_names_.insert(name);
  value_at(value).name_ = std::move(name);
}

std::string ModelBuilder::unique_name(std::string_view hint) {
  auto& used = model_.used_names_;
  if (used.empty()) {
    for (const Value& value : model_.values_) used.insert(value.name_);
    for (const Node& node : model_.nodes_) used.insert(node.name_);
    used.insert("");  // so that it is filled once, and the empty name is never given
  }
  std::string name(hint);
  if (used.insert(name).second) return name;
  size_t& suffix = model_.next_suffix_[name];
  do {
    name = std::string(hint) + "_" + std::to_string(++suffix);
  } while (!used.insert(name).second);
  return name;
}

}  // namespace shipway
