// Lowering: from an optimised ONNX graph to a flat list of kernel and reference steps.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "engine/bind.h"
#include "engine/lowering.h"
#include "operators/bound_to_hardware.h"

namespace shipway {

Result<LoweredModel> lower(const Model& model, const Registry& registry, WeightStore& weights,
                           const LowerOptions& options) {
  return Lowering(model, registry, weights, options).run();
}

AttributeReader Lowering::attributes(const Node& node) const {
  static const Schema none;
  const Operator* op = registry_.find(node.domain(), node.op_type());
  return AttributeReader(node, op && op->versions.newest() ? *op->versions.newest() : none);
}

const Node* Lowering::only_user(ValueId id) const {
  const Value& value = model_.value(id);
  if (value.output_count() > 0 || value.uses().size() != 1 ||
      value.uses()[0].input == Use::kCapture)
    return nullptr;
  const Node& user = model_.node(value.uses()[0].node);
  return user.graph() == value.graph() ? &user : nullptr;
}

// ----------------------------------------------------------------------------------------------
// values

int32_t Lowering::define(ValueId id, kernels::Layout layout) {
  LoweredValue value;
  value.layout = layout;
  value.dtype = dtype(id);
  value.source = id;
  const auto index = static_cast<int32_t>(plan_.values.size());
  plan_.values.push_back(std::move(value));
  Versions& v = versions(id);
  if (v.plain < 0 && v.blocked < 0) v.made_blocked = layout.is_blocked();
  (layout.is_blocked() ? v.blocked : v.plain) = index;
  return index;
}

void Lowering::add_alias(const Node& node, int32_t input) {
  Step step;
  step.kind = Step::Kind::kAlias;
  step.inputs = {input};
  step.outputs = {define(node.output(0), kernels::Layout::plain())};
  step.nodes = {node.id()};
  push_step(std::move(step));
}

/// Notes what the step's nodes read besides its inputs: sizes and axes, say, that its kernel has
/// from the plan.
void Lowering::push_step(Step step) {
  const auto is_made_inside = [&](ValueId id) {
    const NodeId maker = model_.value(id).producer();
    return maker.is_valid() &&
           std::find(step.nodes.begin(), step.nodes.end(), maker) != step.nodes.end();
  };
  const auto is_input = [&](ValueId id) {
    return std::any_of(step.inputs.begin(), step.inputs.end(), [&](int32_t v) {
      return v >= 0 && plan_.values[static_cast<size_t>(v)].source == id;
    });
  };
  for (NodeId node : step.nodes)
    for (ValueId id : model_.node(node).inputs()) {
      if (!id.is_valid() || constant(id) || is_made_inside(id) || is_input(id)) continue;
      const Versions& known = versions(id);
      int32_t value = known.plain >= 0 ? known.plain : known.blocked;
      if (value < 0) {  // an input that nothing else needed so far
        Result<int32_t> input = use_plain(id);
        if (input.is_ok()) value = *input;
      }
      if (value >= 0 &&
          std::find(step.others.begin(), step.others.end(), value) == step.others.end())
        step.others.push_back(value);
    }
  plan_.steps.push_back(std::move(step));
}

kernels::Layout Lowering::made_in(ValueId id) const {
  return versions_[static_cast<size_t>(id.index)].made_blocked ? blocked()
                                                               : kernels::Layout::plain();
}

Result<int32_t> Lowering::use(ValueId id, kernels::Layout layout) {
  if (!id.is_valid()) return -1;
  Versions& v = versions(id);
  const int32_t found = layout.is_blocked() ? v.blocked : v.plain;
  if (found >= 0) return found;
  if (v.plain < 0 && v.blocked < 0) {  // first seen: an initializer or an input
    const Value& value = model_.value(id);
    const int32_t index = define(id, kernels::Layout::plain());
    LoweredValue& lowered = plan_.values[static_cast<size_t>(index)];
    if (const Tensor* tensor = constant(id)) {
      lowered.kind = LoweredValue::Kind::kConstant;
      lowered.constant = *tensor;
      lowered.dtype = tensor->dtype();
    } else if (value.graph() != graph()) {
      lowered.kind = LoweredValue::Kind::kInput;
      plan_.captures.push_back(index);
    } else if (value.is_input()) {
      lowered.kind = LoweredValue::Kind::kInput;
    } else if (value.constant() && value.constant()->sparse) {
      SHIPWAY_ASSIGN_OR_RETURN(lowered.constant, value.constant()->sparse->to_dense());
      lowered.kind = LoweredValue::Kind::kConstant;
    } else {
      return Status::internal("value {} is used before it is made", quoted(value.name()));
    }
    if (!layout.is_blocked()) return index;
  }
  const int32_t from = layout.is_blocked() ? v.plain : v.blocked;
  const kernels::ReorderProblem problem{plan_.values[static_cast<size_t>(from)].layout, layout};
  const bool is_constant =
      plan_.values[static_cast<size_t>(from)].kind == LoweredValue::Kind::kConstant;
  if (is_constant) {  // reordered now, once
    const Tensor& constant = plan_.values[static_cast<size_t>(from)].constant;
    SHIPWAY_ASSIGN_OR_RETURN(Tensor reordered, reorder_now(constant.data(), constant.dtype(),
                                                           constant.shape(), problem, isa_));
    const int32_t index = define(id, layout);
    plan_.values[static_cast<size_t>(index)].kind = LoweredValue::Kind::kConstant;
    plan_.values[static_cast<size_t>(index)].constant = std::move(reordered);
    return index;
  }
  const int32_t index = define(id, layout);
  SHIPWAY_ASSIGN_OR_RETURN(const bool done, add_kernel(problem, {BindRule::Kind::kReorder, {}, {}},
                                                       {from}, {index}, {}));
  if (!done) return Status::internal("no kernel changes the layout of {}", to_string(plan_.isa));
  return index;
}

// ----------------------------------------------------------------------------------------------
// steps

Result<bool> Lowering::add_kernel(const kernels::Problem& problem, BindRule rule,
                                  std::vector<int32_t> inputs, std::vector<int32_t> outputs,
                                  std::vector<NodeId> nodes, const Tensor* weights,
                                  const WeightStore::Join& joined_weights) {
  std::vector<kernels::Refusal> passed_over;
  Result<kernels::KernelPlan> plan = kernels::prepare(problem, isa_, &passed_over);
  const bool is_reorder = nodes.empty();  // made for the node at hand, whose refusals stay its own
  if (!is_reorder)
    for (const kernels::Refusal& r : passed_over)  // layouts were chosen before
      if (!plan.is_ok() || r.code != kernels::RefusalCode::kLayout)
        refuse(r.code, r.text, r.kernel);
  if (!plan.is_ok()) {
    for (int32_t output : outputs) {  // forget the values made for it
      if (output < 0) continue;
      Versions& v = versions(plan_.values[static_cast<size_t>(output)].source);
      (plan_.values[static_cast<size_t>(output)].layout.is_blocked() ? v.blocked : v.plain) = -1;
      if (v.plain < 0 && v.blocked < 0) v.made_blocked = false;
    }
    return passed_over.empty() ? refuse(kernels::RefusalCode::kIsa, "no kernel for this set")
                               : false;
  }
  Step step;
  step.kind = Step::Kind::kKernel;
  step.plan = *plan;
  step.rule = std::move(rule);
  step.inputs = std::move(inputs);
  step.outputs = std::move(outputs);
  step.nodes = std::move(nodes);
  if (!is_reorder) step.refusals = std::exchange(refusals_, {});
  const bool packs = plan->weights.kind != kernels::PackKind::kNone;
  if (weights && packs) {
    SHIPWAY_ASSIGN_OR_RETURN(step.weights, weights_.packed(*weights, plan->weights));
  } else if (joined_weights && packs) {
    SHIPWAY_ASSIGN_OR_RETURN(step.weights, weights_.packed_joined(plan->weights, joined_weights));
  }
  push_step(std::move(step));
  return true;
}

bool Lowering::refuse(kernels::RefusalCode code, const char* reason, std::string_view kernel) {
  Refusal refusal{std::string(to_string(code)), std::string(kernel), reason};
  if (std::find(refusals_.begin(), refusals_.end(), refusal) == refusals_.end())
    refusals_.push_back(std::move(refusal));
  return false;
}

Status Lowering::lower_reference(const Node& node) {
  const Operator* op = registry_.find(node.domain(), node.op_type());
  if (!op || !op->evaluate) missing_.push_back(node.id());  // told all together at the end
  Step step;
  step.nodes = {node.id()};
  step.refusals = std::exchange(refusals_, {});
  for (ValueId input : node.inputs()) {
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, use_plain(input));
    step.inputs.push_back(value);
  }
  for (ValueId capture : node.captures()) {  // after the inputs: values that its subgraphs read
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, use_plain(capture));
    step.inputs.push_back(value);
  }
  for (ValueId output : node.outputs())
    step.outputs.push_back(output.is_valid() ? define(output, kernels::Layout::plain()) : -1);
  push_step(std::move(step));
  return Status::ok();
}

