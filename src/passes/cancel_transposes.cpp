// Joins transposes that follow each other, and moves one past element-wise nodes when it meets
// another behind them.
//
//   Transpose_q(Transpose_p(x))     = Transpose_r(x), r[i] = p[q[i]]; nothing when r moves nothing
//   f(Transpose_p(x))               = Transpose_p(f(x)), f element-wise
//   f(Transpose_p(a), Transpose_p(b)) = Transpose_p(f(a, b))
//
// A transpose only ever moves towards the outputs, so the rule comes to an end.
#include <algorithm>

#include "passes/match.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

/// Element-wise operators whose inputs broadcast against each other (and so have all the output's
/// layout).
bool is_element_wise(const Node& node) {
  constexpr std::string_view kNames[] = {"Abs",
                                         "Acos",
                                         "Acosh",
                                         "Add",
                                         "And",
                                         "Asin",
                                         "Asinh",
                                         "Atan",
                                         "Atanh",
                                         "Cast",
                                         "Ceil",
                                         "Celu",
                                         "Clip",
                                         "Cos",
                                         "Cosh",
                                         "Div",
                                         "Elu",
                                         "Equal",
                                         "Erf",
                                         "Exp",
                                         "Floor",
                                         "Gelu",
                                         "Greater",
                                         "GreaterOrEqual",
                                         "HardSigmoid",
                                         "HardSwish",
                                         "Identity",
                                         "IsInf",
                                         "IsNaN",
                                         "LeakyRelu",
                                         "Less",
                                         "LessOrEqual",
                                         "Log",
                                         "Max",
                                         "Mean",
                                         "Min",
                                         "Mish",
                                         "Mod",
                                         "Mul",
                                         "Neg",
                                         "Not",
                                         "Or",
                                         "Pow",
                                         "Reciprocal",
                                         "Relu",
                                         "Round",
                                         "Selu",
                                         "Shrink",
                                         "Sigmoid",
                                         "Sign",
                                         "Sin",
                                         "Sinh",
                                         "Softplus",
                                         "Softsign",
                                         "Sqrt",
                                         "Sub",
                                         "Sum",
                                         "Swish",
                                         "Tan",
                                         "Tanh",
                                         "ThresholdedRelu",
                                         "Where",
                                         "Xor"};
  return node.domain().empty() && node.outputs().size() == 1 && node.output(0).is_valid() &&
         std::find(std::begin(kNames), std::end(kNames), node.op_type()) != std::end(kNames);
}

/// The permutation of a Transpose; empty when it is not one, or its rank is not known.
std::vector<int64_t> permutation(const Model& model, const Node* node) {
  if (!node || !node->is("Transpose")) return {};
  const std::span<const int64_t> perm = ints_attribute(*node, "perm");
  std::vector<int64_t> axes(perm.begin(), perm.end());
  const Dims* dims = dims_of(model, node->input(0));
  if (axes.empty() && dims)
    for (size_t i = dims->size(); i-- > 0;) axes.push_back(static_cast<int64_t>(i));
  // A permutation that is none is the checker's to refuse; here it must only not be followed.
  std::vector<int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int64_t>(i)) return {};
  return axes;
}

std::vector<int64_t> composed(std::span<const int64_t> first, std::span<const int64_t> second) {
  std::vector<int64_t> both;
  for (int64_t axis : second) both.push_back(first[static_cast<size_t>(axis)]);
  return both;
}

