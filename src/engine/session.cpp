#include "shipway/session.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <unordered_map>

#include "base/mapped_file.h"
#include "base/text.h"
#include "engine/compile.h"
#include "engine/plan_format.h"
#include "engine/planned_graph.h"
#include "graph/builder.h"
#include "operators/infer.h"
#include "operators/reference.h"

namespace shipway {
namespace {

int64_t limit_from_environment(const char* name, int64_t given) {
  if (given >= 0) return given;
  const char* text = std::getenv(name);
  return text ? parse_int(text).value_or(-1) : -1;
}

double seconds_from_environment(const char* name, double given) {
  if (given >= 0) return given;
  const char* text = std::getenv(name);
  return text ? parse_double(text).value_or(-1) : -1;
}

}  // namespace

struct Session::State {
  Model model;
  SessionOptions options;
  const Registry* registry = nullptr;
  std::vector<ValueInfo> inputs, outputs;
  std::unordered_map<std::string, size_t> input_index, output_index;
  std::shared_ptr<WeightStore> weights = std::make_shared<WeightStore>();
  std::unique_ptr<PlannedModel> planned;  // null: run by reference
  int threads = 1;
  mutable std::once_flag reference_steps_made;
  mutable std::vector<std::shared_ptr<const PlanStep>> reference_steps;  // by node id
  int64_t run_memory = -1;                    // what max_memory leaves beside the weights
  std::shared_ptr<const PlanFile> plan_file;  // null: made from a model

