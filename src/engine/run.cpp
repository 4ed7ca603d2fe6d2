#include "engine/run.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/text.h"
#include "engine/bind.h"

namespace shipway {
namespace {

struct KernelWork {
  const kernels::BoundKernel* kernel;
  kernels::Views views;
  std::byte* scratch;
  int64_t scratch_bytes;

  static void run(void* context, int64_t begin, int64_t end, int thread) {
    const auto* work = static_cast<const KernelWork*>(context);
    work->kernel->run(*work->kernel, work->views, {begin, end},
                      work->scratch + thread * work->scratch_bytes);
  }
};

/// The value with `replace` done to every tensor in it for which it gives one.
template <typename Replace>
Result<RuntimeValue> with_tensors(RuntimeValue value, const Replace& replace) {
  if (const Tensor* tensor = value.tensor()) {
    SHIPWAY_ASSIGN_OR_RETURN(Tensor other, replace(*tensor));
    return RuntimeValue(std::move(other));
  }
  if (const Sequence* sequence = value.sequence()) {
    Sequence elements;
    for (const RuntimeValue& element : *sequence) {
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue other, with_tensors(element, replace));
      elements.push_back(std::move(other));
    }
    return RuntimeValue(std::move(elements));
  }
  return value;
}

bool is_borrowed(const Tensor& tensor) {
  return tensor.dtype() != DType::kString && tensor.byte_size() > 0 &&
         !tensor.storage()->holds_memory();
}

/// Nothing in it lies in memory of somebody else, an arena's above all.
Result<RuntimeValue> owned(RuntimeValue value) {
  return with_tensors(std::move(value), [](const Tensor& tensor) -> Result<Tensor> {
    if (!tensor.is_contiguous()) return tensor.contiguous();
    if (is_borrowed(tensor)) return tensor.clone();
    return tensor;
  });
}

/// The same, and nobody else holds it: a constant or another output, which the caller must not
/// write to through this one.
Result<RuntimeValue> exclusive(RuntimeValue value) {
  if (Tensor* tensor = value.tensor()) {
    if (!tensor->storage() || (!is_borrowed(*tensor) && tensor->storage().use_count() == 1))
      return value;
    SHIPWAY_ASSIGN_OR_RETURN(value, tensor->clone());
    return value;
  }
  return with_tensors(std::move(value), [](const Tensor& tensor) { return tensor.clone(); });
}

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

RunContext::RunContext(const PlannedGraph& graph)
    : graph_(graph),
      plan_(graph.plan()),
      model_(graph.owner().model()),
      runner_(graph.owner().model(), graph.owner().registry()),
      memory_(plan_.values.size(), nullptr),
      output_tensors_(plan_.values.size()),
      own_(plan_.values.size()),
      blocked_(plan_.values.size()) {
  runner_.set_subgraph_runner([this](GraphId body, std::span<const RuntimeValue> inputs) {
    return run_body(body, inputs);
  });
  for (size_t i = 0; i < plan_.values.size(); ++i) {
    const LoweredValue& value = plan_.values[i];
    if (value.kind == LoweredValue::Kind::kConstant && value.is_read)
      memory_[i] = const_cast<std::byte*>(static_cast<const std::byte*>(value.constant.data()));
  }
}

Result<std::vector<RuntimeValue>> RunContext::run_body(GraphId graph,
                                                       std::span<const RuntimeValue> inputs) {
  const PlannedGraph* body = graph_.owner().graph(graph);
  if (!body) return Status::internal("a body has no plan");
  RunEnvironment environment = *environment_;
  ++environment.depth;
  environment.held_bytes += bytes_;
  const auto captured = [this](ValueId id) {
    const auto found =
        std::lower_bound(captured_.begin(), captured_.end(), id,
                         [](const auto& entry, ValueId wanted) { return entry.first < wanted; });
    return found != captured_.end() && found->first == id ? found->second : RuntimeValue();
  };
  return body->run(inputs, captured, environment);
}

bool RunContext::take(int64_t bytes) {
  bytes_ += bytes;
  const int64_t most = environment_->limits.max_bytes;
  return most < 0 || environment_->held_bytes + bytes_ <= most;
}

Status RunContext::too_much(const std::string& details) const {
  return Status::limit("the run needs {} bytes for its values{}, it may use {}",
                       environment_->held_bytes + bytes_, details, environment_->limits.max_bytes);
}

/// Memory for what the part makes.
Status RunContext::prepare_part(const BoundPlan& bound) {
  const int threads = graph_.owner().threads();
  const auto part = static_cast<size_t>(bound.part->depth);
  scratch_bytes_ = bound.scratch_bytes;
  if (!take(bound.part->arena_bytes + bound.output_bytes + scratch_bytes_ * threads))
    return too_much(" (arena " + std::to_string(bound.part->arena_bytes) + ", outputs " +
                    std::to_string(bound.output_bytes) + ", scratch " +
                    std::to_string(scratch_bytes_ * threads) + ")");
  if (arenas_.size() <= part) arenas_.resize(part + 1);
  std::shared_ptr<Storage>& arena = arenas_[part];
  if (!arena || arena->size() < static_cast<size_t>(bound.part->arena_bytes)) {
    arena = nullptr;
    SHIPWAY_ASSIGN_OR_RETURN(arena,
                             Storage::allocate(static_cast<size_t>(bound.part->arena_bytes)));
  }
  const auto scratch = static_cast<size_t>(scratch_bytes_ * threads);
  if (!scratch_ || scratch_->size() < scratch) {
    scratch_ = nullptr;
    SHIPWAY_ASSIGN_OR_RETURN(scratch_, Storage::allocate(scratch));
  }
  for (size_t i = 0; i < bound.part->placed.size(); ++i)
    memory_[static_cast<size_t>(bound.part->placed[i])] = arena->data() + bound.part->offsets[i];
  for (int32_t v : bound.part->leaving) {
    const auto i = static_cast<size_t>(v);
    SHIPWAY_ASSIGN_OR_RETURN(output_tensors_[i],
                             Tensor::allocate(plan_.values[i].dtype, *bound.shapes[i]));
    memory_[i] = static_cast<std::byte*>(output_tensors_[i].mutable_data());
  }
  return Status::ok();
}

void RunContext::run_kernel(const BoundPlan& bound, const Step& step, const BoundStep& b) {
  InlineVector<const void*, 16> inputs;
  InlineVector<void*, 4> outputs;
  for (int32_t v : step.inputs) inputs.push_back(memory_of(bound, v));
  for (int32_t v : step.outputs) outputs.push_back(memory_of(bound, v));
  if (step.weights) inputs[1] = step.weights->data();
  if (b.input_offset != 0) inputs[0] = static_cast<const std::byte*>(inputs[0]) + b.input_offset;
  if (b.output_offset != 0) outputs[0] = static_cast<std::byte*>(outputs[0]) + b.output_offset;
  KernelWork work{&b.kernel,
                  {{inputs.data(), inputs.size()}, {outputs.data(), outputs.size()}},
                  scratch_->data(),
                  scratch_bytes_};
  if (b.parallel)
    environment_->hold.run(b.kernel.parts, KernelWork::run, &work);
  else if (b.kernel.parts > 0)
    KernelWork::run(&work, 0, b.kernel.parts, 0);
}

Result<RuntimeValue> RunContext::plain_value(const BoundPlan& bound, int32_t v) const {
  if (v < 0) return RuntimeValue();
  const auto i = static_cast<size_t>(v), root = static_cast<size_t>(bound.part->root[i]);
  const LoweredValue& value = plan_.values[i];
  const std::optional<Shape>& shape = bound.shapes[i];
  if (value.kind == LoweredValue::Kind::kConstant && !value.layout.is_blocked())
    return RuntimeValue(value.constant);
  Tensor tensor;
  if (bound.part->places[root] == Place::kOwn ||
      plan_.values[root].kind == LoweredValue::Kind::kInput) {
    const Tensor* own = own_[root].tensor();
    if (!own || i == root) return own_[root];
    SHIPWAY_ASSIGN_OR_RETURN(tensor, own->reshaped(*shape));
    return RuntimeValue(std::move(tensor));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, layout_bytes(value.dtype, *shape, value.layout));
  SHIPWAY_ASSIGN_OR_RETURN(
      tensor, Tensor::from_storage(
                  value.dtype, physical_shape(*shape, value.layout),
                  Storage::borrow(memory_of(bound, v), static_cast<size_t>(bytes), nullptr)));
  if (value.layout.is_blocked()) {  // an operator reads what a kernel left in a blocked layout
    SHIPWAY_ASSIGN_OR_RETURN(tensor,
                             reorder_now(tensor.data(), value.dtype, *shape,
                                         {value.layout, kernels::Layout::plain()}, plan_.isa));
    return RuntimeValue(std::move(tensor));
  }
  return RuntimeValue(std::move(tensor));
}

/// A value that an operator made by itself, for the steps after it: plain, and where kernels want
/// it blocked, so too.
Status RunContext::keep(int32_t v, RuntimeValue value) {
  const auto i = static_cast<size_t>(v);
  SHIPWAY_ASSIGN_OR_RETURN(own_[i], owned(std::move(value)));
  Tensor* tensor = own_[i].tensor();
  if (!tensor) return Status::ok();
  if (!take(tensor->byte_size())) return too_much();
  memory_[i] = static_cast<std::byte*>(tensor->mutable_data());
  const kernels::Layout layout = plan_.values[i].layout;
  if (!layout.is_blocked() || tensor->rank() < 3) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(blocked_[i],
                           reorder_now(tensor->data(), tensor->dtype(), tensor->shape(),
                                       {kernels::Layout::plain(), layout}, plan_.isa));
  memory_[i] = static_cast<std::byte*>(blocked_[i].mutable_data());
  return take(blocked_[i].byte_size()) ? Status::ok() : too_much();
}

void RunContext::release(int32_t v) {
  const auto i = static_cast<size_t>(v);
  if (const Tensor* tensor = own_[i].tensor();
      tensor && plan_.values[i].kind == LoweredValue::Kind::kComputed)
    bytes_ -= tensor->byte_size() + (blocked_[i].is_defined() ? blocked_[i].byte_size() : 0);
  own_[i] = {};
  blocked_[i] = {};
}

Status RunContext::run_reference(const BoundPlan& bound, const Step& step) {
  const Node& node = model_.node(step.nodes.front());
  std::vector<RuntimeValue> inputs, outputs(step.outputs.size());
  captured_.clear();
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, plain_value(bound, step.inputs[i]));
    if (i < node.inputs().size())
      inputs.push_back(std::move(value));
    else
      captured_.emplace_back(node.captures()[i - node.inputs().size()], std::move(value));
  }
  SHIPWAY_RETURN_IF_ERROR(runner_.run_node(node, inputs, outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int32_t v = step.outputs[i];
    if (v < 0) continue;
    const LoweredValue& value = plan_.values[static_cast<size_t>(v)];
    const Shape& expected = *bound.shapes[static_cast<size_t>(v)];
    const Tensor* tensor = outputs[i].tensor();
    if (!tensor || !(tensor->shape() == expected) || tensor->dtype() != value.dtype)
      return Status::internal("{}: output {} is {}, but {}[{}] was inferred",
                              model_.describe(node.id()), i, to_string(outputs[i]),
                              to_string(value.dtype), to_string(expected));
    SHIPWAY_ASSIGN_OR_RETURN(const Tensor dense, tensor->contiguous());
    if (dense.byte_size() > 0)
      std::memcpy(memory_of(bound, v), dense.data(), static_cast<size_t>(dense.byte_size()));
  }
  return Status::ok();
}

