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

void ModelBuilder::set_graph_name(GraphId graph, std::string name) { graph_at(graph).name_ = std::move(name); }

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

void ModelBuilder::add_output(GraphId graph, ValueId value) {
  graph_at(graph).outputs_.push_back(value);
  ++value_at(value).output_count_;
  if (value_at(value).graph_ != graph) note_capture(graph, value);
}

void ModelBuilder::set_output(GraphId graph, size_t output, ValueId value) {
  --value_at(graph_at(graph).outputs_[output]).output_count_;
  graph_at(graph).outputs_[output] = value;
  ++value_at(value).output_count_;
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
    std::erase_if(graph_at(graph).initializers_, [&](ValueId id) { return !value_at(id).constant_; });
}

void ModelBuilder::add_state(GraphId graph, StatePair state) { graph_at(graph).states_.push_back(std::move(state)); }

void ModelBuilder::add_function(Function function) { model_.functions_.push_back(std::move(function)); }

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
  if (value.producer_.is_valid() || !value.uses_.empty() || value.is_input_ || value.output_count_ > 0)
    return Status::internal("value '{}' is removed while something still makes or uses it", value.name_);
  if (value.constant_) remove_initializers({&id, 1});
  value.removed_ = true;
  model_.used_names_.erase(value.name_);
  value.name_ = {};
  value.type_ = {};
  return Status::ok();
}

void ModelBuilder::set_input(NodeId id, size_t input, ValueId value) {
  Node& node = node_at(id);
  if (node.inputs_[input].is_valid()) remove_use(node.inputs_[input], node.input_slots_[input]);
  node.inputs_[input] = value;
  node.input_slots_[input] = value.is_valid() ? add_use(value, {id, static_cast<int32_t>(input)}) : -1;
}

void ModelBuilder::set_inputs(NodeId id, std::span<const ValueId> inputs) {
  Node& node = node_at(id);
  const std::vector<ValueId> kept(inputs.begin(), inputs.end());  // may be a view of what is detached
  detach_inputs(node);
  attach_inputs(node, kept);
}

void ModelBuilder::set_attribute(NodeId id, Attribute attribute) {
  Node& node = node_at(id);
  const bool has_graph = attribute.get<GraphId>() || attribute.get<std::vector<GraphId>>();
  const auto found = std::find_if(node.attributes_.begin(), node.attributes_.end(),
                                  [&](const Attribute& a) { return a.name == attribute.name; });
  if (found != node.attributes_.end()) *found = std::move(attribute);
  else node.attributes_.push_back(std::move(attribute));
  if (has_graph) {
    detach_captures(node);
    attach_captures(node);
  }
}

void ModelBuilder::remove_attribute(NodeId id, std::string_view name) {
  std::erase_if(node_at(id).attributes_, [&](const Attribute& a) { return a.name == name; });
}

void ModelBuilder::set_op(NodeId id, std::string domain, std::string op_type) {
  node_at(id).domain_ = std::move(domain);
  node_at(id).op_type_ = std::move(op_type);
}

int32_t ModelBuilder::add_use(ValueId value, Use use) {
  auto& uses = value_at(value).uses_;
  uses.push_back(use);
  const NodeId user = use.node;
  if (value_at(value).graph_ != node_at(user).graph_) note_capture(node_at(user).graph_, value);
  return static_cast<int32_t>(uses.size()) - 1;
}

int32_t& ModelBuilder::slot_of(const Use& use, ValueId value) {
  Node& node = node_at(use.node);
  if (use.input != Use::kCapture) return node.input_slots_[static_cast<size_t>(use.input)];
  const auto at = std::find(node.captures_.begin(), node.captures_.end(), value) - node.captures_.begin();
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
  for (size_t i = 0; i < node.inputs_.size(); ++i)
    if (node.inputs_[i].is_valid()) remove_use(node.inputs_[i], node.input_slots_[i]);
  node.inputs_.clear();
  node.input_slots_.clear();
}

/// A value of a graph outside `where` is used in it: the node that owns `where` captures it, and so do the owners
/// of all graphs between. Depth of nesting is what readers allow (100).
void ModelBuilder::note_capture(GraphId where, ValueId value) {
  const GraphId home = value_at(value).graph_;
  for (GraphId graph = where; graph != home;) {
    Graph& inner = graph_at(graph);
    if (std::find(inner.captured_.begin(), inner.captured_.end(), value) != inner.captured_.end()) return;
    inner.captured_.push_back(value);
    if (!inner.owner_.is_valid()) return;  // not yet owned: attach_captures carries on
    Node& owner = node_at(inner.owner_);
    if (std::find(owner.captures_.begin(), owner.captures_.end(), value) == owner.captures_.end()) {
      owner.captures_.push_back(value);
      value_at(value).uses_.push_back({owner.id_, Use::kCapture});
      owner.capture_slots_.push_back(static_cast<int32_t>(value_at(value).uses_.size()) - 1);
    }
    graph = owner.graph_;
  }
}

void ModelBuilder::attach_captures(Node& node) {
  for (GraphId subgraph : node.subgraphs()) {
    graph_at(subgraph).owner_ = node.id_;
    for (ValueId value : graph_at(subgraph).captured_) {
      if (std::find(node.captures_.begin(), node.captures_.end(), value) != node.captures_.end()) continue;
      node.captures_.push_back(value);
      value_at(value).uses_.push_back({node.id_, Use::kCapture});
      node.capture_slots_.push_back(static_cast<int32_t>(value_at(value).uses_.size()) - 1);
      if (value_at(value).graph_ != node.graph_) note_capture(node.graph_, value);
    }
  }
}

void ModelBuilder::detach_captures(Node& node) {
  while (!node.captures_.empty()) {  // from the back: slot_of looks a capture up by its place
    remove_use(node.captures_.back(), node.capture_slots_.back());
    node.captures_.pop_back();
    node.capture_slots_.pop_back();
  }
}

void ModelBuilder::refresh_captures() {
  for (Node& node : model_.nodes_) {
    if (!node.removed_) detach_captures(node);
  }
  for (Graph& graph : model_.graphs_) graph.captured_.clear();
  for (Node& node : model_.nodes_) {
    if (node.removed_) continue;
    for (ValueId input : node.inputs_)
      if (input.is_valid() && value_at(input).graph_ != node.graph_) note_capture(node.graph_, input);
  }
  for (Graph& graph : model_.graphs_)
    for (ValueId output : graph.outputs_)
      if (value_at(output).graph_ != graph.id_) note_capture(graph.id_, output);
}

std::string ModelBuilder::unique_name(std::string_view hint) {
  auto& used = model_.used_names_;
  if (used.empty()) {
    for (const Value& value : model_.values_) used.insert(value.name_);
    for (const Node& node : model_.nodes_) used.insert(node.name_);
    used.insert("");  // so that it is filled once, and the empty name is never given
  }
  std::string name(hint);
  // A counter per hint would be faster for thousands of like names; one per model spreads them well enough.
  for (size_t suffix = 1; !used.insert(name).second; ++suffix)
    name = std::string(hint) + "_" + std::to_string(suffix == 1 ? suffix : suffix + model_.values_.size());
  return name;
}

}  // namespace shipway