  explicit State(const SessionOptions& given)
      : options(given),
        registry(given.registry ? given.registry : &Registry::built_in()),
        threads(given.threads > 0 ? given.threads : usable_cores()) {
    options.max_memory = limit_from_environment("SHIPWAY_MAX_MEMORY", given.max_memory);
    run_memory = options.max_memory;  // of the reference, which packs no weights
    options.timeout = seconds_from_environment("SHIPWAY_TIMEOUT", given.timeout);
  }
  /// From an optimised model, whose shapes are inferred here, to one that can run.
  Status make_ready(Isa isa);
  Status keep_to_max_memory();
  Result<std::vector<RuntimeValue>> arrange(std::span<const NamedValue> given) const;
  Status check_shapes(std::span<const RuntimeValue> values) const;
  Result<std::vector<RuntimeValue>> run_by_reference(std::span<const RuntimeValue> values,
                                                     const RunLimits& limits,
                                                     std::vector<StepProfile>* profile) const;
  std::vector<std::shared_ptr<const PlanStep>> plan() const;
};

Status Session::State::make_ready(Isa isa) {
  SHIPWAY_RETURN_IF_ERROR(infer_shapes(model, *registry, {.graph_wins = true}));
  for (ValueId id : model.graph().inputs()) {
    const Value& value = model.value(id);
    input_index.emplace(value.name(), inputs.size());
    inputs.push_back({value.name(), value.type(), value.is_initializer()});
  }
  for (ValueId id : model.graph().outputs()) {
    output_index.emplace(model.value(id).name(), outputs.size());
    outputs.push_back({model.value(id).name(), model.value(id).type(), false});
  }
  if (options.reference) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(LoweredModel lowered, lower(model, *registry, *weights, {isa}));
  ModelBuilder builder(model);
  for (auto& [id, tensor] : lowered.released) {
    if (!model.constant_tensor(id)) continue;
    Constant constant = *model.value(id).constant();
    constant.tensor = std::move(tensor);
    builder.set_constant(id, std::move(constant));
  }
  lowered.released.clear();
  planned = std::make_unique<PlannedModel>(model, *registry, std::move(lowered), threads);
  return keep_to_max_memory();
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(Model model, const SessionOptions& options) {
  try {
    auto state = std::make_unique<State>(options);
    state->model = std::move(model);
    SHIPWAY_RETURN_IF_ERROR(prepare_model(state->model, *state->registry, options));
    SHIPWAY_RETURN_IF_ERROR(state->make_ready(active_isa()));
    return std::unique_ptr<Session>(new Session(std::move(state)));
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory left to prepare the model");
  } catch (const Error& error) {
    return error.status();
  }
}

Result<std::unique_ptr<Session>> Session::open(const std::string& path,
                                               const SessionOptions& options) {
  SHIPWAY_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
  auto session = open(file->bytes(), file, options);
  if (!session.is_ok()) return session.status().with_context("opening {}", quoted(path, 400));
  return session;
}

Result<std::unique_ptr<Session>> Session::open(std::span<const std::byte> plan,
                                               std::shared_ptr<const void> owner,
                                               const SessionOptions& options) {
  try {
    if (options.reference)
      return Status::unsupported("a plan file is run by kernels; plain loops need the model");
    // Kernels want their weights as aligned as they are in the file.
    if (!owner || reinterpret_cast<uintptr_t>(plan.data()) % PlanFile::kAlignment != 0) {
      SHIPWAY_ASSIGN_OR_RETURN(const auto copy, Storage::allocate(plan.size()));
      std::copy(plan.begin(), plan.end(), copy->data());
      plan = {copy->data(), plan.size()};
      owner = copy;
    }
    auto state = std::make_unique<State>(options);
    SHIPWAY_ASSIGN_OR_RETURN(state->plan_file, PlanFile::read(plan, std::move(owner)));
    const PlanFile& file = *state->plan_file;
    SHIPWAY_ASSIGN_OR_RETURN(state->model, parse_plan(file));
    file.give_to(*state->weights);
    SHIPWAY_RETURN_IF_ERROR(state->make_ready(file.isa()));
    return std::unique_ptr<Session>(new Session(std::move(state)));
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory left to open the plan");
  } catch (const Error& error) {
    return error.status();
  }
}

std::span<const ValueInfo> Session::inputs() const { return state_->inputs; }
std::span<const ValueInfo> Session::outputs() const { return state_->outputs; }
const Model& Session::model() const { return state_->model; }

Status Session::State::keep_to_max_memory() {
  const int64_t most = options.max_memory;
  if (most < 0) return Status::ok();
  const int64_t weight_bytes = weights->bytes(),
                constant_bytes = planned ? planned->constant_bytes() : 0;
  run_memory = most - weight_bytes - constant_bytes;
  if (run_memory < 0)
    return Status::limit(
        "the model's weights need {} bytes ({} packed, {} as they are), the session may use {}",
        weight_bytes + constant_bytes, weight_bytes, constant_bytes, most);
  if (planned) planned->set_max_bytes(run_memory);
  return Status::ok();
}

/// The given values in the order of the inputs; names that are unknown, given twice or missing are
/// all told at once.
Result<std::vector<RuntimeValue>> Session::State::arrange(std::span<const NamedValue> given) const {
  std::vector<RuntimeValue> values(inputs.size());
  std::string problems;
  const auto complain = [&](std::string text) {
    problems += (problems.empty() ? "" : "; ") + std::move(text);
  };
  for (const auto& [name, value] : given) {
    const auto found = input_index.find(name);
    if (found == input_index.end()) {
      complain("the model has no input " + quoted(name));
    } else if (!values[found->second].is_absent()) {
      complain("input " + quoted(name) + " is given twice");
    } else {
      values[found->second] = value;
      if (Tensor* tensor = values[found->second].tensor()) {
        SHIPWAY_ASSIGN_OR_RETURN(*tensor, tensor->contiguous());
      }
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!values[i].is_absent() || inputs[i].type.kind() == TypeKind::kOptional) continue;
    if (!inputs[i].optional) {
      complain("input " + quoted(inputs[i].name) + " (" + to_string(inputs[i].type, model.dims()) +
               ") is missing");
      continue;
    }
    const Constant& constant = *model.value(model.graph().inputs()[i]).constant();
    values[i] = constant.sparse ? RuntimeValue(*constant.sparse) : RuntimeValue(constant.tensor);
  }
  if (!problems.empty()) return Status::invalid_argument("{}", problems);
  SHIPWAY_RETURN_IF_ERROR(check_shapes(values));
  return values;
}

/// dtype, rank, and sizes that the model fixes; a symbol must have one size in all inputs.
Status Session::State::check_shapes(std::span<const RuntimeValue> values) const {
  std::unordered_map<int32_t, std::pair<int64_t, size_t>>
      sizes;  // symbol -> size, input that gave it
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Type& type = inputs[i].type;
    const Tensor* tensor = values[i].tensor();
    if (!type.is_tensor()) continue;
    const auto mismatch = [&](const std::string& why) {
      return Status::invalid_argument(
          "input {} is {}, expected {}{}", quoted(inputs[i].name),
          tensor ? std::string(to_string(tensor->dtype())) + "[" + to_string(tensor->shape()) + "]"
                 : to_string(values[i]),
          to_string(type, model.dims()), why);
    };
    if (!tensor || (type.dtype() != DType::kUndefined && tensor->dtype() != type.dtype()))
      return mismatch("");
    if (!type.dims()) continue;
    if (type.dims()->size() != tensor->shape().size()) return mismatch(" (the rank differs)");
    for (size_t axis = 0; axis < tensor->shape().size(); ++axis) {
      const Dim dim = (*type.dims())[axis];
      const int64_t size = tensor->shape()[axis];
      if (dim.is_constant() && dim.value() != size)
        return mismatch(" (axis " + std::to_string(axis) + " differs)");
      if (!model.dims().is_symbol(dim)) continue;
      const auto [entry, is_new] = sizes.try_emplace(dim.id(), size, i);
      if (!is_new && entry->second.first != size)
        return mismatch(" (size '" + model.dims().to_string(dim) + "' is " +
                        std::to_string(entry->second.first) + " in input " +
                        quoted(inputs[entry->second.second].name) + ")");
    }
  }
  return Status::ok();
}

std::vector<std::shared_ptr<const PlanStep>> Session::State::plan() const {
  if (planned) return planned->steps();
  std::call_once(reference_steps_made,
                 [this] { reference_steps = shipway::reference_steps(model); });
  std::vector<std::shared_ptr<const PlanStep>> steps = reference_steps;
  std::erase(steps, nullptr);
  return steps;
}

std::vector<std::shared_ptr<const PlanStep>> Session::plan() const { return state_->plan(); }

Result<std::vector<RuntimeValue>> Session::State::run_by_reference(
    std::span<const RuntimeValue> values, const RunLimits& limits,
    std::vector<StepProfile>* profile) const {
  ReferenceRunner runner(model, *registry);
  runner.set_limits(limits);
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  int64_t last = now();
  if (profile) {
    runner.set_observer([&](const Node& node, std::span<const RuntimeValue>) {
      StepProfile entry;
      entry.step = reference_steps[static_cast<size_t>(node.id().index)];
      entry.start_ns = last;  // nodes of a body come before its own node, whose time is the rest
      entry.nanoseconds = entry.self_ns = static_cast<double>(now() - last);
      entry.depth = node.graph() == model.main_graph() ? 0 : 1;
      profile->push_back(std::move(entry));
      last = now();
    });
  }
  std::vector<std::pair<ValueId, RuntimeValue>> feeds;
  for (size_t i = 0; i < values.size(); ++i)
    if (!values[i].is_absent()) feeds.emplace_back(model.graph().inputs()[i], values[i]);
  return runner.run(feeds);
}

Result<std::vector<RuntimeValue>> Session::run(std::span<const NamedValue> inputs,
                                               std::span<const std::string> output_names,
                                               const RunOptions& options) const {
  const State& state = *state_;
  try {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> values, state.arrange(inputs));
    std::vector<size_t> wanted;
    for (const std::string& name : output_names) {
      const auto found = state.output_index.find(name);
      if (found == state.output_index.end())
        return Status::invalid_argument("the model has no output {}", quoted(name));
      wanted.push_back(found->second);
    }
    RunLimits limits;
    limits.max_bytes = state.run_memory;
    limits.cancelled = options.cancelled;
    const double timeout = options.timeout >= 0 ? options.timeout : state.options.timeout;
    if (timeout >= 0) {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      limits.deadline_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() +
                           static_cast<int64_t>(timeout * 1e9);
    }
    if (options.profile) (void)state.plan();  // made before the clock runs
    std::vector<RuntimeValue> results;
    if (state.options.reference) {
      SHIPWAY_ASSIGN_OR_RETURN(results, state.run_by_reference(values, limits, options.profile));
    } else {
      ThreadPool::Hold hold(ThreadPool::instance(), state.threads);
      if (state.plan_file) SHIPWAY_RETURN_IF_ERROR(state.plan_file->check_weights(hold));
      SHIPWAY_ASSIGN_OR_RETURN(
          results,
          state.planned->main().run(values, [](ValueId) { return RuntimeValue(); },
                                    {.limits = limits, .profile = options.profile, .hold = hold}));
    }
    if (output_names.empty()) return results;
    std::vector<RuntimeValue> chosen;
    for (size_t index : wanted) chosen.push_back(results[index]);
    return chosen;
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory left in the run");
  } catch (const Error& error) {
    return error.status();
  }
}

