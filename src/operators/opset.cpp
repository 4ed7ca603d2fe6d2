#include "shipway/opset.h"

#include <algorithm>
#include <new>
#include <optional>

#include "base/text.h"
#include "graph/inline_functions.h"
#include "operators/accepts.h"
#include "operators/infer.h"
#include "operators/operator.h"
#include "operators/upgrade.h"

namespace shipway {
namespace {

bool equals(const Attribute& attribute, const AttributeDefault& value) {
  return std::visit(
      [&](const auto& expected) {
        const auto* found = attribute.get<std::decay_t<decltype(expected)>>();
        return attribute.refers_to.empty() && found && *found == expected;
      },
      value);
}

std::string shown(const Attribute& attribute) {
  if (const auto* value = attribute.get<int64_t>()) return std::to_string(*value);
  if (const auto* text = attribute.get<std::string>()) return quoted(*text);
  return std::string(to_string(attribute.kind()));
}

Attribute to_attribute(const std::string& name, const AttributeDefault& value) {
  return {name, std::visit([](const auto& v) { return AttributeValue(v); }, value)};
}

/// Brings the nodes of one domain down, opset by opset: while one level is worked on, every node is
/// of that opset or below it, or has been refused.
class Descent {
 public:
  Descent(Model& model, const Registry& registry, std::string domain)
      : model_(model), registry_(registry), domain_(std::move(domain)) {}

  struct Refusal {
    NodeId node;
    std::string text;
    int64_t from = 0;  // the oldest opset that can say it
  };

  /// An error here is a mistake of ours; what cannot be said is in refusals().
  Status run(int64_t target) {
    const int64_t highest = model_.opset(domain_);
    for (size_t i = 0; i < model_.node_count(); ++i)
      note_version(NodeId{static_cast<int32_t>(i)}, highest);
    for (int64_t level = highest; level > target; --level) SHIPWAY_RETURN_IF_ERROR(leave(level));
    return drop_dead_constants();
  }
  std::span<const Refusal> refusals() const { return refusals_; }

 private:
  void note_version(NodeId id, int64_t opset) {
    versions_.resize(std::max(versions_.size(), static_cast<size_t>(id.index) + 1));
    const Node& node = model_.node(id);
    if (node.is_removed() || node.domain() != domain_) return;
    if (const Operator* op = registry_.find(node.domain(), node.op_type()))
      versions_[static_cast<size_t>(id.index)] = {&op->versions, op->versions.version_at(opset)};
  }

  /// Every node whose version came with `level` becomes one, or several, of the opset before.
  Status leave(int64_t level) {
    std::vector<NodeId> nodes;
    for (size_t i = 0; i < versions_.size(); ++i)
      if (versions_[i].schema && versions_[i].schema->since == level &&
          !model_.node(NodeId{static_cast<int32_t>(i)}).is_removed())
        nodes.push_back(NodeId{static_cast<int32_t>(i)});
    if (nodes.empty()) return Status::ok();
    if (!types_known_) find_types(level);
    for (NodeId id : nodes) SHIPWAY_RETURN_IF_ERROR(lower(id, level));
    return Status::ok();
  }

  /// Inference is written for the newest opset, without functions, so it runs on a copy; values
  /// keep their ids. Where it cannot say anything, steps that need a type refuse.
  void find_types(int64_t level) {
    types_known_ = true;
    Model copy = model_;
    for (auto& [domain, opset] : copy.opset_imports)
      if (normalized_domain(domain) == domain_) opset = level;
    // What was refused stays where it is, in a version that the opset does not have.
    for (const Refusal& refusal : refusals_)
      ModelBuilder(copy).set_op(refusal.node, "refused", copy.node(refusal.node).op_type());
    ModelBuilder(copy).import_model_opsets_in_functions();
    if (!upgrade(copy, registry_).is_ok() || !inline_functions(copy).is_ok()) return;
    if (!infer_shapes(copy, registry_, {.strict = false, .graph_wins = true}).is_ok()) return;
    model_.dims() = copy.dims();
    ModelBuilder builder(model_);
    for (size_t i = 0; i < model_.value_count(); ++i) {
      const ValueId id{static_cast<int32_t>(i)};
      if (!model_.value(id).is_removed() && !copy.value(id).is_removed())
        builder.set_type(id, copy.value(id).type());
    }
  }