/// Every operator that cannot run, with its first node and how often it stands in the graph.
Status Lowering::refuse_missing() const {
  std::map<std::string, std::pair<NodeId, int>> operators;
  for (NodeId id : missing_) {
    const Node& node = model_.node(id);
    ++operators
          .try_emplace((node.domain().empty() ? "" : node.domain() + ".") + node.op_type(), id, 0)
          .first->second.second;
  }
  std::string text;
  for (const auto& [name, where] : operators) {
    const Node& first = model_.node(where.first);
    const std::string_view why = why_bound_to_hardware(first.domain(), first.op_type());
    text += (text.empty() ? "" : "; ") + quoted(name) + " (" + std::to_string(where.second) +
            (where.second == 1 ? " node: " : " nodes, the first: ") + model_.describe(where.first) +
            ")" + (why.empty() ? "" : ": ") + std::string(why);
  }
  return Status::unsupported("there is no evaluation of {}", text);
}

Result<bool> Lowering::lower_node(const Node& node) {
  using Code = kernels::RefusalCode;
  refusals_.clear();
  if (isa_ == Isa::kScalar)
    return refuse(Code::kForced, "SHIPWAY_ISA=scalar asks for the reference loops");
  if (const LowerFunction function = find_lowering(node)) return function(*this, node);
  if (is_elementwise_operator(node)) return refuse_elementwise(node);
  return refuse(Code::kOperator, "no kernel is written for this operator");
}

