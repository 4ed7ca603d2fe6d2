// Nodes that move data twice move it once:
//
//   Reshape(r(x), s)                     -> Reshape(x, s), r a Reshape, Squeeze, Unsqueeze or
//   Flatten Slice_b(Slice_a(x)), axes apart      -> one Slice of all axes Concat(..., Concat(x,
//   ...), ...)     -> one Concat, along the same axis
//
// The inner node has no other reader: otherwise its result is needed anyway.
#include <algorithm>

#include "passes/match.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

/// The node that makes the value for one reader only.
const Node* inner(const Model& model, ValueId value, NodeId reader) {
  const Node* node = producer(model, value);
  return node && has_one_use(model, value) && node->graph() == model.node(reader).graph() ? node
                                                                                          : nullptr;
}

std::optional<Patch> merge_reshapes(const Model& model, const Node& node) {
  const Node* first = inner(model, node.input(0), node.id());
  if (!first || !(first->is("Reshape") || first->is("Squeeze") || first->is("Unsqueeze") ||
                  first->is("Flatten")))
    return std::nullopt;
  // A 0 in the shape copies a size of the value in the middle.
  const auto shape = constant_ints(model, node.input(1));
  if (!shape || (std::find(shape->begin(), shape->end(), 0) != shape->end() &&
                 int_attribute(node, "allowzero", 0) == 0))
    return std::nullopt;
  Patch patch(node.id());
  NodeSpec spec = like(node);
  spec.inputs = {first->input(0), node.input(1)};
  spec.outputs = {node.output(0)};
  patch.remove_node(first->id());
  patch.remove_node(node.id());
  patch.add_node(std::move(spec));
  return patch;
}

/// Starts, ends, axes and steps, all as long; axes counted from the front.
using SliceLists = std::array<std::vector<int64_t>, 4>;
std::optional<SliceLists> slice_lists(const Model& model, const Node& node) {
  const Dims* dims = dims_of(model, node.input(0));
  if (!dims) return std::nullopt;
  SliceLists lists;
  for (size_t i = 0; i < lists.size(); ++i) {
    if (!node.input(i + 1).is_valid()) {
      for (size_t k = 0; k < lists[0].size(); ++k)
        lists[i].push_back(i == 2 ? static_cast<int64_t>(k) : 1);
      continue;
    }
    auto ints = constant_ints(model, node.input(i + 1));
    if (!ints) return std::nullopt;
    lists[i] = *std::move(ints);
    if (lists[i].size() != lists[0].size()) return std::nullopt;
  }
  for (int64_t& axis : lists[2]) axis = axis < 0 ? axis + static_cast<int64_t>(dims->size()) : axis;
  return lists;
}

std::optional<Patch> merge_slices(const Model& model, const Node& node) {
  const Node* first = inner(model, node.input(0), node.id());
  if (!first || !first->is("Slice")) return std::nullopt;
  std::optional<SliceLists> lists = slice_lists(model, *first);
  const std::optional<SliceLists> more = lists ? slice_lists(model, node) : std::nullopt;
  if (!more) return std::nullopt;
  for (int64_t axis : (*more)[2])
    if (std::find((*lists)[2].begin(), (*lists)[2].end(), axis) != (*lists)[2].end())
      return std::nullopt;
  Patch patch(node.id());
  NodeSpec spec = like(node);
  spec.inputs = {first->input(0)};
  constexpr std::string_view kNames[] = {"starts", "ends", "axes", "steps"};
  for (size_t i = 0; i < lists->size(); ++i) {
    std::vector<int64_t>& list = (*lists)[i];
    list.insert(list.end(), (*more)[i].begin(), (*more)[i].end());
    spec.inputs.push_back(patch.add_constant(std::string(kNames[i]), Tensor::vector(list)));
  }
  spec.outputs = {node.output(0)};
  patch.remove_node(first->id());
  patch.remove_node(node.id());
  patch.add_node(std::move(spec));
  return patch;
}

std::optional<Patch> merge_concats(const Model& model, const Node& node) {
  const Dims* dims = dims_of(model, node.output(0));
  if (!dims) return std::nullopt;
  const auto axis_of = [&](const Node& concat) {
    const int64_t axis = int_attribute(concat, "axis", 0);
    return axis < 0 ? axis + static_cast<int64_t>(dims->size()) : axis;
  };
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const Node* first = inner(model, node.input(i), node.id());
    if (!first || !first->is("Concat") || axis_of(*first) != axis_of(node)) continue;
    Patch patch(node.id());
    NodeSpec spec = like(node);
    spec.inputs.assign(node.inputs().begin(), node.inputs().end());
    const auto at = spec.inputs.begin() + static_cast<std::ptrdiff_t>(i);
    spec.inputs.insert(spec.inputs.erase(at), first->inputs().begin(), first->inputs().end());
    spec.outputs = {node.output(0)};
    patch.remove_node(first->id());
    patch.remove_node(node.id());
    patch.add_node(std::move(spec));
    return patch;
  }
  return std::nullopt;
}

std::optional<Patch> merge_moves(const Model& model, const Node& node) {
  if (node.is("Reshape")) return merge_reshapes(model, node);
  if (node.is("Slice")) return merge_slices(model, node);
  return node.is("Concat") ? merge_concats(model, node) : std::nullopt;
}

}  // namespace

const Pass kMergeMoves = {.name = "merge_moves",
                          .summary = "makes one of two Reshapes, Slices or Concats in a row",
                          .level = 1,
                          .rule = merge_moves};

}  // namespace shipway