Status RunContext::run_dynamic(const BoundPlan& bound, const Step& step) {
  std::vector<std::pair<ValueId, RuntimeValue>> made;  // between the step's nodes
  const auto value_of = [&](ValueId id) -> Result<RuntimeValue> {
    if (!id.is_valid()) return RuntimeValue();
    for (const auto& [known, value] : made)
      if (known == id) return value;
    for (std::span<const int32_t> values :
         {std::span<const int32_t>(step.inputs), std::span<const int32_t>(step.others)})
      for (int32_t v : values)
        if (v >= 0 && plan_.values[static_cast<size_t>(v)].source == id)
          return plain_value(bound, v);
    const Constant* constant = model_.value(id).constant();
    if (!constant) return RuntimeValue();
    return constant->sparse ? RuntimeValue(*constant->sparse) : RuntimeValue(constant->tensor);
  };
  std::vector<NodeId> nodes = step.nodes;
  if (nodes.empty()) {  // a change of layout
    SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, plain_value(bound, step.inputs[0]));
    return keep(step.outputs[0], std::move(value));
  }
  for (NodeId id : nodes) {
    const Node& node = model_.node(id);
    std::vector<RuntimeValue> inputs, outputs(node.outputs().size());
    for (ValueId input : node.inputs()) {
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, value_of(input));
      inputs.push_back(std::move(value));
    }
    captured_.clear();
    for (ValueId capture : node.captures()) {
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, value_of(capture));
      captured_.emplace_back(capture, std::move(value));
    }
    SHIPWAY_RETURN_IF_ERROR(runner_.run_node(node, inputs, outputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!node.output(i).is_valid()) continue;
      if (Tensor* tensor = outputs[i].tensor()) {
        SHIPWAY_ASSIGN_OR_RETURN(*tensor, tensor->contiguous());
      }
      made.emplace_back(node.output(i), std::move(outputs[i]));
    }
  }
  for (int32_t v : step.outputs)
    for (auto& [id, value] : made)
      if (v >= 0 && plan_.values[static_cast<size_t>(v)].source == id)
        SHIPWAY_RETURN_IF_ERROR(keep(v, value));
  captured_.clear();
  return Status::ok();
}