  void refuse(NodeId id, int64_t level, const std::string& where, const std::string& why) {
    refusals_.push_back({id, where + ": " + why, level});
    versions_[static_cast<size_t>(id.index)].schema = nullptr;
  }

  Status lower(NodeId id, int64_t level) {
    Version& version = versions_[static_cast<size_t>(id.index)];
    const Schema& schema = *version.schema;
    const Schema* older = version.list->version_at(level - 1);
    const std::string where = model_.describe(id);
    const std::string op_type = model_.node(id).op_type();
    if (const Status form = check_form(model_.node(id), schema); !form.is_ok())
      return Status::invalid_model("{}: {}", where, form.message());
    const std::vector<ValueId> inputs(model_.node(id).inputs().begin(),
                                      model_.node(id).inputs().end());
    if (schema.downgrade) {
      NodeRewrite rewrite(model_, model_.node(id), schema, older ? older->since : level - 1);
      if (const Status step = schema.downgrade(rewrite); !step.is_ok()) {
        refuse(id, level, where, step.message());
        return Status::ok();
      }
      const bool replaced = rewrite.is_replaced();
      const size_t nodes_before = model_.node_count();
      SHIPWAY_RETURN_IF_ERROR(rewrite.take_patch().apply(model_).with_context(
          "{}: from version {} down", where, level));
      candidates_.insert(candidates_.end(), inputs.begin(), inputs.end());
      for (size_t i = nodes_before; i < model_.node_count(); ++i) {
        note_version(NodeId{static_cast<int32_t>(i)}, level - 1);
        types_known_ = false;
      }
      if (replaced) return Status::ok();
    }
    if (!older) {
      refuse(id, level, where, "operator " + op_type + " came with opset " + std::to_string(level));
      return Status::ok();
    }
    if (older->deprecated && !schema.deprecated) {
      refuse(id, level, where,
             "operator " + op_type + " is deprecated before opset " + std::to_string(level));
      return Status::ok();
    }
    if (const Status fits = fit(id, schema, *older); !fits.is_ok()) {
      if (fits.code() == StatusCode::kInternal) return fits;
      refuse(id, level, where, fits.message());
      return Status::ok();
    }
    versions_[static_cast<size_t>(id.index)].schema = older;
    return Status::ok();
  }

  /// What needs no step: attributes, inputs and outputs that only the newer version has go where
  /// they say nothing, defaults that differ are spelled out, and the older version's types must do.
  Status fit(NodeId id, const Schema& newer, const Schema& older) {
    Patch patch(id);
    const Node& node = model_.node(id);
    for (const Attribute& attribute : node.attributes()) {
      if (older.attribute(attribute.name)) continue;
      const AttributeSchema* declared = newer.attribute(attribute.name);
      if (!declared || !equals(attribute, declared->default_value))
        return Status::unsupported("attribute '{}' ({}) came with opset {}", attribute.name,
                                   shown(attribute), newer.since);
      patch.remove_attribute(id, attribute.name);
    }
    for (const AttributeSchema& before : older.attributes) {
      const AttributeSchema* now = newer.attribute(before.name);
      if (!now || node.attribute(before.name)) continue;
      if (now->default_value == before.default_value && !before.required) continue;
      if (std::holds_alternative<std::monostate>(now->default_value))
        return Status::unsupported("attribute '{}' may be left out only from opset {} on",
                                   before.name, newer.since);
      patch.set_attribute(id, to_attribute(before.name, now->default_value));
    }
    std::vector<ValueId> inputs(node.inputs().begin(), node.inputs().end());
    while (!inputs.empty() && !inputs.back().is_valid()) inputs.pop_back();
    if (static_cast<int>(inputs.size()) > older.max_inputs()) {
      const auto extra = static_cast<size_t>(older.max_inputs());
      const FormalParameter* declared = newer.input(extra);
      return Status::unsupported("input {} ('{}') came with opset {}", extra,
                                 declared ? declared->name : "", newer.since);
    }
    for (int i = static_cast<int>(inputs.size()); i < older.min_inputs(); ++i)
      inputs.emplace_back();
    if (inputs.size() != node.inputs().size()) patch.set_inputs(id, inputs);
    SHIPWAY_RETURN_IF_ERROR(check_types("input", inputs, older, &Schema::input, newer.since));
    SHIPWAY_RETURN_IF_ERROR(
        check_types("output", node.outputs(), older, &Schema::output, newer.since));
    if (static_cast<int>(node.outputs().size()) > older.max_outputs())
      return Status::unsupported("has {} outputs, at most {} before opset {}",
                                 node.outputs().size(), older.max_outputs(), newer.since);
    if (!patch.empty()) SHIPWAY_RETURN_IF_ERROR(std::move(patch).apply(model_));
    const Status form = check_form(model_.node(id), older);
    return form.is_ok() ? form
                        : Status::unsupported("in opset {}, {}", newer.since - 1, form.message());
  }

