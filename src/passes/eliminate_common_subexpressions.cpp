// Makes nodes that compute the same from the same one node, and equal small initializers one
// initializer. Random operators, operators that are not known, and nodes with subgraphs stay.
#include <algorithm>
#include <unordered_map>

#include "passes/match.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

// Larger ones are compared by the memory they share: reading all weights of a model would page them
// all in.
constexpr int64_t kMostBytes = 4096;

/// A text that is equal for two things only when they are.
class Key {
 public:
  void add(std::string_view bytes) {
    number(bytes.size());
    text_ += bytes;
  }
  template <typename T>
  requires std::is_arithmetic_v<T>
  void number(T value) { text_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void add(const Tensor& tensor) {
    number(static_cast<int>(tensor.dtype()));
    number(tensor.shape().size());
    for (int64_t size : tensor.shape()) number(size);
    if (tensor.dtype() == DType::kString) {
      for (const std::string& element : tensor.strings()) add(element);
    } else if (tensor.byte_size() <= kMostBytes && tensor.is_contiguous()) {
      add(std::string_view(static_cast<const char*>(tensor.data()),
                           static_cast<size_t>(tensor.byte_size())));
    } else {
      number(reinterpret_cast<uintptr_t>(tensor.storage().get()));
      number(tensor.byte_offset());
      for (int64_t stride : tensor.strides()) number(stride);
    }
  }
  void add(const SparseTensor& sparse) {
    add(sparse.values);
    add(sparse.indices);
    for (int64_t size : sparse.shape) number(size);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// False when the attribute cannot be compared (subgraphs, types, references).
bool add_attribute(const Attribute& attribute, Key& key) {
  if (!attribute.refers_to.empty()) return false;
  key.add(attribute.name);
  key.number(attribute.value.index());
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, float>) {
          key.number(value);
        } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, Tensor> ||
                             std::is_same_v<T, SparseTensor>) {
          key.add(value);
        } else if constexpr (std::is_same_v<T, std::vector<int64_t>> ||
                             std::is_same_v<T, std::vector<float>>) {
          key.number(value.size());
          for (auto element : value) key.number(element);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>> ||
                             std::is_same_v<T, std::vector<Tensor>>) {
          key.number(value.size());
          for (const auto& element : value) key.add(element);
        } else {
          return false;
        }
        return true;
      },
      attribute.value);
}

std::optional<std::string> key_of(const Model& model, const Node& node, const Registry& registry) {
  const Operator* op = registry.find(node.domain(), node.op_type());
  // Identity marks what must keep its name; the other passes decide about it.
  if (!op || is_random(model, node, *op) || node.is("Identity") || node.outputs().empty())
    return std::nullopt;
  Key key;
  key.add(node.domain());
  key.add(node.op_type());
  key.add(node.overload());
  key.number(node.inputs().size());
  for (ValueId input : node.inputs()) key.number(input.index);
  key.number(node.outputs().size());
  std::vector<const Attribute*> sorted;
  for (const Attribute& attribute : node.attributes()) sorted.push_back(&attribute);
  std::ranges::sort(sorted, {}, &Attribute::name);
  for (const Attribute* attribute : sorted)
    if (!add_attribute(*attribute, key)) return std::nullopt;
  return key.text();
}

std::optional<Patch> merge(const Model& model, const Node& kept, const Node& twin) {
  Patch patch(twin.id());
  for (size_t i = 0; i < twin.outputs().size(); ++i) {
    const ValueId from = twin.output(i), to = kept.output(i);
    if (is_unused(model, from)) continue;
    if (!to.is_valid()) return std::nullopt;  // the first left this output out
    for (const StatePair& state : model.graph(twin.graph()).states())
      if (state.output == from) return std::nullopt;
    patch.replace_uses(from, to);
  }
  patch.remove_node(twin.id());
  return patch;
}

Status merge_initializers(PassContext& context, GraphId graph) {
  const Model& model = context.model();
  std::unordered_map<std::string, ValueId> known;
  std::vector<std::pair<ValueId, ValueId>> twins;
  for (ValueId id : model.graph(graph).initializers()) {
    const Value& value = model.value(id);
    const Tensor& tensor = value.constant()->tensor;
    if (value.is_input() || value.output_count() > 0 || value.constant()->external ||
        !tensor.is_defined() || tensor.byte_size() > kMostBytes)
      continue;
    Key key;
    key.add(tensor);
    const auto [place, is_new] = known.try_emplace(key.text(), id);
    if (!is_new && !is_unused(model, id)) twins.emplace_back(id, place->second);
  }
  for (const auto& [twin, kept] : twins) {
    Patch patch;
    patch.replace_uses(twin, kept);
    SHIPWAY_RETURN_IF_ERROR(context.apply(std::move(patch)));
  }
  return Status::ok();
}

/// In the graph's order, so that what a merge makes equal is seen further down.
Status merge_nodes(PassContext& context, GraphId graph) {
  const Model& model = context.model();
  std::unordered_map<std::string, NodeId> known;
  for (NodeId id = model.graph(graph).first_node(); id.is_valid() && !context.is_exhausted();) {
    const Node& node = model.node(id);
    id = node.next();
    const std::optional<std::string> key = key_of(model, node, context.registry());
    if (!key) continue;
    const auto [place, is_new] = known.try_emplace(*key, node.id());
    if (is_new) continue;
    std::optional<Patch> patch = merge(model, model.node(place->second), node);
    if (patch)
      SHIPWAY_RETURN_IF_ERROR(
          context.apply(*std::move(patch)).with_context("{}", model.describe(node.id())));
  }
  return Status::ok();
}

Status eliminate_common_subexpressions(PassContext& context) {
  for (GraphId graph : context.graphs()) {
    SHIPWAY_RETURN_IF_ERROR(merge_initializers(context, graph));
    SHIPWAY_RETURN_IF_ERROR(merge_nodes(context, graph));
  }
  return Status::ok();
}

}  // namespace

const Pass kEliminateCommonSubexpressions = {"eliminate_common_subexpressions",
                                             "makes equal nodes and equal small initializers one",
                                             1, nullptr, eliminate_common_subexpressions};

}  // namespace shipway