/// What step i of the part did since `start`; entries from `first` on are of bodies that it ran.
void RunContext::add_profile(const BoundPlan& bound, size_t i, int64_t start, size_t first) {
  const auto index = static_cast<size_t>(bound.part->order[i]);
  const Step& step = plan_.steps[index];
  const BoundStep& b = bound.steps[i];
  std::vector<StepProfile>& profile = *environment_->profile;
  StepProfile entry;
  entry.nanoseconds = entry.self_ns = static_cast<double>(now_ns() - start);
  entry.step = graph_.steps()[index];
  entry.dynamic = b.kind == BoundStep::Kind::kDynamic;
  entry.start_ns = start;
  entry.depth = environment_->depth;
  for (size_t j = first; j < profile.size(); ++j)
    if (profile[j].depth == entry.depth + 1) entry.self_ns -= profile[j].nanoseconds;
  const auto shape_of = [&](const std::vector<int32_t>& values) {
    const bool known = !values.empty() && values[0] >= 0 &&
                       bound.shapes[static_cast<size_t>(values[0])].has_value();
    return known ? *bound.shapes[static_cast<size_t>(values[0])] : Shape();
  };
  entry.input = shape_of(step.inputs);
  entry.output = shape_of(step.outputs);
  if (b.kind == BoundStep::Kind::kKernel) {
    entry.flops = b.kernel.cost.flops;
    entry.saved_flops = b.kernel.cost.saved_flops;
    entry.bytes = b.kernel.cost.bytes;
    entry.parts = b.kernel.parts;
    if (b.parallel) entry.threads = environment_->hold.threads();
  } else {
    for (const std::vector<int32_t>* values : {&step.inputs, &step.outputs})
      for (int32_t v : *values) {
        if (v < 0 || !bound.shapes[static_cast<size_t>(v)]) continue;
        const auto bytes = layout_bytes(plan_.values[static_cast<size_t>(v)].dtype,
                                        *bound.shapes[static_cast<size_t>(v)], {});
        if (bytes.is_ok()) entry.bytes += static_cast<double>(*bytes);
      }
  }
  profile.push_back(std::move(entry));
}

