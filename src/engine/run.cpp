#include "engine/run.h"

#include <chrono>
#include <cstring>

#include "base/text.h"
#include "engine/bind.h"

namespace shipway {
namespace {

constexpr size_t kAlignment = 64;

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

double now_ns() {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Status RunContext::prepare_memory(const BoundPlan& bound, std::span<const RuntimeValue> inputs,
                                  int threads) {
  const size_t arena = static_cast<size_t>(bound.arena_bytes);
  if (limits_.max_bytes >= 0 && bound.arena_bytes > limits_.max_bytes)
    return Status::limit("the run needs {} bytes for its intermediate values, it may use {}",
                         bound.arena_bytes, limits_.max_bytes);
  if (!arena_ || arena_->size() < arena) {
    arena_ = nullptr;
    SHIPWAY_ASSIGN_OR_RETURN(arena_, Storage::allocate(arena));
  }
  scratch_bytes_ = (bound.scratch_bytes + static_cast<int64_t>(kAlignment) - 1) /
                   static_cast<int64_t>(kAlignment) * static_cast<int64_t>(kAlignment);
  const auto scratch = static_cast<size_t>(scratch_bytes_ * threads);
  if (!scratch_ || scratch_->size() < scratch) {
    SHIPWAY_ASSIGN_OR_RETURN(scratch_, Storage::allocate(scratch));
  }
  memory_.assign(plan_.values.size(), nullptr);
  output_tensors_.assign(plan_.values.size(), {});
  dynamic_.assign(model_.value_count(), {});
  for (size_t i = 0; i < plan_.values.size(); ++i) {
    const LoweredValue& value = plan_.values[i];
    if (value.kind == LoweredValue::Kind::kConstant)
      memory_[i] = const_cast<std::byte*>(static_cast<const std::byte*>(value.constant.data()));
    else if (bound.offsets[i] >= 0)
      memory_[i] = arena_->data() + bound.offsets[i];
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int32_t v = plan_.inputs[i];
    if (v < 0) continue;
    dynamic_[static_cast<size_t>(plan_.values[static_cast<size_t>(v)].source.index)] = inputs[i];
    if (const Tensor* tensor = inputs[i].tensor())
      memory_[static_cast<size_t>(v)] =
          const_cast<std::byte*>(static_cast<const std::byte*>(tensor->data()));
  }
  for (int32_t v : plan_.outputs) {
    const auto root = static_cast<size_t>(bound.root[static_cast<size_t>(v)]);
    const LoweredValue& value = plan_.values[root];
    if (value.kind != LoweredValue::Kind::kComputed || bound.offsets[root] == kDynamicValue ||
        output_tensors_[root].is_defined())
      continue;
    const Shape& shape = *bound.shapes[static_cast<size_t>(value.source.index)];
    if (value.layout.is_blocked()) return Status::internal("an output lies in a blocked layout");
    SHIPWAY_ASSIGN_OR_RETURN(output_tensors_[root], Tensor::allocate(value.dtype, shape));
    memory_[root] = static_cast<std::byte*>(output_tensors_[root].mutable_data());
  }
  return Status::ok();
}

Status RunContext::run_kernel(const BoundPlan& bound, size_t index, ThreadPool::Hold& hold) {
  const Step& step = plan_.steps[index];
  const BoundStep& b = bound.steps[index];
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
    hold.run(b.kernel.parts, KernelWork::run, &work);
  else if (b.kernel.parts > 0)
    KernelWork::run(&work, 0, b.kernel.parts, 0);
  return Status::ok();
}

Result<Tensor> RunContext::plain_tensor(const BoundPlan& bound, int32_t v) {
  const LoweredValue& value = plan_.values[static_cast<size_t>(v)];
  if (value.kind == LoweredValue::Kind::kConstant && !value.layout.is_blocked())
    return value.constant;
  const Shape& shape = *bound.shapes[static_cast<size_t>(value.source.index)];
  if (value.layout.is_blocked())  // a dynamic step reads what a kernel left in a blocked layout
    return reorder_now(memory_of(bound, v), value.dtype, shape,
                       {value.layout, kernels::Layout::plain()}, plan_.isa);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, layout_bytes(value.dtype, shape, value.layout));
  return Tensor::from_storage(
      value.dtype, shape,
      Storage::borrow(memory_of(bound, v), static_cast<size_t>(bytes), nullptr));
}

Status RunContext::run_reference(const BoundPlan& bound, const Step& step) {
  const Node& node = model_.node(step.nodes.front());
  std::vector<RuntimeValue> inputs, outputs(step.outputs.size());
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    RuntimeValue value;
    if (step.inputs[i] >= 0) {
      SHIPWAY_ASSIGN_OR_RETURN(value, plain_tensor(bound, step.inputs[i]));
    }
    if (i < node.inputs().size())
      inputs.push_back(std::move(value));
    else
      runner_.set_value(plan_.values[static_cast<size_t>(step.inputs[i])].source, std::move(value));
  }
  SHIPWAY_RETURN_IF_ERROR(runner_.run_node(node, inputs, outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int32_t v = step.outputs[i];
    if (v < 0) continue;
    const LoweredValue& value = plan_.values[static_cast<size_t>(v)];
    const Shape& expected = *bound.shapes[static_cast<size_t>(value.source.index)];
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

Result<RuntimeValue> RunContext::value_for(const BoundPlan& bound, ValueId id, const Step& step) {
  if (!id.is_valid()) return RuntimeValue();
  if (const RuntimeValue& value = dynamic_[static_cast<size_t>(id.index)]; !value.is_absent())
    return value;
  for (int32_t v : step.inputs) {
    if (v < 0 || plan_.values[static_cast<size_t>(v)].source != id) continue;
    if (bound.offsets[static_cast<size_t>(v)] == kDynamicValue) return RuntimeValue();
    SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, plain_tensor(bound, v));
    return RuntimeValue(std::move(tensor));
  }
  if (const Tensor* tensor = model_.constant_tensor(id)) return RuntimeValue(*tensor);
  return RuntimeValue();
}

Status RunContext::run_dynamic(const BoundPlan& bound, const Step& step) {
  for (NodeId id : step.nodes) {
    const Node& node = model_.node(id);
    std::vector<RuntimeValue> inputs, outputs(node.outputs().size());
    for (ValueId input : node.inputs()) {
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, value_for(bound, input, step));
      inputs.push_back(std::move(value));
    }
    for (ValueId capture : node.captures()) {
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, value_for(bound, capture, step));
      runner_.set_value(capture, std::move(value));
    }
    SHIPWAY_RETURN_IF_ERROR(runner_.run_node(node, inputs, outputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!node.output(i).is_valid()) continue;
      if (Tensor* tensor = outputs[i].tensor()) {
        SHIPWAY_ASSIGN_OR_RETURN(*tensor, tensor->contiguous());
      }
      dynamic_[static_cast<size_t>(node.output(i).index)] = std::move(outputs[i]);
    }
  }
  return Status::ok();
}

Result<std::vector<RuntimeValue>> RunContext::run(const BoundPlan& bound,
                                                  std::span<const RuntimeValue> inputs, int threads,
                                                  const RunLimits& limits,
                                                  std::vector<StepProfile>* profile) {
  limits_ = limits;
  runner_.set_limits(limits);
  SHIPWAY_RETURN_IF_ERROR(prepare_memory(bound, inputs, threads));
  const bool watched = limits.deadline_ns >= 0 || limits.cancelled;
  ThreadPool::Hold hold(ThreadPool::instance(), threads);
  for (size_t i = 0; i < bound.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    const double start = profile ? now_ns() : 0;
    if (watched)
      SHIPWAY_RETURN_IF_ERROR(limits.poll().with_context("before {}", describe(step, model_)));
    switch (bound.steps[i].kind) {
      case BoundStep::Kind::kKernel:
        SHIPWAY_RETURN_IF_ERROR(run_kernel(bound, i, hold));
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
    for (int32_t v : bound.dynamic_releases[i])
      dynamic_[static_cast<size_t>(plan_.values[static_cast<size_t>(v)].source.index)] = {};
    if (!profile || bound.steps[i].kind == BoundStep::Kind::kNothing) continue;
    StepProfile entry;
    entry.nanoseconds = now_ns() - start;
    entry.name = describe(step, model_);
    const bool kernel = bound.steps[i].kind == BoundStep::Kind::kKernel;
    entry.kernel =
        kernel ? std::string(kernels::kernel_table()[static_cast<size_t>(step.plan.row)].name)
        : bound.steps[i].kind == BoundStep::Kind::kDynamic ? "dynamic"
                                                           : "reference";
    entry.op_type = step.nodes.empty() ? "" : model_.node(step.nodes.front()).op_type();
    if (kernel) {
      entry.flops = bound.steps[i].kernel.cost.flops;
      entry.bytes = bound.steps[i].kernel.cost.bytes;
      entry.threads = bound.steps[i].parallel ? hold.threads() : 1;
    }
    entry.refused = step.refused;
    profile->push_back(std::move(entry));
  }

  std::vector<RuntimeValue> results;
  for (size_t i = 0; i < plan_.outputs.size(); ++i) {
    const int32_t v = plan_.outputs[i];
    const auto root = static_cast<size_t>(bound.root[static_cast<size_t>(v)]);
    const LoweredValue& value = plan_.values[static_cast<size_t>(v)];
    if (bound.offsets[static_cast<size_t>(v)] == kDynamicValue) {
      results.push_back(dynamic_[static_cast<size_t>(value.source.index)]);
    } else if (output_tensors_[root].is_defined()) {
      SHIPWAY_ASSIGN_OR_RETURN(
          Tensor tensor,
          output_tensors_[root].reshaped(*bound.shapes[static_cast<size_t>(value.source.index)]));
      results.push_back(std::move(tensor));
    } else {  // an input or a constant that leaves as it came
      SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, plain_tensor(bound, v));
      SHIPWAY_ASSIGN_OR_RETURN(tensor, tensor.clone());
      results.push_back(std::move(tensor));
    }
  }
  output_tensors_.clear();
  dynamic_.clear();
  return results;
}

}  // namespace shipway
