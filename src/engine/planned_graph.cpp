#include "engine/planned_graph.h"

#include <bit>
#include <unordered_map>

#include "base/text.h"
#include "engine/run.h"
#include "graph/builder.h"
#include "operators/infer.h"

namespace shipway {
namespace {

/// Kept for each part of a graph: bindings for the last sizes, and plans that further sizes may
/// fit.
constexpr size_t kKeptBindings = 8, kKeptPlans = 4;

/// An arena that a plan for growing sizes may always have. Pages of it that no value reaches yet
/// are never touched, so they cost addresses, not memory.
constexpr int64_t kFreeArenaBytes = int64_t{32} << 20;
/// Else, how many times the arena for the sizes at hand.
constexpr double kArenaGrowth = 2.5;

std::optional<Shape> shape_of(const RuntimeValue& value) {
  const Tensor* tensor = value.tensor();
  return tensor ? std::optional(tensor->shape()) : std::nullopt;
}

/// How far a size may grow inside a plan, most generous first: a cache of keys and values that
/// gains a row a step plans twice for its first 256 rows, then each time it has doubled; pictures,
/// where two sizes grow at once, get half as much again in each.
constexpr int64_t (*kCapacities[])(int64_t) = {
    [](int64_t size) {
      return static_cast<int64_t>(
          std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(2 * size, 256))));
    },
    [](int64_t size) { return size + size / 2 + 1; },
    [](int64_t size) { return size + size / 8 + 1; },
};

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

PlanStatistics PlannedModel::statistics() const {
  PlanStatistics sum;
  for (const auto& graph : graphs_) {
    const PlanStatistics one = graph->statistics();
    sum.plans_made += one.plans_made;
    sum.plans_kept += one.plans_kept;
    sum.bindings_made += one.bindings_made;
    sum.bindings_kept += one.bindings_kept;
  }
  return sum;
}

int64_t PlannedModel::constant_bytes() const {
  std::unordered_map<const Storage*, int64_t> storages;
  for (const auto& graph : graphs_)
    for (const LoweredValue& value : graph->plan().values)
      if (value.kind == LoweredValue::Kind::kConstant && value.is_read &&
          value.constant.is_defined())
        storages.emplace(value.constant.storage().get(), value.constant.byte_size());
  int64_t bytes = 0;
  for (const auto& [storage, size] : storages) bytes += size;
  return bytes;
}

const PlannedGraph* PlannedModel::graph(GraphId id) const {
  const int32_t index = index_[static_cast<size_t>(id.index)];
  return index < 0 ? nullptr : graphs_[static_cast<size_t>(index)].get();
}

PlannedGraph::PlannedGraph(const PlannedModel& owner, Plan plan)
    : owner_(owner),
      plan_(std::move(plan)),
      twins_(plan_.values.size()),
      late_sizes_(owner.model(), owner.registry(), plan_.graph) {
  std::unordered_map<int32_t, int32_t> first;
  for (size_t i = 0; i < twins_.size(); ++i) {
    const auto v = static_cast<int32_t>(i);
    twins_[i] = first.try_emplace(plan_.values[i].source.index, v).first->second;
  }
}
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
  int64_t largest = 0;  // an arena for sizes that nobody asks for any more is not kept
  for (const auto& part : parts_) largest = std::max(largest, part->arena_bytes);
  context->trim(largest);
  idle_.push_back(std::move(context));
  return results;
}

PlanStatistics PlannedGraph::statistics() const {
  std::lock_guard lock(mutex_);
  return {.plans_made = plans_made_,
          .plans_kept = static_cast<int64_t>(parts_.size()),
          .bindings_made = bindings_made_,
          .bindings_kept = static_cast<int64_t>(bindings_.size())};
}

PlannedGraph::Key PlannedGraph::key_of(std::span<const RuntimeValue> values) const {
  Key key;
  key.reserve(values.size());
  for (const RuntimeValue& value : values) key.push_back(shape_of(value));
  return key;
}

/// The shapes that are known when the graph begins.
ShapeTable PlannedGraph::known_from(const Key& key) const {
  ShapeTable known(plan_.values.size());
  for (size_t i = 0; i < plan_.values.size(); ++i)
    if (plan_.values[i].kind == LoweredValue::Kind::kConstant &&
        !plan_.values[i].layout.is_blocked())
      known[i] = plan_.values[i].constant.shape();
  for (size_t i = 0; i < key.size(); ++i) {
    const int32_t v =
        i < plan_.inputs.size() ? plan_.inputs[i] : plan_.captures[i - plan_.inputs.size()];
    known[static_cast<size_t>(v)] = key[i];
  }
  return known;
}

Result<std::shared_ptr<const BoundPlan>> PlannedGraph::bound_for(
    std::span<const RuntimeValue> values) const {
  return find_or_make(nullptr, key_of(values));
}