Status RunContext::run_steps(const BoundPlan& bound) {
  const RunLimits& limits = environment_->limits;
  const bool watched = limits.deadline_ns >= 0 || limits.cancelled;
  for (size_t i = 0; i < bound.part->order.size(); ++i) {
    const Step& step = plan_.steps[static_cast<size_t>(bound.part->order[i])];
    const BoundStep& b = bound.steps[i];
    std::vector<StepProfile>* profile = environment_->profile;
    const int64_t start = profile ? now_ns() : 0;
    const size_t first = profile ? profile->size() : 0;
    if (watched) {
      if (const Status status = limits.poll(); !status.is_ok())
        return status.with_context("before {}", describe(step, model_));
    }
    switch (b.kind) {
      case BoundStep::Kind::kKernel:
        run_kernel(bound, step, b);
        break;
      case BoundStep::Kind::kReference:
        SHIPWAY_RETURN_IF_ERROR(run_reference(bound, step));
        break;
      case BoundStep::Kind::kDynamic:
        SHIPWAY_RETURN_IF_ERROR(run_dynamic(bound, step));
        break;
      case BoundStep::Kind::kNothing:
        break;
    }
    for (int32_t v : bound.part->releases[i]) release(v);
    if (profile && b.kind != BoundStep::Kind::kNothing) add_profile(bound, i, start, first);
  }
  return Status::ok();
}