  Status check_types(std::string_view what, std::span<const ValueId> values, const Schema& older,
                     const FormalParameter* (Schema::*parameter)(size_t) const, int64_t since) {
    for (size_t i = 0; i < values.size(); ++i) {
      const FormalParameter* declared = (older.*parameter)(i);
      if (!values[i].is_valid() || !declared) continue;
      const Type& type = model_.value(values[i]).type();
      if (is_open(type) || accepts(declared->types, type)) continue;
      return Status::unsupported("{} {} ('{}') takes {} only from opset {} on", what, i,
                                 declared->name, quoted(to_string(type, model_.dims())), since);
    }
    return Status::ok();
  }

  /// Constants that steps moved into attributes.
  Status drop_dead_constants() {
    std::sort(candidates_.begin(), candidates_.end());
    candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
    ModelBuilder builder(model_);
    std::vector<ValueId> dead;
    for (ValueId id : candidates_) {
      if (!id.is_valid()) continue;
      const Value& value = model_.value(id);
      if (value.is_removed() || !value.uses().empty() || value.output_count() > 0) continue;
      const NodeId producer = value.producer();
      if (producer.is_valid()) {
        if (!model_.node(producer).is("Constant")) continue;
        builder.remove_node(producer);
      } else if (value.is_input() || !value.is_initializer()) {
        continue;
      }
      dead.push_back(id);
    }
    builder.remove_initializers(dead);
    for (ValueId id : dead) SHIPWAY_RETURN_IF_ERROR(builder.remove_value(id));
    return Status::ok();
  }

