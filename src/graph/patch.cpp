#include "graph/patch.h"

#include <algorithm>

namespace shipway {
namespace {

constexpr int32_t kFirstProvisional = -2;  // -1 is "left out"

}  // namespace

ValueId Patch::add_value(std::string hint, Type type) {
  new_values_.push_back({std::move(hint), std::move(type), {}});
  return {kFirstProvisional - static_cast<int32_t>(new_values_.size()) + 1};
}

ValueId Patch::add_constant(std::string hint, Tensor tensor) {
  Dims dims;
  for (int64_t size : tensor.shape()) dims.push_back(size);
  const ValueId id = add_value(std::move(hint), Type::tensor(tensor.dtype(), std::move(dims)));
  new_values_.back().constant = std::move(tensor);
  return id;
}

void Patch::add_node(NodeSpec spec) { new_nodes_.push_back(std::move(spec)); }

ValueId Patch::add_node(std::string op_type, std::vector<ValueId> inputs,
                        std::vector<Attribute> attributes, std::string hint, Type type) {
  const ValueId output = add_value(hint.empty() ? op_type : std::move(hint), std::move(type));
  NodeSpec spec;
  spec.op_type = std::move(op_type);
  spec.inputs = std::move(inputs);
  spec.outputs = {output};
  spec.attributes = std::move(attributes);
  add_node(std::move(spec));
  return output;
}

bool Patch::empty() const { return size() == 0; }

size_t Patch::size() const {
  return new_nodes_.size() + removed_nodes_.size() + replaced_.size() + inputs_.size() +
         input_lists_.size() + attributes_.size() + dropped_attributes_.size() + types_.size() +
         ops_.size() + constants_.size() + removed_values_.size();
}

std::vector<NodeId> Patch::neighbourhood(const Model& model) const {
  constexpr size_t kMaxUsers = 64;
  std::vector<NodeId> found;
  const auto add_value = [&](ValueId id) {
    if (id.index < 0 || static_cast<size_t>(id.index) >= model.value_count())
      return;  // provisional ones too
    const Value& value = model.value(id);
    if (value.producer().is_valid()) found.push_back(value.producer());
    const std::span<const Use> uses = value.uses();
    for (const Use& use : uses.first(std::min(uses.size(), kMaxUsers))) found.push_back(use.node);
  };
  const auto add_node = [&](NodeId id) {
    found.push_back(id);
    for (ValueId input : model.node(id).inputs()) add_value(input);
    for (ValueId output : model.node(id).outputs()) add_value(output);
  };
  if (anchor_.is_valid()) add_node(anchor_);
  for (NodeId id : removed_nodes_) add_node(id);
  for (const Replacement& edit : replaced_) add_value(edit.value), add_value(edit.with);
  for (const Input& edit : inputs_) add_node(edit.node), add_value(edit.value);
  for (const InputList& edit : input_lists_) add_node(edit.node);
  for (const NodeAttribute& edit : attributes_) add_node(edit.node);
  for (const NodeName& edit : dropped_attributes_) add_node(edit.node);
  for (const Op& edit : ops_) add_node(edit.node);
  for (const auto& [value, tensor] : constants_) add_value(value);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Status Patch::apply(Model& model) && {
  ModelBuilder builder(model);
  const GraphId graph = anchor_.is_valid() ? model.node(anchor_).graph() : model.main_graph();

  std::vector<ValueId> made;
  made.reserve(new_values_.size());
  for (NewValue& value : new_values_) {
    const ValueId id =
        builder.add_value(graph, builder.unique_name(value.hint), std::move(value.type));
    if (value.constant.is_defined())
      builder.add_initializer(id, {std::move(value.constant), nullptr, nullptr});
    made.push_back(id);
  }
  const auto actual = [&](ValueId id) {
    return id.index <= kFirstProvisional ? made[static_cast<size_t>(kFirstProvisional - id.index)]
                                         : id;
  };

  std::vector<SourceId> sources;
  for (NodeId id : removed_nodes_)
    for (SourceId source : model.node(id).sources()) sources.push_back(source);
  if (removed_nodes_.empty() && anchor_.is_valid())
    for (SourceId source : model.node(anchor_).sources()) sources.push_back(source);
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());

  // A removed anchor still marks the place: the first node after it that stays.
  NodeId before = anchor_;
  std::vector<NodeId> sorted = removed_nodes_;
  std::sort(sorted.begin(), sorted.end());
  const auto is_removed = [&](NodeId id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
  };
  while (before.is_valid() && is_removed(before)) before = model.node(before).next();
  std::vector<ValueId> orphans;
  std::vector<GraphId> bodies;  // of removed nodes: a new node may take them over
  for (NodeId id : removed_nodes_) {
    if (model.node(id).is_removed()) return Status::internal("node #{} is removed twice", id.index);
    for (ValueId output : model.node(id).outputs())
      if (output.is_valid()) orphans.push_back(output);
    const std::vector<GraphId> inside = model.node(id).subgraphs();
    bodies.insert(bodies.end(), inside.begin(), inside.end());
    builder.remove_node(id);
  }
  for (NodeSpec& spec : new_nodes_) {
    for (ValueId& input : spec.inputs) input = actual(input);
    for (ValueId& output : spec.outputs) output = actual(output);
    if (spec.name.empty()) spec.name = builder.unique_name(spec.op_type);
    SHIPWAY_RETURN_IF_ERROR(builder.add_node(graph, std::move(spec), before, sources).status());
  }
  for (auto& [value, tensor] : constants_) {
    if (model.value(value).producer().is_valid())
      return Status::internal("value '{}' is given data while {} makes it",
                              model.value(value).name(),
                              model.describe(model.value(value).producer()));
    Dims dims;
    for (int64_t size : tensor.shape()) dims.push_back(size);
    builder.set_type(value, Type::tensor(tensor.dtype(), std::move(dims)));
    builder.add_initializer(value, {std::move(tensor), nullptr, nullptr});
  }
  for (const Replacement& edit : replaced_) {
    const ValueId with = actual(edit.with);
    const std::vector<Use> uses(model.value(edit.value).uses().begin(),
                                model.value(edit.value).uses().end());
    for (const Use& use : uses)
      if (use.input != Use::kCapture && model.node(use.node).output(0) != with)
        builder.set_input(use.node, static_cast<size_t>(use.input), with);
    if (model.value(edit.value).output_count() > 0 &&
        !model.value(edit.value).producer().is_valid()) {
      NodeSpec keep;
      keep.op_type = "Identity";
      keep.inputs = {with};
      keep.outputs = {edit.value};
      keep.name = builder.unique_name("Identity");
      const GraphId home = model.value(edit.value).graph();
      SHIPWAY_RETURN_IF_ERROR(
          builder.add_node(home, std::move(keep), home == graph ? before : NodeId{}, sources)
              .status());
    }
  }
  for (const Input& edit : inputs_) builder.set_input(edit.node, edit.input, actual(edit.value));
  for (InputList& edit : input_lists_) {
    for (ValueId& input : edit.inputs) input = actual(input);
    builder.set_inputs(edit.node, edit.inputs);
  }
  for (NodeAttribute& edit : attributes_)
    builder.set_attribute(edit.node, std::move(edit.attribute));
  for (const NodeName& edit : dropped_attributes_) builder.remove_attribute(edit.node, edit.name);
  for (Op& edit : ops_) builder.set_op(edit.node, std::move(edit.domain), std::move(edit.op_type));
  for (auto& [value, type] : types_) builder.set_type(actual(value), std::move(type));

  for (GraphId body : bodies)
    if (!model.graph(body).owner().is_valid()) builder.remove_graph(body);
  for (ValueId id : orphans) {
    const Value& value = model.value(id);
    if (value.producer().is_valid() || value.is_initializer() || value.is_removed()) continue;
    if (!value.uses().empty() || value.output_count() > 0)
      return Status::internal("value '{}' lost its producer but is still used", value.name());
    SHIPWAY_RETURN_IF_ERROR(builder.remove_value(id));
  }
  std::vector<ValueId> dropped_constants;
  for (ValueId id : removed_values_)
    if (model.value(id).is_initializer()) dropped_constants.push_back(id);
  builder.remove_initializers(dropped_constants);
  for (ValueId id : removed_values_) SHIPWAY_RETURN_IF_ERROR(builder.remove_value(id));
  return Status::ok();
}

}  // namespace shipway