Result<LoweredModel> Lowering::run() {
  LoweredModel lowered;
  std::vector<GraphId> graphs = {model_.main_graph()};
  for (size_t i = 0; i < graphs.size(); ++i) {
    for (const Node& node : model_.nodes(graphs[i])) {
      if (node.attributes().empty()) continue;
      const std::vector<GraphId> bodies = node.subgraphs();
      graphs.insert(graphs.end(), bodies.begin(), bodies.end());
    }
    SHIPWAY_ASSIGN_OR_RETURN(Plan plan, lower_graph(graphs[i]));
    lowered.plans.push_back(std::move(plan));
  }
  if (!missing_.empty()) return refuse_missing();
  lowered.released = release_packed(lowered.plans);
  return lowered;
}

Result<Plan> Lowering::lower_graph(GraphId graph) {
  plan_ = {};
  plan_.graph = graph;
  plan_.isa = isa_;
  SHIPWAY_RETURN_IF_ERROR(lower_nodes());
  for (ValueId id : model_.graph(graph).inputs()) {
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, use_plain(id));
    plan_.values[static_cast<size_t>(value)].kind = LoweredValue::Kind::kInput;
    plan_.inputs.push_back(value);
  }
  for (ValueId id : model_.graph(graph).outputs()) {
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, use_plain(id));
    plan_.outputs.push_back(value);
  }
  for (const LoweredValue& value : plan_.values) versions(value.source) = {};
  return std::move(plan_);
}