/// Holds nothing of the run any more but arenas.
void RunContext::forget() {
  std::fill(output_tensors_.begin(), output_tensors_.end(), Tensor());
  std::fill(own_.begin(), own_.end(), RuntimeValue());
  std::fill(blocked_.begin(), blocked_.end(), Tensor());
  captured_.clear();
}

void RunContext::trim(int64_t bytes) {
  for (std::shared_ptr<Storage>& arena : arenas_)
    if (arena && arena->size() > static_cast<size_t>(bytes)) arena = nullptr;
}

Result<std::vector<RuntimeValue>> RunContext::take_outputs(const BoundPlan& bound) {
  const bool to_caller = environment_->depth == 0;
  std::vector<RuntimeValue> results;
  for (int32_t v : plan_.outputs) {
    const auto i = static_cast<size_t>(v), root = static_cast<size_t>(bound.part->root[i]);
    RuntimeValue result;
    if (output_tensors_[root].is_defined()) {
      SHIPWAY_ASSIGN_OR_RETURN(result, output_tensors_[root].reshaped(*bound.shapes[i]));
    } else {
      SHIPWAY_ASSIGN_OR_RETURN(result, plain_value(bound, v));
      if (bound.part->places[root] == Place::kArena) {
        SHIPWAY_ASSIGN_OR_RETURN(result, owned(std::move(result)));
      }
    }
    results.push_back(std::move(result));
  }
  forget();
  if (!to_caller) return results;
  for (RuntimeValue& result : results) {
    SHIPWAY_ASSIGN_OR_RETURN(result, exclusive(std::move(result)));
  }
  return results;
}

Status RunContext::run_parts(std::shared_ptr<const BoundPlan>& bound,
                             std::span<const RuntimeValue> values) {
  bytes_ = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto v = static_cast<size_t>(
        i < plan_.inputs.size() ? plan_.inputs[i] : plan_.captures[i - plan_.inputs.size()]);
    own_[v] = values[i];
    if (const Tensor* tensor = values[i].tensor())
      memory_[v] = const_cast<std::byte*>(static_cast<const std::byte*>(tensor->data()));
  }
  while (true) {
    SHIPWAY_RETURN_IF_ERROR(prepare_part(*bound));
    SHIPWAY_RETURN_IF_ERROR(run_steps(*bound));
    if (bound->part->rest.empty()) return Status::ok();
    SHIPWAY_ASSIGN_OR_RETURN(bound, graph_.part_after(bound, own_));
  }
}

Result<std::vector<RuntimeValue>> RunContext::run(std::shared_ptr<const BoundPlan> bound,
                                                  std::span<const RuntimeValue> values,
                                                  const RunEnvironment& environment) {
  environment_ = &environment;
  runner_.set_limits(environment.limits);
  const Status status = run_parts(bound, values);
  if (!status.is_ok()) {
    forget();
    return status;
  }
  return take_outputs(*bound);
}

}  // namespace shipway