Result<MemoryReport> Session::memory(std::span<const Shape> input_shapes) const {
  std::vector<RuntimeValue> values;
  for (size_t i = 0; i < state_->inputs.size() && i < input_shapes.size(); ++i) {
    // A tensor without memory of its own: only dtype and shape are asked for.
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(input_shapes[i]));
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes,
                             storage_bytes(state_->inputs[i].type.dtype(), count));
    SHIPWAY_ASSIGN_OR_RETURN(
        Tensor tensor,
        Tensor::from_storage(state_->inputs[i].type.dtype(), input_shapes[i],
                             Storage::borrow(nullptr, static_cast<size_t>(bytes), nullptr)));
    values.push_back(std::move(tensor));
  }
  if (values.size() != state_->inputs.size())
    return Status::invalid_argument("{} shapes for {} inputs", input_shapes.size(),
                                    state_->inputs.size());
  if (!state_->planned) return MemoryReport{.is_complete = false};
  SHIPWAY_ASSIGN_OR_RETURN(const BoundPlan bound, state_->planned->main().measured(values));
  MemoryReport report;
  report.weight_bytes = state_->weights->bytes();
  report.constant_bytes = state_->planned->constant_bytes();
  report.arena_bytes = bound.part->arena_bytes;
  report.arena_lower_bound = bound.part->arena_lower_bound;
  report.output_bytes = bound.output_bytes;
  report.scratch_bytes = bound.scratch_bytes * state_->threads;
  report.is_complete =
      std::none_of(bound.part->kinds.begin(), bound.part->kinds.end(),
                   [](BoundStep::Kind kind) { return kind == BoundStep::Kind::kDynamic; });
  return report;
}

PlanStatistics Session::plan_statistics() const {
  return state_->planned ? state_->planned->statistics() : PlanStatistics{};
}

}  // namespace shipway