Result<std::shared_ptr<const BoundPlan>> PlannedGraph::part_after(
    std::shared_ptr<const BoundPlan> before, std::span<const RuntimeValue> values) const {
  Key key;
  for (int32_t v : before->part->open) key.push_back(shape_of(values[static_cast<size_t>(v)]));
  return find_or_make(std::move(before), std::move(key));
}

Result<BoundPlan> PlannedGraph::measured(std::span<const RuntimeValue> values) const {
  ShapeTable shapes = known_from(key_of(values));
  SymbolSizes symbols;
  SHIPWAY_ASSIGN_OR_RETURN(const bool agrees, infer(shapes, 0, symbols));
  SHIPWAY_ASSIGN_OR_RETURN(PartPlan part,
                           plan_part(plan_, owner_.model(), shapes, {}, nullptr,
                                     agrees ? BindMode::kPlanned : BindMode::kOneByOne));
  return bind_part(plan_, owner_.model(), std::make_shared<const PartPlan>(std::move(part)),
                   std::move(shapes), nullptr, owner_.threads());
}

Result<std::shared_ptr<const BoundPlan>> PlannedGraph::find_or_make(
    std::shared_ptr<const BoundPlan> before, Key key) const {
  const size_t depth = before ? static_cast<size_t>(before->part->depth) + 1 : 0;
  const PartPlan* part_before = before ? before->part.get() : nullptr;
  std::shared_ptr<const BoundPlan> latest;  // of the same part, of whatever sizes
  {
    std::lock_guard lock(mutex_);
    for (auto entry = bindings_.begin(); entry != bindings_.end(); ++entry) {
      const BoundPlan& bound = **entry;
      if (bound.before == before && bound.key == key) {
        bindings_.splice(bindings_.begin(), bindings_, entry);
        return bindings_.front();
      }
      if (!latest && bound.part->before.get() == part_before) latest = *entry;
    }
  }
  ShapeTable shapes;
  if (before) {  // what is there has the size it has; everything else is worked out again
    shapes.resize(plan_.values.size());
    for (size_t i = 0; i < shapes.size(); ++i)
      if (part_before->places[i] != Place::kNowhere) shapes[i] = before->shapes[i];
    for (size_t i = 0; i < key.size(); ++i)
      shapes[static_cast<size_t>(part_before->open[i])] = key[i];
  } else {
    shapes = known_from(key);
  }
  SymbolSizes symbols;
  SHIPWAY_ASSIGN_OR_RETURN(const bool agrees, infer(shapes, static_cast<int32_t>(depth), symbols));
  const BindMode mode = agrees ? BindMode::kPlanned : BindMode::kOneByOne;

  std::shared_ptr<const PartPlan> part;
  {
    std::lock_guard lock(mutex_);
    for (auto entry = parts_.begin(); entry != parts_.end() && !part; ++entry) {
      const PartPlan& known = **entry;
      if (known.before.get() != part_before || known.mode != mode || !fits(known, plan_, shapes))
        continue;
      part = *entry;
      parts_.splice(parts_.begin(), parts_, entry);
      break;
    }
  }
  bool is_new = false;
  BoundPlan bound;
  for (Growth growth : {Growth::kAllowed, Growth::kNone}) {
    if (!part || growth == Growth::kNone) {
      is_new = true;
      SHIPWAY_ASSIGN_OR_RETURN(part, make_part(shapes, symbols, latest.get(),
                                               before ? before->part : nullptr, mode, growth));
    }
    SHIPWAY_ASSIGN_OR_RETURN(
        bound,
        bind_part(plan_, owner_.model(), part, shapes,
                  latest && latest->part == part ? latest.get() : nullptr, owner_.threads()));
    // Room to grow is not what a run fails for.
    if (owner_.max_bytes() < 0 || run_bytes(bound) <= owner_.max_bytes()) break;
  }
  bound.before = std::move(before);
  bound.key = std::move(key);
  bound.symbols = std::move(symbols);
  auto shared = std::make_shared<const BoundPlan>(std::move(bound));
  std::lock_guard lock(mutex_);
  depths_ = std::max(depths_, depth + 1);
  ++bindings_made_;
  bindings_.push_front(shared);
  if (bindings_.size() > depths_ * kKeptBindings) bindings_.pop_back();
  if (!is_new) return shared;
  ++plans_made_;
  parts_.push_front(std::move(part));
  if (parts_.size() > depths_ * kKeptPlans) parts_.pop_back();
  return shared;
}

int64_t PlannedGraph::run_bytes(const BoundPlan& bound) const {
  return bound.part->arena_bytes + bound.output_bytes + bound.scratch_bytes * owner_.threads();
}

