#include "operators/upgrade.h"

#include <algorithm>
#include <unordered_map>

#include "operators/operator.h"

namespace shipway {
namespace {

constexpr int64_t kNewestIrVersion = 14;  // the one that came with the newest opset (onnx 1.23)

/// Brings one node up by as many steps as it needs. New nodes that steps insert go to `pending`
/// with their opset.
Status upgrade_node(Model& model, NodeId id, int64_t opset, const Registry& registry,
                    std::vector<std::pair<NodeId, int64_t>>& pending) {
  const Operator* op = registry.find(model.node(id).domain(), model.node(id).op_type());
  if (!op) return Status::ok();
  const Schema* schema = op->versions.version_at(opset);
  if (!schema)
    return Status::invalid_model(
        "{}: operator '{}' does not exist in opset {}; it came with opset {}", model.describe(id),
        op->name, opset, op->versions.begin()->since);
  for (; schema != op->versions.newest(); ++schema) {
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

}  // namespace

int64_t newest_opset(std::string_view domain) {
  // onnx 1.23: the opsets this code base is pinned to.
  if (domain.empty() || domain == "ai.onnx") return 28;
  if (domain == "ai.onnx.ml") return 5;
  if (domain == "ai.onnx.preview" || domain == "ai.onnx.preview.training") return 1;
  return 0;
}

Status upgrade(Model& model, const Registry& registry) {
  // A function's body has opsets of its own; everything else has the model's.
  std::vector<const Function*> body_of(model.graph_count(), nullptr);
  for (const Function& function : model.functions())
    body_of[static_cast<size_t>(function.body.index)] = &function;
  for (size_t i = 0; i < body_of.size();
       ++i) {  // subgraphs of a body, outside in: their ids may come in any order
    GraphId graph{static_cast<int32_t>(i)};
    for (int depth = 0; depth < Type::kMaxDepth && model.graph(graph).owner().is_valid(); ++depth)
      graph = model.node(model.graph(graph).owner()).graph();
    body_of[i] = body_of[static_cast<size_t>(graph.index)];
  }
  const auto opset_of = [&](const Node& node) -> int64_t {
    const Function* function = body_of[static_cast<size_t>(node.graph().index)];
    if (!function) return model.opset(node.domain());
    for (const auto& [domain, version] : function->opset_imports)
      if (domain == node.domain() || (node.domain().empty() && domain == "ai.onnx")) return version;
    return model.opset(node.domain());
  };

  // Before IR version 4 every initializer had to be listed as an input; such inputs are constants.
  constexpr int64_t kInitializersStandAlone = 4;
  if (model.dialect == "onnx" && model.ir_version < kInitializersStandAlone)
    ModelBuilder(model).drop_inputs_with_data(model.main_graph());
  model.ir_version = std::max(model.ir_version, kNewestIrVersion);

  std::vector<std::pair<NodeId, int64_t>> pending;
  const size_t node_count = model.node_count();
  for (size_t i = 0; i < node_count; ++i) {
    const NodeId id{static_cast<int32_t>(i)};
    if (model.node(id).is_removed()) continue;
    const int64_t opset = opset_of(model.node(id));
    if (opset == newest_opset(model.node(id).domain())) continue;
    if (opset > newest_opset(model.node(id).domain()) && newest_opset(model.node(id).domain()) > 0)
      return Status::unsupported("opset {} of domain '{}' is newer than {}, the newest known here",
                                 opset, model.node(id).domain(),
                                 newest_opset(model.node(id).domain()));
    if (opset == 0) continue;  // no import: the checker's subject
    SHIPWAY_RETURN_IF_ERROR(upgrade_node(model, id, opset, registry, pending));
  }
  while (!pending.empty()) {
    const auto [id, opset] = pending.back();
    pending.pop_back();
    if (model.node(id).is_removed()) continue;
    // Inserted nodes of another domain are written for its newest opset.
    if (!model.node(id).domain().empty()) continue;
    SHIPWAY_RETURN_IF_ERROR(upgrade_node(model, id, opset, registry, pending));
  }
  for (auto& [domain, version] : model.opset_imports)
    if (const int64_t newest = newest_opset(domain)) version = newest;
  ModelBuilder(model).import_model_opsets_in_functions();
  return Status::ok();
}

}  // namespace shipway