  struct Version {
    const VersionList* list = nullptr;
    const Schema* schema = nullptr;  // null: unknown, of another domain, or refused
  };
  Model& model_;
  const Registry& registry_;
  std::string domain_;
  std::vector<Version> versions_;  // by NodeId::index
  std::vector<Refusal> refusals_;
  std::vector<ValueId> candidates_;  // values that may have lost their last use
  bool types_known_ = false;
};

Status summary(std::span<const Descent::Refusal> refusals, std::string_view domain, int64_t opset) {
  int64_t enough = 0;
  std::string list;
  for (const Descent::Refusal& refusal : refusals) {
    enough = std::max(enough, refusal.from);
    list += "\n  " + refusal.text;
  }
  return Status::unsupported(
      "opset {} of {} cannot say what {} do{} (opset {} can):{}", opset,
      domain.empty() ? "ai.onnx" : domain,
      refusals.size() == 1 ? std::string("1 node") : std::to_string(refusals.size()) + " nodes",
      refusals.size() == 1 ? "es" : "", enough, list);
}

/// After a conversion upwards: an operator that ended as deprecated has no successor to become.
Status refuse_deprecated(const Model& model, const Registry& registry, std::string_view domain,
                         int64_t opset) {
  std::vector<std::string> found;
  for (size_t i = 0; i < model.node_count(); ++i) {
    const NodeId id{static_cast<int32_t>(i)};
    const Node& node = model.node(id);
    if (node.is_removed() || node.domain() != domain) continue;
    const Operator* op = registry.find(node.domain(), node.op_type());
    const Schema* schema = op ? op->versions.version_at(opset) : nullptr;
    if (schema && schema->deprecated)
      found.push_back("\n  " + model.describe(id) + ": deprecated from opset " +
                      std::to_string(schema->since) + " on");
  }
  if (found.empty()) return Status::ok();
  std::string list;
  for (const std::string& line : found) list += line;
  return Status::unsupported("opset {} of {} no longer has the operators of {} nodes:{}", opset,
                             domain.empty() ? "ai.onnx" : domain, found.size(), list);
}

Status convert(Model& model, std::span<const std::pair<std::string, int64_t>> targets,
               const Registry& registry) {
  Model work = model;
  if (work.ir_version < kInitializersStandAlone)
    ModelBuilder(work).drop_inputs_with_data(work.main_graph());

  // Up: what is older than the target, and function bodies that are older than the model.
  std::vector<std::pair<std::string, int64_t>> up;
  for (const auto& [domain, opset] : targets)
    up.emplace_back(normalized_domain(domain),
                    std::max(opset, work.opset(normalized_domain(domain))));
  SHIPWAY_RETURN_IF_ERROR(upgrade_to(work, up, registry));
  for (const auto& [domain, opset] : up)
    if (opset > work.opset(domain))
      SHIPWAY_RETURN_IF_ERROR(refuse_deprecated(work, registry, domain, opset));
  const auto import = [&](std::string_view domain, int64_t opset) {
    for (auto& [name, version] : work.opset_imports)
      if (normalized_domain(name) == domain) version = opset;
    ModelBuilder(work).import_model_opsets_in_functions();
  };
  const int64_t opset_before = work.opset();
  for (const auto& [domain, opset] : up) import(domain, opset);

  // Down: ai.onnx last, since others may become nodes of it.
  std::vector<Type> declared;
  for (size_t i = 0; i < work.value_count(); ++i)
    declared.push_back(work.value(ValueId{static_cast<int32_t>(i)}).type());
  for (const bool is_main : {false, true}) {
    for (const auto& [name, opset] : targets) {
      const std::string domain(normalized_domain(name));
      if (domain.empty() != is_main || opset >= work.opset(domain)) continue;
      Descent descent(work, registry, domain);
      SHIPWAY_RETURN_IF_ERROR(descent.run(opset));
      if (!descent.refusals().empty()) return summary(descent.refusals(), domain, opset);
      import(domain, opset);
    }
  }
  ModelBuilder builder(work);
  for (size_t i = 0; i < work.value_count(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (work.value(id).is_removed() || work.value(id).is_initializer()) continue;
    builder.set_type(id, i < declared.size() ? declared[i] : Type());
  }
  int64_t ir_version = model.ir_version;
  if (work.opset() > opset_before)
    ir_version = std::max(ir_version, ir_version_of_opset(work.opset()));
  set_ir_version(work, ir_version);
  model = std::move(work);
  return Status::ok();
}

}  // namespace

int64_t newest_opset(std::string_view domain) {
  // onnx 1.23: the opsets this code base is pinned to.
  if (domain.empty() || domain == "ai.onnx") return 28;
  if (domain == "ai.onnx.ml") return 5;
  if (domain == "ai.onnx.preview" || domain == "ai.onnx.preview.training") return 1;
  return 0;
}

int64_t ir_version_of_opset(int64_t opset) {
  // onnx/docs/Versioning.md: the releases and what they brought.
  constexpr std::pair<int64_t, int64_t> kLastOpsets[] = {{8, 3},   {9, 4},   {10, 5},  {11, 6},
                                                         {14, 7},  {18, 8},  {20, 9},  {22, 10},
                                                         {23, 11}, {24, 12}, {27, 13}, {28, 14}};
  for (const auto& [last, ir_version] : kLastOpsets)
    if (opset <= last) return ir_version;
  return kLastOpsets[std::size(kLastOpsets) - 1].second;
}

void set_ir_version(Model& model, int64_t ir_version) {
  model.ir_version = ir_version;
  if (ir_version >= kInitializersStandAlone) return;
  ModelBuilder builder(model);
  const std::span<const ValueId> data = model.graph().initializers();
  for (ValueId id : std::vector<ValueId>(data.begin(), data.end()))
    if (!model.value(id).is_input()) builder.add_input(model.main_graph(), id);
}

Status convert_opsets(Model& model, std::span<const std::pair<std::string, int64_t>> targets,
                      const Registry* registry) {
  for (const auto& [domain, opset] : targets) {
    const int64_t newest = newest_opset(domain);
    if (newest == 0)
      return Status::invalid_argument("domain {} has no opsets known here", quoted(domain));
    if (opset < 1 || opset > newest)
      return Status::invalid_argument("opset {} of {} does not exist here: 1 to {} do", opset,
                                      domain.empty() ? "ai.onnx" : domain, newest);
  }
  try {
    return convert(model, targets, registry ? *registry : Registry::built_in());
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("not enough memory to convert the model");
  }
}

Status convert_opset(Model& model, int64_t opset, const Registry* registry) {
  const std::pair<std::string, int64_t> target{"", opset};
  return convert_opsets(model, {&target, 1}, registry);
}

}  // namespace shipway