std::vector<int64_t> inverse(std::span<const int64_t> perm) {
  std::vector<int64_t> axes(perm.size());
  for (size_t i = 0; i < perm.size(); ++i)
    axes[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return axes;
}

Attribute perm_attribute(std::vector<int64_t> perm) { return {"perm", std::move(perm), {}, {}}; }

std::optional<Patch> join(const Model& model, const Node& node) {
  const std::vector<int64_t> second = permutation(model, &node);
  const Node* before = second.empty() ? nullptr : producer(model, node.input(0));
  const std::vector<int64_t> first = permutation(model, before);
  if (first.empty() || first.size() != second.size()) return std::nullopt;
  Patch patch(node.id());
  patch.set_inputs(node.id(), {before->input(0)});
  patch.set_attribute(node.id(), perm_attribute(composed(first, second)));
  return patch;
}

/// True when a Transpose stands behind this value, with only element-wise nodes of one reader
/// between.
bool leads_to_transpose(const Model& model, ValueId id, size_t rank) {
  constexpr int kMaxSteps = 32;
  for (int step = 0; step < kMaxSteps && has_one_use(model, id); ++step) {
    const Node& reader = model.node(model.value(id).uses()[0].node);
    if (reader.is("Transpose")) return permutation(model, &reader).size() == rank;
    if (!is_element_wise(reader)) return false;
    id = reader.output(0);
  }
  return false;
}

bool has_one_element(const Model& model, ValueId id) {
  const Dims* dims = dims_of(model, id);
  return dims && std::all_of(dims->begin(), dims->end(), [](Dim dim) { return dim == Dim(1); });
}

std::optional<Patch> move_behind(const Model& model, const Node& node) {
  // All inputs are transposed the same way, or do not care (one element, of a rank that decides
  // nothing), or are constants that can be transposed back.
  std::vector<int64_t> perm;
  size_t transposed = 0;
  for (ValueId id : node.inputs()) {
    const std::vector<int64_t> axes = permutation(model, producer(model, id));
    if (axes.empty()) continue;
    if (!perm.empty() && axes != perm) return std::nullopt;
    perm = axes;
    if (!has_one_use(model, id)) return std::nullopt;  // it would stay, and another be added
    ++transposed;
  }
  if (transposed == 0) return std::nullopt;
  if (transposed == 1 && !leads_to_transpose(model, node.output(0), perm.size()))
    return std::nullopt;

  Patch patch(node.id());
  std::vector<ValueId> inputs;
  for (ValueId id : node.inputs()) {
    const Node* maker = producer(model, id);
    if (!id.is_valid() || (maker && !permutation(model, maker).empty())) {
      inputs.push_back(id.is_valid() ? maker->input(0) : id);
      continue;
    }
    const Dims* dims = dims_of(model, id);
    if (!dims || dims->size() > perm.size()) return std::nullopt;
    if (has_one_element(model, id)) {
      inputs.push_back(id);
    } else if (model.constant_tensor(id) && dims->size() == perm.size()) {
      inputs.push_back(patch.add_node("Transpose", {id}, {perm_attribute(inverse(perm))},
                                      model.value(id).name() + "_transposed"));
    } else {
      return std::nullopt;
    }
  }
  NodeSpec spec = like(node);
  spec.inputs = std::move(inputs);
  Type type = model.value(node.output(0)).type();
  if (const Dims* dims = dims_of(model, node.output(0))) {
    if (dims->size() != perm.size()) return std::nullopt;
    Dims before;
    for (int64_t axis : inverse(perm)) before.push_back((*dims)[static_cast<size_t>(axis)]);
    type = type.with_dims(std::move(before));
  }
  const ValueId inner =
      patch.add_value(model.value(node.output(0)).name() + "_inner", std::move(type));
  spec.outputs = {inner};
  patch.remove_node(node.id());
  patch.add_node(std::move(spec));
  NodeSpec transpose;
  transpose.op_type = "Transpose";
  transpose.inputs = {inner};
  transpose.outputs = {node.output(0)};
  transpose.attributes = {perm_attribute(perm)};
  patch.add_node(std::move(transpose));
  return patch;
}

std::optional<Patch> cancel_transposes(const Model& model, const Node& node) {
  if (node.is("Transpose")) return join(model, node);
  return is_element_wise(node) ? move_behind(model, node) : std::nullopt;
}

}  // namespace

const Pass kCancelTransposes = {"cancel_transposes",
                                "joins transposes, also across element-wise nodes", 2,
                                cancel_transposes, nullptr};

}  // namespace shipway