/// A plan for these shapes, with room to grow where their symbols differ from those of the latest
/// run: the first shapes of a graph, and those that come back, get no more than they need.
Result<std::shared_ptr<const PartPlan>> PlannedGraph::make_part(
    const ShapeTable& shapes, const SymbolSizes& symbols, const BoundPlan* latest,
    std::shared_ptr<const PartPlan> before, BindMode mode, Growth growth) const {
  const auto plan_with = [&](std::span<const int64_t> room) {
    return plan_part(plan_, owner_.model(), shapes, room, before, mode);
  };
  SHIPWAY_ASSIGN_OR_RETURN(PartPlan exact, plan_with({}));
  std::vector<int32_t> growing;
  for (const auto& [symbol, size] : symbols) {
    if (!latest || growth == Growth::kNone) break;
    const auto earlier = latest->symbols.find(symbol);
    if (earlier != latest->symbols.end() && earlier->second != size) growing.push_back(symbol);
  }
  if (!growing.empty() && exact.arena_bytes > 0) {
    const auto allowed =
        std::max(kFreeArenaBytes,
                 static_cast<int64_t>(kArenaGrowth * static_cast<double>(exact.arena_bytes)));
    for (const auto capacity_of : kCapacities) {
      SymbolSizes capacity = symbols;
      for (int32_t symbol : growing) capacity[symbol] = capacity_of(capacity[symbol]);
      SHIPWAY_ASSIGN_OR_RETURN(PartPlan roomy, plan_with(room_for(shapes, symbols, capacity)));
      if (roomy.arena_bytes <= allowed) return std::make_shared<const PartPlan>(std::move(roomy));
    }
  }
  return std::make_shared<const PartPlan>(std::move(exact));
}

/// Bytes by lowered value when symbols have grown to `capacity`. A size that no expression gives
/// grows by as much as all symbols together.
std::vector<int64_t> PlannedGraph::room_for(const ShapeTable& shapes, const SymbolSizes& symbols,
                                            const SymbolSizes& capacity) const {
  const Model& model = owner_.model();
  double growth = 1;
  for (const auto& [symbol, size] : symbols)
    growth *=
        static_cast<double>(capacity.at(symbol)) / static_cast<double>(std::max<int64_t>(size, 1));
  const auto size_of = [&](Dim symbol) -> std::optional<int64_t> {
    const auto found = capacity.find(symbol.id());
    return found == capacity.end() ? std::nullopt : std::optional(found->second);
  };
  std::vector<int64_t> room(shapes.size(), 0);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const LoweredValue& value = plan_.values[i];
    if (!shapes[i] || value.kind != LoweredValue::Kind::kComputed) continue;
    const Dims* dims = model.value(value.source).type().dims();
    Shape grown;
    for (size_t axis = 0; dims && axis < dims->size(); ++axis) {
      const std::optional<int64_t> size = model.dims().evaluate((*dims)[axis], size_of);
      if (size && *size >= 0) grown.push_back(*size);
    }
    const bool is_known = dims && grown.size() == dims->size();
    const Result<int64_t> bytes =
        layout_bytes(value.dtype, is_known ? grown : *shapes[i], value.layout);
    if (!bytes.is_ok()) continue;
    const double most = static_cast<double>(*bytes) * (is_known ? 1 : growth);
    if (most < 0x1p62) room[i] = static_cast<int64_t>(most);
  }
  return room;
}

/// The numbers that symbols stand for, from the known shapes; false when a shape is not what the
/// model's type says (a body whose file declares sizes that do not come).
bool PlannedGraph::bind_symbols(const ShapeTable& known, SymbolSizes& sizes) const {
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

std::span<const std::shared_ptr<const PlanStep>> PlannedGraph::steps() const {
  std::call_once(steps_made_, [this] { steps_ = plan_steps(plan_, owner_.model()); });
  return steps_;
}

std::vector<std::shared_ptr<const PlanStep>> PlannedModel::steps() const {
  std::vector<std::shared_ptr<const PlanStep>> all;
  for (const auto& graph : graphs_)
    all.insert(all.end(), graph->steps().begin(), graph->steps().end());
  return all;
}

/// Fills in the shapes that follow from the known ones: from the expressions where those suffice,
/// else by inferring once more with these sizes. False when the known ones contradict the model's
/// types.
Result<bool> PlannedGraph::infer(ShapeTable& shapes, int32_t depth, SymbolSizes& symbols) const {
  const Model& model = owner_.model();
  if (!bind_symbols(shapes, symbols)) return false;
  late_sizes_.add_to(symbols);
  const ShapeTable known = shapes;
  std::vector<const Shape*> same(shapes.size());  // a value in another layout has the same shape
  for (size_t i = 0; i < known.size(); ++i)
    if (known[i]) same[static_cast<size_t>(twins_[i])] = &*known[i];
  bool complete = true;
  const auto fill = [&](const Model& from, const std::function<std::optional<int64_t>(Dim)>& size,
                        std::vector<bool>* unresolved) -> Status {
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (shapes[i]) continue;
      const ValueId source = plan_.values[i].source;
      if (const Shape* shape = same[static_cast<size_t>(twins_[i])]) {
        shapes[i] = *shape;
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
    const auto found = symbols.find(symbol.id());
    return found == symbols.end() ? std::nullopt : std::optional(found->second);
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
