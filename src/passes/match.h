// What rules ask of a graph again and again.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/patch.h"
#include "operators/operator.h"

namespace shipway {

/// The node that makes the value; null for inputs, initializers and values left out.
inline const Node* producer(const Model& model, ValueId id) {
  if (!id.is_valid() || !model.value(id).producer().is_valid()) return nullptr;
  return &model.node(model.value(id).producer());
}
/// True when one input of one node is all that reads the value (no graph output, no state, no
/// subgraph).
bool has_one_use(const Model& model, ValueId id);
/// True when nothing reads the value; also of one left out.
bool is_unused(const Model& model, ValueId id);

/// The attribute, or `otherwise` when the node has none of that kind.
int64_t int_attribute(const Node& node, std::string_view name, int64_t otherwise);
float float_attribute(const Node& node, std::string_view name, float otherwise);
/// Empty when the node has none.
std::span<const int64_t> ints_attribute(const Node& node, std::string_view name);

/// The elements of a constant integer tensor.
std::optional<std::vector<int64_t>> constant_ints(const Model& model, ValueId id);
/// The elements of a constant tensor of floats.
std::optional<std::vector<double>> constant_doubles(const Model& model, ValueId id);
/// The number that every element of a constant tensor of numbers is (none: nothing).
std::optional<double> constant_fill(const Model& model, ValueId id);

/// The sizes of a tensor, null when even its rank is not known.
const Dims* dims_of(const Model& model, ValueId id);
/// True when both are tensors whose sizes are all known and equal, in every run.
bool have_same_dims(const Model& model, ValueId a, ValueId b);
/// True when also the element types are known and equal.
bool have_same_type(const Model& model, ValueId a, ValueId b);

/// True when two runs, or two equal nodes in one, may differ: random operators, and Dropout unless
/// it is off.
bool is_random(const Model& model, const Node& node, const Operator& op);

/// A node like `node` (operator, attributes), without inputs and outputs.
NodeSpec like(const Node& node);

}  // namespace shipway
