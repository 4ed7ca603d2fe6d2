#include "engine/planned_graph.h"

#include <unordered_map>

#include "base/text.h"
#include "engine/run.h"
#include "graph/builder.h"
#include "operators/infer.h"

namespace shipway {
namespace {

/// Plans kept for the last shapes; of later parts fewer, since each has its own successors.
constexpr size_t kKeptBindings = 8, kKeptParts = 2;

std::optional<Shape> shape_of(const RuntimeValue& value) {
  const Tensor* tensor = value.tensor();
  return tensor ? std::optional(tensor->shape()) : std::nullopt;
}

}  // namespace

PlannedModel::PlannedModel(const Model& model, const Registry& registry, LoweredModel lowered,
                           int threads)
    : model_(model), registry_(registry), threads_(threads), index_(model.graph_count(), -1) {
  for (Plan& plan : lowered.plans) {
    index_[static_cast<size_t>(plan.graph.index)] = static_cast<int32_t>(graphs_.size());
    graphs_.push_back(std::make_unique<PlannedGraph>(*this, std::move(plan)));
  }
}
PlannedModel::~PlannedModel() = default;

const PlannedGraph* PlannedModel::graph(GraphId id) const {
  const int32_t index = index_[static_cast<size_t>(id.index)];
  return index < 0 ? nullptr : graphs_[static_cast<size_t>(index)].get();
}

PlannedGraph::PlannedGraph(const PlannedModel& owner, Plan plan)
    : owner_(owner), plan_(std::move(plan)) {}
PlannedGraph::~PlannedGraph() = default;

Result<std::vector<RuntimeValue>> PlannedGraph::run(
    std::span<const RuntimeValue> inputs, const std::function<RuntimeValue(ValueId)>& captured,
    const RunEnvironment& environment) const {
  if (inputs.size() > plan_.inputs.size())
    return Status::invalid_model("its subgraph {} has {} inputs, but {} are given",
                                 quoted(owner_.model().graph(plan_.graph).name()),
                                 plan_.inputs.size(), inputs.size());
  if (environment.depth > Type::kMaxDepth)
    return Status::limit("graphs are nested more than {} deep", Type::kMaxDepth);
  std::vector<RuntimeValue> values(inputs.begin(), inputs.end());
  values.resize(plan_.inputs.size());
  for (int32_t v : plan_.captures)
    values.push_back(captured(plan_.values[static_cast<size_t>(v)].source));
  SHIPWAY_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundPlan> bound, bound_for(values));
  std::unique_ptr<RunContext> context;
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      context = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!context) context = std::make_unique<RunContext>(*this);
  Result<std::vector<RuntimeValue>> results = context->run(bound, values, environment);
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(context));
  return results;
}

std::shared_ptr<const BoundPlan> PlannedGraph::find(
    Parts& parts, const std::vector<std::optional<Shape>>& key) const {
  for (auto entry = parts.begin(); entry != parts.end(); ++entry) {
    if ((*entry)->key != key) continue;
    if (entry != parts.begin()) parts.splice(parts.begin(), parts, entry);
    return parts.front();
  }
  return nullptr;
}

Result<std::shared_ptr<const BoundPlan>> PlannedGraph::bound_for(
    std::span<const RuntimeValue> values) const {
  std::vector<std::optional<Shape>> key;
  key.reserve(values.size());
  for (const RuntimeValue& value : values) key.push_back(shape_of(value));
  {
    std::lock_guard lock(mutex_);
    if (auto found = find(bindings_, key)) return found;
  }
  ShapeTable known(plan_.values.size());
  for (size_t i = 0; i < plan_.values.size(); ++i)
    if (plan_.values[i].kind == LoweredValue::Kind::kConstant &&
        !plan_.values[i].layout.is_blocked())
      known[i] = plan_.values[i].constant.shape();
  for (size_t i = 0; i < values.size(); ++i) {
    const int32_t v =
        i < plan_.inputs.size() ? plan_.inputs[i] : plan_.captures[i - plan_.inputs.size()];
    known[static_cast<size_t>(v)] = key[i];
  }
  return make(bindings_, std::move(key), std::move(known), nullptr);
}

Result<std::shared_ptr<const BoundPlan>> PlannedGraph::part_after(
    const BoundPlan& before, std::span<const RuntimeValue> values) const {
  std::vector<std::optional<Shape>> key;
  for (int32_t v : before.open) key.push_back(shape_of(values[static_cast<size_t>(v)]));
  {
    std::lock_guard lock(mutex_);
    if (auto found = find(before.next, key)) return found;
  }
  // What is there has the size it has; everything else is worked out again.
  ShapeTable known(plan_.values.size());
  for (size_t i = 0; i < known.size(); ++i)
    if (before.places[i] != Place::kNowhere) known[i] = before.shapes[i];
  for (size_t i = 0; i < key.size(); ++i) known[static_cast<size_t>(before.open[i])] = key[i];
  return make(before.next, std::move(key), std::move(known), &before);
}