Status Lowering::lower_nodes() {
  if (isa_ != Isa::kScalar) {
    find_epilogues();
    find_groups();
  }
  for (const Node& node : model_.nodes(graph())) {
    if (const auto taken = taken_.find(node.id().index);
        taken != taken_.end() && taken->second != node.id())
      continue;
    bool done = false;
    refusals_.clear();
    if (const auto group = groups_.find(node.id().index); group != groups_.end()) {
      SHIPWAY_ASSIGN_OR_RETURN(done, lower_group(node, group->second));
      if (!done) {  // its nodes one by one
        const std::vector<Refusal> why = refusals_;
        for (NodeId member : group->second.nodes) {
          refusals_ = why;
          if (member != node.id()) SHIPWAY_RETURN_IF_ERROR(lower_reference(model_.node(member)));
        }
      }
    } else if (const auto epilogue = epilogues_.find(node.id().index);
               epilogue != epilogues_.end()) {
      // The step does all of the chain; when no kernel takes it whole, its nodes are done one by
      // one.
      SHIPWAY_ASSIGN_OR_RETURN(done, lower_node(model_.node(epilogue->second.nodes.front())));
      if (!done) {
        const std::vector<NodeId> nodes = epilogue->second.nodes;
        const std::vector<Refusal> why = refusals_;
        epilogues_.erase(epilogue);
        for (NodeId member : nodes) {
          if (member == node.id()) break;
          taken_.erase(member.index);
          SHIPWAY_ASSIGN_OR_RETURN(const bool single, lower_node(model_.node(member)));
          if (!single) SHIPWAY_RETURN_IF_ERROR(lower_reference(model_.node(member)));
        }
        refusals_ = why;
      }
    } else {
      SHIPWAY_ASSIGN_OR_RETURN(done, lower_node(node));
    }
    if (done) continue;
    SHIPWAY_RETURN_IF_ERROR(lower_reference(node));
  }
  return Status::ok();
}

/// Weights that no step reads but in a packed form need no memory beside it.
std::vector<std::pair<ValueId, Tensor>> Lowering::release_packed(std::vector<Plan>& plans) {
  std::vector<bool> is_read(model_.value_count()), is_packed(model_.value_count());
  for (const Plan& plan : plans) {
    const auto mark = [&](std::vector<bool>& marks, int32_t v) {
      if (v >= 0)
        marks[static_cast<size_t>(plan.values[static_cast<size_t>(v)].source.index)] = true;
    };
    for (const Step& step : plan.steps)
      for (size_t i = 0; i < step.inputs.size(); ++i)
        mark(step.weights && i == 1 ? is_packed : is_read, step.inputs[i]);
    for (int32_t output : plan.outputs) mark(is_read, output);
  }
  std::vector<std::pair<ValueId, Tensor>> released;
  for (Plan& plan : plans)
    for (LoweredValue& value : plan.values) {
      const auto index = static_cast<size_t>(value.source.index);
      if (value.kind != LoweredValue::Kind::kConstant || is_read[index] || !is_packed[index])
        continue;
      value.is_read = false;
      value.constant = weights_.released(value.constant);
      released.emplace_back(value.source, value.constant);
    }
  return released;
}

// ----------------------------------------------------------------------------------------------
// epilogues

namespace {

bool is_constant_of(const Lowering& lowering, ValueId id, Dim channels) {
  const Tensor* tensor = lowering.constant(id);
  return tensor && tensor->dtype() == DType::kFloat32 && channels.is_constant() &&
         tensor->element_count() == channels.value();
}

/// A constant with one value per channel: [C] at the channels' place and 1 elsewhere.
bool is_per_channel(const Lowering& lowering, ValueId id, size_t axis_from_end, Dim channels) {
  if (!is_constant_of(lowering, id, channels)) return false;
  const Shape& shape = lowering.constant(id)->shape();
  if (channels == Dim(1)) return shape.size() <= axis_from_end;
  return shape.size() >= axis_from_end && shape[shape.size() - axis_from_end] == channels.value();
}

}  // namespace

const Lowering::Epilogue* Lowering::epilogue_of(const Node& producer) const {
  const auto taken = taken_.find(producer.id().index);
  if (taken == taken_.end()) return nullptr;
  const auto found = epilogues_.find(taken->second.index);
  return found == epilogues_.end() || found->second.nodes.front() != producer.id() ? nullptr
                                                                                   : &found->second;
}

Result<std::vector<int32_t>> Lowering::lower_operands(const Epilogue& epilogue,
                                                      kernels::Layout layout) {
  std::vector<int32_t> lowered;
  size_t next = 0;
  for (int i = 0; i < epilogue.steps.step_count; ++i) {
    const kernels::EpilogueStep& step = epilogue.steps.steps[static_cast<size_t>(i)];
    if (step.operand == kernels::OperandShape::kNone) continue;
    const bool full = step.operand == kernels::OperandShape::kFull;
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, use(epilogue.operands[next++],
                                                      full ? layout : kernels::Layout::plain()));
    lowered.push_back(value);
  }
  return lowered;
}

