#include "operators/reference.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "operators/bound_to_hardware.h"

namespace shipway {
namespace {

/// Does a value fit what is declared of an input? Symbols are not checked against each other here.
Status check_input(const Model& model, const Value& input, const RuntimeValue& value) {
  const Type& type = input.type();
  const Tensor* tensor = value.tensor();
  if (!type.is_tensor()) return Status::ok();
  if (!tensor)
    return Status::invalid_argument("input {} is {}, expected {}", quoted(input.name()),
                                    to_string(value), to_string(type, model.dims()));
  const auto mismatch = [&] {
    return Status::invalid_argument("input {} is {}[{}], expected {}", quoted(input.name()),
                                    to_string(tensor->dtype()), to_string(tensor->shape()),
                                    to_string(type, model.dims()));
  };
  if (type.dtype() != DType::kUndefined && tensor->dtype() != type.dtype()) return mismatch();
  if (!type.dims()) return Status::ok();
  if (type.dims()->size() != tensor->shape().size()) return mismatch();
  for (size_t i = 0; i < tensor->shape().size(); ++i) {
    const Dim dim = (*type.dims())[i];
    if (dim.is_constant() && dim.value() != tensor->shape()[i]) return mismatch();
  }
  return Status::ok();
}

}  // namespace

void ReferenceRunner::set_value(ValueId id, RuntimeValue value) {
  values_.resize(model_.value_count());
  values_[static_cast<size_t>(id.index)] = std::move(value);
}

RuntimeValue ReferenceRunner::value_of(ValueId id) const {
  if (!id.is_valid()) return {};
  const auto index = static_cast<size_t>(id.index);
  if (index < values_.size() && !values_[index].is_absent()) return values_[index];
  if (const Constant* constant = model_.value(id).constant()) {
    if (constant->sparse) return SparseTensor(*constant->sparse);
    return constant->tensor;
  }
  return {};
}

void ReferenceRunner::find_last_uses(GraphId graph) {
  graph_known_.resize(model_.graph_count());
  releases_.resize(model_.node_count());
  if (graph_known_[static_cast<size_t>(graph.index)]) return;
  graph_known_[static_cast<size_t>(graph.index)] = true;
  std::unordered_map<int32_t, NodeId> last_use;  // of the graph's own values
  const auto used = [&](ValueId id, NodeId node) {
    if (id.is_valid() && model_.value(id).graph() == graph) last_use[id.index] = node;
  };
  for (const Node& node : model_.nodes(graph)) {
    for (ValueId id : node.outputs()) used(id, node.id());
    for (ValueId id : node.inputs()) used(id, node.id());
    for (ValueId id : node.captures()) used(id, node.id());
  }
  for (const auto& [index, node] : last_use)
    if (model_.value(ValueId{index}).output_count() == 0)
      releases_[static_cast<size_t>(node.index)].push_back(ValueId{index});
}

Status ReferenceRunner::run_node(const Node& node, std::span<const RuntimeValue> inputs,
                                 std::span<RuntimeValue> outputs) {
  const Operator* op = registry_.find(node.domain(), node.op_type());
  const auto fail = [&](const Status& status) {
    return status.is_ok() ? status : status.with_context("{}", model_.describe(node.id()));
  };
  if (!op || !op->evaluate) {
    const std::string_view why = why_bound_to_hardware(node.domain(), node.op_type());
    return fail(Status::unsupported("there is no evaluation of operator {}{}{}{}",
                                    node.domain().empty() ? "" : node.domain() + ".",
                                    node.op_type(), why.empty() ? "" : ": ", why));
  }
  const Schema& schema = *op->versions.newest();
  if (Status status = check_form(node, schema); !status.is_ok()) return fail(status);
  EvaluateContext context(*op, node, schema, inputs, outputs);
  context.set_limits(&limits_);
  context.set_model(&model_);
  if (subgraph_runner_)
    context.set_subgraph_runner(subgraph_runner_);
  else
    context.set_subgraph_runner([this](GraphId graph, std::span<const RuntimeValue> values) {
      return run_subgraph(graph, values);
    });
  try {
    return fail(op->evaluate(context));
  } catch (const std::bad_alloc&) {
    return fail(Status::out_of_memory("no memory left"));
  } catch (const Error& error) {
    return fail(error.status());
  }
}

Status ReferenceRunner::run_graph(GraphId graph) {
  find_last_uses(graph);
  std::vector<RuntimeValue> inputs, outputs;
  for (const Node& node : model_.nodes(graph)) {
    if (const Status status = limits_.poll(); !status.is_ok())
      return status.with_context("{}", model_.describe(node.id()));
    inputs.clear();
    for (ValueId id : node.inputs()) {
      inputs.push_back(value_of(id));
      if (Tensor* tensor = inputs.back().tensor(); tensor && !tensor->is_contiguous()) {
        SHIPWAY_ASSIGN_OR_RETURN(*tensor, tensor->contiguous());
      }
    }
    outputs.assign(node.outputs().size(), {});
    SHIPWAY_RETURN_IF_ERROR(run_node(node, inputs, outputs));
    if (observer_) observer_(node, outputs);
    for (size_t i = 0; i < outputs.size(); ++i)
      if (node.output(i).is_valid())
        values_[static_cast<size_t>(node.output(i).index)] = std::move(outputs[i]);
    for (ValueId id : releases_[static_cast<size_t>(node.id().index)])
      values_[static_cast<size_t>(id.index)] = {};
  }
  return Status::ok();
}

Result<std::vector<RuntimeValue>> ReferenceRunner::run_subgraph(
    GraphId graph, std::span<const RuntimeValue> inputs) {
  const std::span<const ValueId> formal = model_.graph(graph).inputs();
  if (inputs.size() > formal.size())
    return Status::invalid_model("its subgraph {} has {} inputs, but {} are given",
                                 quoted(model_.graph(graph).name()), formal.size(), inputs.size());
  if (depth_ >= Type::kMaxDepth)
    return Status::limit("graphs are nested more than {} deep", Type::kMaxDepth);
  ++depth_;
  values_.resize(model_.value_count());
  for (size_t i = 0; i < inputs.size(); ++i)
    values_[static_cast<size_t>(formal[i].index)] = inputs[i];
  const Status status = run_graph(graph);
  --depth_;
  SHIPWAY_RETURN_IF_ERROR(status);
  std::vector<RuntimeValue> outputs;
  for (ValueId id : model_.graph(graph).outputs()) outputs.push_back(value_of(id));
  return outputs;
}

Result<std::vector<RuntimeValue>> ReferenceRunner::run(
    std::span<const std::pair<ValueId, RuntimeValue>> inputs) {
  values_.assign(model_.value_count(), {});
  for (const auto& [id, value] : inputs) {
    if (!id.is_valid() || !model_.value(id).is_input())
      return Status::invalid_argument("value {} is not an input of the graph",
                                      id.is_valid() ? quoted(model_.value(id).name()) : "#-1");
    SHIPWAY_RETURN_IF_ERROR(check_input(model_, model_.value(id), value));
    values_[static_cast<size_t>(id.index)] = value;
  }
  std::string missing;
  for (ValueId id : model_.graph().inputs()) {
    const Value& value = model_.value(id);
    const bool given = std::any_of(inputs.begin(), inputs.end(),
                                   [&](const auto& pair) { return pair.first == id; });
    if (!given && !value.is_initializer() && value.type().kind() != TypeKind::kOptional)
      missing += (missing.empty() ? "" : ", ") + quoted(value.name());
  }
  if (!missing.empty()) return Status::invalid_argument("missing inputs: {}", missing);
  SHIPWAY_RETURN_IF_ERROR(run_graph(model_.main_graph()));
  std::vector<RuntimeValue> outputs;
  for (ValueId id : model_.graph().outputs()) outputs.push_back(value_of(id));
  return outputs;
}

}  // namespace shipway