Result<std::shared_ptr<const BoundPlan>> PlannedGraph::make(Parts& parts,
                                                            std::vector<std::optional<Shape>> key,
                                                            ShapeTable known,
                                                            const BoundPlan* before) const {
  SHIPWAY_ASSIGN_OR_RETURN(const bool agrees, infer(known, before ? before->depth + 1 : 0));
  SHIPWAY_ASSIGN_OR_RETURN(BoundPlan bound,
                           bind(plan_, owner_.model(), std::move(known), before, owner_.threads(),
                                agrees ? BindMode::kPlanned : BindMode::kOneByOne));
  bound.key = std::move(key);
  auto shared = std::make_shared<const BoundPlan>(std::move(bound));
  std::lock_guard lock(mutex_);
  parts.push_front(shared);
  if (parts.size() > (before ? kKeptParts : kKeptBindings)) parts.pop_back();
  return shared;
}

/// The numbers that symbols stand for, from the known shapes; false when a shape is not what the
/// model's type says (a body whose file declares sizes that do not come).
bool PlannedGraph::bind_symbols(const ShapeTable& known,
                                std::unordered_map<int32_t, int64_t>& sizes) const {
  const Model& model = owner_.model();
  for (size_t i = 0; i < known.size(); ++i) {
    if (!known[i] || plan_.values[i].kind == LoweredValue::Kind::kConstant) continue;
    const Type& type = model.value(plan_.values[i].source).type();
    if (!type.is_tensor() || !type.dims()) continue;
    if (type.dims()->size() != known[i]->size()) return false;
    for (size_t axis = 0; axis < known[i]->size(); ++axis) {
      const Dim dim = (*type.dims())[axis];
      const int64_t size = (*known[i])[axis];
      if (dim.is_constant() && dim.value() != size) return false;
      if (!model.dims().is_symbol(dim)) continue;
      const auto [entry, is_new] = sizes.try_emplace(dim.id(), size);
      if (!is_new && entry->second != size) return false;
    }
  }
  return true;
}

/// Fills in the shapes that follow from the known ones: from the expressions where those suffice,
/// else by inferring once more with these sizes. False when the known ones contradict the model's
/// types.
Result<bool> PlannedGraph::infer(ShapeTable& shapes, int32_t depth) const {
  const Model& model = owner_.model();
  std::unordered_map<int32_t, int64_t> sizes;
  if (!bind_symbols(shapes, sizes)) return false;
  const ShapeTable known = shapes;
  std::unordered_map<int32_t, const Shape*> same;  // a value in another layout has the same shape
  for (size_t i = 0; i < known.size(); ++i)
    if (known[i]) same.emplace(plan_.values[i].source.index, &*known[i]);
  bool complete = true;
  const auto fill = [&](const Model& from, const std::function<std::optional<int64_t>(Dim)>& size,
                        std::vector<bool>* unresolved) -> Status {
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (shapes[i]) continue;
      const ValueId source = plan_.values[i].source;
      if (const auto found = same.find(source.index); found != same.end()) {
        shapes[i] = *found->second;
        continue;
      }
      const Type& type = from.value(source).type();
      if (!type.is_tensor()) continue;
      Shape shape;
      bool resolved = type.dims() != nullptr;
      for (size_t axis = 0; resolved && axis < type.dims()->size(); ++axis) {
        const std::optional<int64_t> value = from.dims().evaluate((*type.dims())[axis], size);
        if (value && *value < 0)
          return Status::invalid_argument(
              "value {} would have the size {} for inputs of these shapes",
              quoted(from.value(source).name()), *value);
        resolved = value.has_value();
        shape.push_back(value.value_or(0));
      }
      if (resolved)
        shapes[i] = std::move(shape);
      else
        (*unresolved)[i] = true;
    }
    return Status::ok();
  };
  std::vector<bool> unresolved(shapes.size());
  const auto size_of = [&](Dim symbol) -> std::optional<int64_t> {
    const auto found = sizes.find(symbol.id());
    return found == sizes.end() ? std::nullopt : std::optional(found->second);
  };
  SHIPWAY_RETURN_IF_ERROR(fill(model, size_of, &unresolved));
  {
    std::lock_guard lock(mutex_);
    if (unknowable_.size() <= static_cast<size_t>(depth))
      unknowable_.resize(static_cast<size_t>(depth) + 1, std::vector<bool>(shapes.size()));
    const std::vector<bool>& hopeless = unknowable_[static_cast<size_t>(depth)];
    for (size_t i = 0; i < shapes.size(); ++i)
      complete = complete && (!unresolved[i] || hopeless[i]);
  }
  if (complete) return true;
  Model copy = model;
  ModelBuilder builder(copy);
  for (size_t i = 0; i < known.size(); ++i) {
    const LoweredValue& value = plan_.values[i];
    if (!known[i] || value.kind == LoweredValue::Kind::kConstant) continue;
    const Type& type = model.value(value.source).type();
    Dims dims;
    for (int64_t size : *known[i]) dims.push_back(size);
    if (type.is_tensor()) builder.set_type(value.source, type.with_dims(std::move(dims)));
  }
  SHIPWAY_RETURN_IF_ERROR(
      infer_shapes(copy, owner_.registry(), {.graph_wins = true, .graph = plan_.graph}));
  unresolved.assign(shapes.size(), false);
  SHIPWAY_RETURN_IF_ERROR(fill(
      copy, [](Dim) -> std::optional<int64_t> { return std::nullopt; }, &unresolved));
  std::lock_guard lock(mutex_);
  std::vector<bool>& hopeless = unknowable_[static_cast<size_t>(depth)];
  for (size_t i = 0; i < shapes.size(); ++i) hopeless[i] = hopeless[i] || unresolved[i];
  return true;
}

}  // namespace shipway
