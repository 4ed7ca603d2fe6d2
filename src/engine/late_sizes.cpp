#include "engine/late_sizes.h"

#include <unordered_set>

#include "operators/operator.h"

namespace shipway {

LateSizes::LateSizes(const Model& model, const Registry& registry, GraphId graph)
    : model_(model), registry_(registry) {
  const DimTable& table = model.dims();
  std::unordered_set<int32_t> seen;  // by Dim::id
  /// True when a symbol without a name stands here first.
  const auto see = [&](ValueId id) {
    bool is_new = false;
    if (!id.is_valid() || !model.value(id).type().dims()) return false;
    for (Dim dim : *model.value(id).type().dims())
      if (table.is_symbol(dim) && table.is_fresh(dim)) is_new |= seen.insert(dim.id()).second;
    return is_new;
  };
  for (ValueId id : model.graph(graph).inputs()) see(id);
  for (const Node& node : model.nodes(graph)) {
    for (ValueId id : node.inputs()) see(id);  // of graphs around this one
    bool brings = false;
    for (ValueId id : node.outputs()) brings |= see(id);
    if (brings && node.subgraphs().empty()) nodes_.push_back(node.id());
  }
}

void LateSizes::add_to(SymbolSizes& symbols) const {
  const auto size_of = [&](Dim symbol) -> std::optional<int64_t> {
    const auto found = symbols.find(symbol.id());
    return found == symbols.end() ? std::nullopt : std::optional(found->second);
  };
  for (NodeId id : nodes_) {
    const Node& node = model_.node(id);
    const Operator* op = registry_.find(node.domain(), node.op_type());
    const Schema* schema = op ? op->versions.newest() : nullptr;
    if (!op || !op->infer || !schema) continue;
    std::vector<InferContext::Input> inputs(node.inputs().size());
    bool all_tensors = true;  // dims inside other types would stay those of the model's table
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!node.input(i).is_valid()) continue;
      inputs[i].present = true;
      inputs[i].constant = model_.constant_tensor(node.input(i));
      inputs[i].type = model_.value(node.input(i)).type();
      all_tensors = all_tensors && inputs[i].type.is_tensor();
      if (!all_tensors || !inputs[i].type.dims()) continue;
      Dims dims;
      for (Dim dim : *inputs[i].type.dims()) {
        const std::optional<int64_t> size = model_.dims().evaluate(dim, size_of);
        dims.push_back(size ? Dim(*size) : Dim::unknown());
      }
      inputs[i].type = inputs[i].type.with_dims(std::move(dims));
    }
    if (!all_tensors) continue;
    DimTable scratch;  // the model's is not ours to add to
    InferContext context(*op, node, *schema, std::move(inputs), node.outputs().size(), scratch);
    if (!op->infer(context).is_ok()) continue;  // what is wrong with it, binding says
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const Dims* found = context.outputs()[i].type.dims();
      const Dims* wanted =
          node.output(i).is_valid() ? model_.value(node.output(i)).type().dims() : nullptr;
      if (!found || !wanted || found->size() != wanted->size()) continue;
      for (size_t axis = 0; axis < wanted->size(); ++axis)
        if (model_.dims().is_symbol((*wanted)[axis]) && (*found)[axis].is_constant())
          symbols.try_emplace((*wanted)[axis].id(), (*found)[axis].value());
    }
  }
}

}  // namespace shipway
