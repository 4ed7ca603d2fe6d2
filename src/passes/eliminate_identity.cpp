// Removes nodes that give back what they get: Identity, Dropout in inference, Cast to the same
// type, Reshape to the same shape, Transpose that moves nothing, Pad by nothing, Slice of
// everything, Concat of one, Mul by 1, ...
//
//   y = op(x)  ->  y stands for x, when types or constants prove y = x bit for bit.
#include <algorithm>
#include <array>

#include "passes/match.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

bool all_equal(std::span<const int64_t> numbers, int64_t number) {
  return std::all_of(numbers.begin(), numbers.end(), [&](int64_t x) { return x == number; });
}

bool is_one_of(std::string_view op_type, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), op_type) != names.end();
}

/// Gives the same elements in the same order under another shape.
bool only_reshapes(const Node& node) {
  return node.domain().empty() &&
         is_one_of(node.op_type(), {"Reshape", "Squeeze", "Unsqueeze", "Flatten"});
}

bool dropout_is_off(const Model& model, const Node& node) {
  if (!is_unused(model, node.output(1))) return false;
  if (!node.input(2).is_valid()) return true;
  const auto training = constant_ints(model, node.input(2));
  return training && all_equal(*training, 0);
}

bool transpose_moves_nothing(const Model& model, const Node& node) {
  const std::span<const int64_t> perm = ints_attribute(node, "perm");
  if (perm.empty()) {  // reverses the axes
    const Dims* dims = dims_of(model, node.input(0));
    return dims && dims->size() <= 1;
  }
  for (size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<int64_t>(i)) return false;
  return true;
}

bool pads_nothing(const Model& model, const Node& node) {
  const auto pads = constant_ints(model, node.input(1));
  return pads && all_equal(*pads, 0);
}

/// The sizes say that all is taken; the steps, that it is not taken backwards.
bool slices_everything(const Model& model, const Node& node) {
  if (!have_same_type(model, node.input(0), node.output(0))) return false;
  if (!node.input(4).is_valid()) return true;
  const auto steps = constant_ints(model, node.input(4));
  return steps && std::all_of(steps->begin(), steps->end(), [](int64_t step) { return step > 0; });
}

/// The x of x * 1, x / 1, x - 0; of x + 0 for integers only (-0.0 + 0 is 0).
ValueId neutral_operand(const Model& model, const Node& node) {
  const auto other_than = [&](size_t input, double number) {
    const ValueId x = node.input(1 - input);
    const bool neutral = have_same_type(model, x, node.output(0)) &&
                         constant_fill(model, node.input(input)) == number;
    return neutral ? x : ValueId{};
  };
  const DTypeKind kind = kind_of(model.value(node.output(0)).type().dtype());
  const bool add = node.is("Add") && (kind == DTypeKind::kSigned || kind == DTypeKind::kUnsigned);
  if (!add && !node.is("Mul") && !node.is("Div") && !node.is("Sub")) return {};
  const double number = add || node.is("Sub") ? 0 : 1;
  const ValueId x = other_than(1, number);
  return x.is_valid() || node.is("Div") || node.is("Sub") ? x : other_than(0, number);
}

/// The value that output 0 always equals, or an invalid id.
ValueId same_as(const Model& model, const Node& node) {
  const ValueId x = node.input(0), y = node.output(0);
  if (!node.domain().empty() || !x.is_valid() || !y.is_valid()) return {};
  const DType from = model.value(x).type().dtype();
  const bool same = node.is("Identity") || (node.is("Dropout") && dropout_is_off(model, node)) ||
                    (node.is("Cast") && from != DType::kUndefined &&
                     int_attribute(node, "to", 0) == static_cast<int64_t>(from)) ||
                    (node.is("CastLike") && from != DType::kUndefined && node.input(1).is_valid() &&
                     model.value(node.input(1)).type().dtype() == from) ||
                    (node.is("Transpose") && transpose_moves_nothing(model, node)) ||
                    (node.is("Pad") && pads_nothing(model, node)) ||
                    (node.is("Slice") && slices_everything(model, node)) ||
                    (is_one_of(node.op_type(), {"Concat", "Sum", "Max", "Min", "Mean"}) &&
                     node.inputs().size() == 1) ||
                    (is_one_of(node.op_type(), {"Expand", "Tile"}) && have_same_type(model, x, y));
  if (same) return x;
  if (const ValueId operand = neutral_operand(model, node); operand.is_valid()) return operand;
  if (!only_reshapes(node)) return {};
  // Whatever happened to the shape on the way, the elements are the same; so the same sizes make
  // the same tensor.
  constexpr int kMaxSteps = 16;
  const Node* at = &node;
  for (int step = 0; step < kMaxSteps && at && only_reshapes(*at); ++step) {
    if (have_same_type(model, at->input(0), y)) return at->input(0);
    at = producer(model, at->input(0));
  }
  return {};
}

bool is_state(const Model& model, ValueId id) {
  const auto states = model.graph(model.value(id).graph()).states();
  return std::any_of(states.begin(), states.end(),
                     [&](const StatePair& state) { return state.output == id; });
}

std::optional<Patch> eliminate_identity(const Model& model, const Node& node) {
  const ValueId x = same_as(model, node);
  if (!x.is_valid()) return std::nullopt;
  const ValueId y = node.output(0);
  Patch patch(node.id());
  if (model.value(y).output_count() == 0 && !is_state(model, y)) {
    patch.replace_uses(y, x);
    patch.remove_node(node.id());
    return patch;
  }
  // y is a graph output and keeps its name: who makes x makes y instead, where that is possible.
  const Node* maker = producer(model, x);
  if (maker && model.value(x).graph() == model.value(y).graph() &&
      model.value(x).output_count() == 0 && !is_state(model, x) && maker->subgraphs().empty()) {
    Patch taken(maker->id());
    NodeSpec spec = like(*maker);
    spec.inputs.assign(maker->inputs().begin(), maker->inputs().end());
    spec.outputs.assign(maker->outputs().begin(), maker->outputs().end());
    std::replace(spec.outputs.begin(), spec.outputs.end(), x, y);
    taken.remove_node(maker->id());
    taken.remove_node(node.id());
    taken.replace_uses(x, y);
    taken.add_node(std::move(spec));
    return taken;
  }
  if (node.is("Identity")) return std::nullopt;
  NodeSpec identity;
  identity.op_type = "Identity";
  identity.inputs = {x};
  identity.outputs = {y};
  patch.remove_node(node.id());
  patch.add_node(std::move(identity));
  return patch;
}

}  // namespace

const Pass kEliminateIdentity = {"eliminate_identity", "removes nodes that give back what they get",
                                 1, eliminate_identity, nullptr};

}  // namespace shipway