void Lowering::extend_epilogue(const Node& producer, Epilogue& epilogue, size_t axis_from_end,
                               Dim channels) {
  using kernels::EpilogueStep;
  using kernels::OperandShape;
  epilogue.nodes = {producer.id()};
  epilogue.result = producer.output(0);
  const bool has_own_bias = producer.input(2).is_valid();
  while (epilogue.steps.step_count < kernels::Epilogue::kMaxSteps) {
    const Value& value = model_.value(epilogue.result);
    EpilogueStep step;
    // x * sigmoid(x): two users, one of which feeds the other.
    const Node* gate = nullptr;
    const Node* user = only_user(epilogue.result);
    if (!user && value.output_count() == 0 && value.uses().size() == 2) {
      for (const Use& use : value.uses())
        if (use.input != Use::kCapture && model_.node(use.node).is("Sigmoid"))
          gate = &model_.node(use.node);
      const Node* product = gate ? only_user(gate->output(0)) : nullptr;
      if (!product || !product->is("Mul") || product->graph() != producer.graph()) return;
      const bool both =
          (product->input(0) == epilogue.result && product->input(1) == gate->output(0)) ||
          (product->input(1) == epilogue.result && product->input(0) == gate->output(0));
      if (!both || taken_.contains(product->id().index) || taken_.contains(gate->id().index))
        return;
      step.op = kernels::Opcode::kSilu;
      step.p = 1;
      epilogue.steps.steps[epilogue.steps.step_count++] = step;
      epilogue.nodes.push_back(gate->id());
      epilogue.nodes.push_back(product->id());
      epilogue.result = product->output(0);
      continue;
    }
    if (!user || taken_.contains(user->id().index) || !is_float(user->output(0))) return;
    const Dims* before = dims(epilogue.result);
    const Dims* after = dims(user->output(0));
    if (!before || !after || !(*before == *after)) return;
    const std::optional<ElementwiseForm> form = elementwise_form(*this, *user);
    if (!form || form->instructions.size() != 1 || user->is("Identity")) return;
    const kernels::Instruction& instruction = form->instructions[0];
    const int arguments = kernels::argument_count(instruction.op);
    if (arguments > 2) return;
    step.op = instruction.op;
    step.p = instruction.p;
    step.q = instruction.q;
    if (arguments == 2) {
      if (form->inputs[0] == form->inputs[1]) return;
      step.operand_first = form->inputs[1] == epilogue.result;
      const ValueId operand = form->inputs[step.operand_first ? 0 : 1];
      if (!is_float(operand)) return;
      const Tensor* data = constant(operand);
      if (is_per_channel(*this, operand, axis_from_end, channels)) {
        if (user->is("Add") && epilogue.steps.step_count == 0 && !has_own_bias &&
            !epilogue.bias.is_valid()) {
          epilogue.bias = operand;
          epilogue.nodes.push_back(user->id());
          epilogue.result = user->output(0);
          continue;
        }
        step.operand = OperandShape::kPerChannel;
      } else if (data && data->element_count() == 1) {
        step.operand = OperandShape::kScalar;
      } else if (!data && dims(operand) && *dims(operand) == *after) {
        step.operand = OperandShape::kFull;
      } else {
        return;
      }
      epilogue.operands.push_back(operand);
    }
    epilogue.steps.steps[epilogue.steps.step_count++] = step;
    epilogue.nodes.push_back(user->id());
    epilogue.result = user->output(0);
  }
}

/// Convolutions and products with constant weights take the element-wise nodes after them into
/// their own loop.
void Lowering::find_epilogues() {
  for (const Node& node : model_.nodes(graph())) {
    const bool conv = node.is("Conv") || node.is("ConvTranspose");
    if (!conv && !node.is("Gemm") && !node.is("MatMul")) continue;
    const Tensor* weights = constant(node.input(1));
    if (!weights || !is_float(node.input(0)) || weights->rank() < 2) continue;
    const Dims* shape = dims(node.output(0));
    if (!shape || shape->size() < 2) continue;
    const size_t axis_from_end = conv ? shape->size() - 1 : 1;
    Epilogue epilogue;
    extend_epilogue(node, epilogue, axis_from_end, (*shape)[shape->size() - axis_from_end]);
    if (epilogue.nodes.size() == 1) continue;
    for (NodeId member : epilogue.nodes) taken_[member.index] = epilogue.nodes.back();
    epilogues_[epilogue.nodes.back().index] = std::move(epilogue);
  }
}

}  // namespace shipway
