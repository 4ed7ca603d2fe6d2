#include "operators/upgrade.h"

#include <algorithm>
#include <functional>

#include "operators/operator.h"

namespace shipway {
namespace {

/// The opset to bring a domain to; 0 where that is each operator's newest version, -1 where its
/// nodes stay.
using Target = std::function<int64_t(std::string_view domain)>;

/// Brings one node up by as many steps as it needs. New nodes that steps insert go to `pending`
/// with their opset.
Status upgrade_node(Model& model, NodeId id, int64_t opset, int64_t target,
                    const Registry& registry, std::vector<std::pair<NodeId, int64_t>>& pending) {
  const Operator* op = registry.find(model.node(id).domain(), model.node(id).op_type());
  if (!op) return Status::ok();
  const Schema* schema = op->versions.version_at(opset);
  // ONNX Runtime's optimiser has written it into files of older opsets since long before ONNX had
  // it, and meant the same.
  if (!schema && op->domain.empty() && op->name == "LayerNormalization")
    schema = &*op->versions.begin();
  if (!schema)
    return Status::invalid_model(
        "{}: operator '{}' does not exist in opset {}; it came with opset {}", model.describe(id),
        op->name, opset, op->versions.begin()->since);
  const Schema* last = target == 0 ? op->versions.newest() : op->versions.version_at(target);
  for (; schema != last; ++schema) {
    if (!schema->upgrade) continue;  // the next version means the same for what this one can say
    const int64_t to = (schema + 1)->since;
    SHIPWAY_RETURN_IF_ERROR(
        check_form(model.node(id), *schema).with_context("{}", model.describe(id)));
    NodeRewrite rewrite(model, model.node(id), *schema, to);
    SHIPWAY_RETURN_IF_ERROR(schema->upgrade(rewrite).with_context(
        "{}: from version {} to {}", model.describe(id), schema->since, to));
    const size_t nodes_before = model.node_count();
    const bool replaced = rewrite.is_replaced();
    Patch patch = rewrite.take_patch();
    if (patch.empty()) continue;
    SHIPWAY_RETURN_IF_ERROR(std::move(patch).apply(model).with_context("upgrading {}", op->name));
    for (size_t i = nodes_before; i < model.node_count(); ++i)
      pending.emplace_back(NodeId{static_cast<int32_t>(i)}, to);
    if (replaced) return Status::ok();
  }
  return Status::ok();
}

Status upgrade_nodes(Model& model, const Target& target, const Registry& registry) {
  const std::vector<const Function*> function_of = functions_of_graphs(model);
  const auto opset_of = [&](const Node& node) -> int64_t {
    const Function* function = function_of[static_cast<size_t>(node.graph().index)];
    if (!function) return model.opset(node.domain());
    for (const auto& [domain, version] : function->opset_imports)
      if (normalized_domain(domain) == node.domain()) return version;
    return model.opset(node.domain());
  };
  std::vector<std::pair<NodeId, int64_t>> pending;
  const size_t node_count = model.node_count();
  for (size_t i = 0; i < node_count; ++i) {
    const NodeId id{static_cast<int32_t>(i)};
    if (model.node(id).is_removed()) continue;
    const std::string& domain = model.node(id).domain();
    const int64_t opset = opset_of(model.node(id)), newest = newest_opset(domain);
    if (newest > 0 && opset > newest)
      return Status::unsupported("opset {} of domain '{}' is newer than {}, the newest known here",
                                 opset, domain, newest);
    if (opset == 0) continue;  // no import: the checker's subject
    const int64_t to = target(domain);
    if (to < 0 || (to > 0 && opset >= to)) continue;
    SHIPWAY_RETURN_IF_ERROR(upgrade_node(model, id, opset, to, registry, pending));
  }
  while (!pending.empty()) {
    const auto [id, opset] = pending.back();
    pending.pop_back();
    if (model.node(id).is_removed()) continue;
    // Inserted nodes of another domain are written for its newest opset.
    if (!model.node(id).domain().empty()) continue;
    const int64_t to = target("");
    if (to < 0 || (to > 0 && opset >= to)) continue;
    SHIPWAY_RETURN_IF_ERROR(upgrade_node(model, id, opset, to, registry, pending));
  }
  return Status::ok();
}

}  // namespace

std::vector<const Function*> functions_of_graphs(const Model& model) {
  std::vector<const Function*> found(model.graph_count(), nullptr);
  for (const Function& function : model.functions())
    found[static_cast<size_t>(function.body.index)] = &function;
  for (size_t i = 0; i < found.size(); ++i) {  // subgraphs of a body; their ids come in any order
    GraphId graph{static_cast<int32_t>(i)};
    for (int depth = 0; depth < Type::kMaxDepth && model.graph(graph).owner().is_valid(); ++depth)
      graph = model.node(model.graph(graph).owner()).graph();
    found[i] = found[static_cast<size_t>(graph.index)];
  }
  return found;
}

Status upgrade_to(Model& model, std::span<const std::pair<std::string, int64_t>> targets,
                  const Registry& registry) {
  const auto target = [&](std::string_view domain) -> int64_t {
    for (const auto& [name, opset] : targets)
      if (normalized_domain(name) == domain) return opset;
    return -1;
  };
  return upgrade_nodes(model, target, registry);
}

Status upgrade(Model& model, const Registry& registry) {
  // Before IR version 4 every initializer had to be listed as an input; such inputs are constants.
  if (model.dialect == "onnx" && model.ir_version < kInitializersStandAlone)
    ModelBuilder(model).drop_inputs_with_data(model.main_graph());
  model.ir_version = std::max(model.ir_version, ir_version_of_opset(newest_opset("")));
  SHIPWAY_RETURN_IF_ERROR(upgrade_nodes(
      model, [](std::string_view domain) { return newest_opset(domain); }, registry));
  for (auto& [domain, version] : model.opset_imports)
    if (const int64_t newest = newest_opset(domain)) version = newest;
  ModelBuilder(model).import_model_opsets_in_functions();
  return Status::ok();
}

}  // namespace shipway
