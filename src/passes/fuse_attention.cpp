// Scaled dot products, their softmax and the sum of values that it weighs become one Attention:
//
//   MatMul(Softmax(MatMul(q, k^T) * scale + mask), v)
//
// with q, k, v [batch, heads, sequence, size], where the scale stands behind the product or on q
// and k, as a multiplication or a division, and the mask is optional. Where heads were brought
// forward by transposes ([0, 2, 1, 3]) and go back behind, Attention takes [batch, sequence, heads
// * size], and the transposes are gone. A row that the mask hides wholly (all -inf) gives zeros, no
// longer NaN.
#include <cmath>

#include "passes/match.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

/// `value` without multiplications by constant numbers before it, which `scale` takes on; they join
/// `nodes`.
ValueId without_scale(const Model& model, ValueId value, double& scale,
                      std::vector<NodeId>& nodes) {
  while (const Node* node = producer(model, value)) {
    if ((!node->is("Mul") && !node->is("Div")) || !has_one_use(model, value)) break;
    const auto first = constant_fill(model, node->input(0)),
               second = constant_fill(model, node->input(1));
    // A constant of more axes than the product would give it more, too.
    const auto is_number = [&](ValueId id) {
      const Dims* own = dims_of(model, id);
      const Dims* all = dims_of(model, value);
      return own && all && own->size() <= all->size() &&
             model.constant_tensor(id)->element_count() == 1;
    };
    if (second && is_number(node->input(1)) && *second != 0) {
      scale = node->is("Mul") ? scale * *second : scale / *second;
      value = node->input(0);
    } else if (first && is_number(node->input(0)) && node->is("Mul")) {
      scale *= *first;
      value = node->input(1);
    } else {
      break;
    }
    nodes.push_back(node->id());
  }
  return value;
}

bool is_transpose(const Node* node, std::initializer_list<int64_t> perm) {
  if (!node || !node->is("Transpose")) return false;
  const auto given = ints_attribute(*node, "perm");
  return std::equal(given.begin(), given.end(), perm.begin(), perm.end());
}

/// q, k or v: [batch, heads, sequence, size], or the same with the sequence before the heads.
struct Operand {
  ValueId value;
  bool sequence_first = false;
};

/// What a Transpose to heads first made, or the value itself.
Operand operand(const Model& model, ValueId value) {
  const Node* node = producer(model, value);
  return is_transpose(node, {0, 2, 1, 3}) ? Operand{node->input(0), true} : Operand{value, false};
}

/// k of a transposed k.
std::optional<Operand> transposed_operand(const Model& model, ValueId value) {
  const Node* node = producer(model, value);
  if (is_transpose(node, {0, 2, 3, 1})) return Operand{node->input(0), true};
  if (is_transpose(node, {0, 1, 3, 2})) return operand(model, node->input(0));
  return std::nullopt;
}

struct Parts {
  Operand q, k, v;
  ValueId mask;
  double scale = 1;
  std::vector<NodeId> nodes;  // what goes
};

/// Heads and the size of each, where both are known.
struct Heads {
  int64_t count, size;
};
std::optional<Heads> heads_of(const Model& model, const Operand& operand) {
  const Dims* dims = dims_of(model, operand.value);
  if (!dims || dims->size() != 4) return std::nullopt;
  const Dim count = (*dims)[operand.sequence_first ? 2 : 1], size = dims->back();
  if (!count.is_constant() || !size.is_constant() || count.value() < 1 || size.value() < 1)
    return std::nullopt;
  return Heads{count.value(), size.value()};
}

/// The mask of Add(scores, mask), in either order; nothing when neither fits.
bool take_mask(const Model& model, ValueId& scores, Parts& parts) {
  const Node* add = producer(model, scores);
  if (!add || !add->is("Add")) return true;
  const Dims* all = dims_of(model, scores);
  for (const size_t i : {1, 0}) {
    const ValueId other = add->input(1 - i);
    const Dims* dims = dims_of(model, add->input(i));
    if (!dims || dims->empty() || dims->size() > 4 || dims->back() != all->back()) continue;
    if (!have_same_dims(model, other, scores)) continue;
    const Node* product = producer(model, other);
    if (!product || !(product->is("MatMul") || product->is("Mul") || product->is("Div"))) continue;
    parts.mask = add->input(i);
    parts.nodes.push_back(add->id());
    scores = other;
    return true;
  }
  return false;
}

std::optional<Parts> match(const Model& model, const Node& node) {
  if (!node.is("MatMul")) return std::nullopt;
  const ValueId weights = node.input(0);
  const Node* softmax = producer(model, weights);
  const Dims* all = dims_of(model, weights);
  if (!softmax || !softmax->is("Softmax") || !has_one_use(model, weights) || !all ||
      all->size() != 4 || model.value(weights).type().dtype() != DType::kFloat32)
    return std::nullopt;
  const int64_t axis = int_attribute(*softmax, "axis", -1);
  if (axis != -1 && axis != 3) return std::nullopt;

  Parts parts{.nodes = {node.id(), softmax->id()}};
  ValueId scores = softmax->input(0);
  if (!has_one_use(model, scores) || !take_mask(model, scores, parts)) return std::nullopt;
  scores = without_scale(model, scores, parts.scale, parts.nodes);
  const Node* product = producer(model, scores);
  if (!product || !product->is("MatMul") || !has_one_use(model, scores) ||
      product->graph() != node.graph())
    return std::nullopt;
  parts.nodes.push_back(product->id());
  parts.q = operand(model, without_scale(model, product->input(0), parts.scale, parts.nodes));
  const auto k =
      transposed_operand(model, without_scale(model, product->input(1), parts.scale, parts.nodes));
  if (!k) return std::nullopt;
  parts.k = *k;
  parts.v = operand(model, node.input(1));
  if (!std::isfinite(parts.scale) || parts.scale == 0) return std::nullopt;

  // No broadcasting between q, k and v: Attention knows none.
  const auto q_heads = heads_of(model, parts.q), k_heads = heads_of(model, parts.k),
             v_heads = heads_of(model, parts.v);
  if (!q_heads || !k_heads || !v_heads || q_heads->count != k_heads->count ||
      q_heads->count != v_heads->count || q_heads->size != k_heads->size)
    return std::nullopt;
  const auto batch = [&](const Operand& operand) { return (*dims_of(model, operand.value))[0]; };
  if (!batch(parts.q).is_known() || batch(parts.q) != batch(parts.k) ||
      batch(parts.q) != batch(parts.v))
    return std::nullopt;
  return parts;
}

/// The operand with heads first, or flat: [batch, sequence, heads * size].
ValueId arranged(const Model& model, const Operand& operand, bool flat, Patch& patch) {
  if (!operand.sequence_first) return operand.value;
  const Type& type = model.value(operand.value).type();
  if (!flat) {
    const Dims& dims = *type.dims();
    return patch.add_node("Transpose", {operand.value},
                          {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}, "",
                          type.with_dims({dims[0], dims[2], dims[1], dims[3]}));
  }
  const Heads heads = *heads_of(model, operand);
  const Dims& dims = *type.dims();
  const int64_t shape[] = {0, 0, heads.count * heads.size};
  return patch.add_node("Reshape",
                        {operand.value, patch.add_constant("shape", Tensor::vector(shape))}, {}, "",
                        type.with_dims({dims[0], dims[1], heads.count * heads.size}));
}

std::optional<Patch> fuse_attention(const Model& model, const Node& node) {
  const std::optional<Parts> parts = match(model, node);
  if (!parts) return std::nullopt;
  const ValueId y = node.output(0);
  // Flat when all heads lie side by side, and the result's should again.
  const Node* back = nullptr;
  if (parts->q.sequence_first && parts->k.sequence_first && parts->v.sequence_first &&
      has_one_use(model, y)) {
    const Node& user = model.node(model.value(y).uses()[0].node);
    if (is_transpose(&user, {0, 2, 1, 3}) && user.graph() == node.graph()) back = &user;
  }
  const bool flat = back != nullptr;

  Patch patch(flat ? back->id() : node.id());
  NodeSpec attention;
  attention.op_type = "Attention";
  attention.name = node.name();
  for (const Operand* one : {&parts->q, &parts->k, &parts->v})
    attention.inputs.push_back(arranged(model, *one, flat, patch));
  if (parts->mask.is_valid()) attention.inputs.push_back(parts->mask);
  attention.attributes.push_back({"scale", static_cast<float>(parts->scale)});
  for (NodeId one : parts->nodes) patch.remove_node(one);
  if (!flat) {
    attention.outputs = {y};
    patch.add_node(std::move(attention));
    return patch;
  }
  const Heads values = *heads_of(model, parts->v);
  const ValueId result = back->output(0);
  const Type& type = model.value(result).type();
  const Dims& q = *dims_of(model, parts->q.value);
  attention.attributes.push_back({"kv_num_heads", values.count});
  attention.attributes.push_back({"q_num_heads", values.count});
  const ValueId flat_result =
      patch.add_value(model.value(y).name(),
                      Type::tensor(DType::kFloat32, {q[0], q[1], values.count * values.size}));
  attention.outputs = {flat_result};
  patch.add_node(std::move(attention));
  const int64_t shape[] = {0, 0, values.count, values.size};
  NodeSpec reshape;
  reshape.op_type = "Reshape";
  reshape.inputs = {flat_result, patch.add_constant("shape", Tensor::vector(shape))};
  reshape.outputs = {result};
  patch.add_node(std::move(reshape));
  patch.set_type(result, type);
  patch.remove_node(back->id());
  return patch;
}

}  // namespace

const Pass kFuseAttention = {"fuse_attention",
                             "makes one Attention of products, softmax and the sum it weighs", 2,
                             fuse_attention, nullptr, 23};

}  // namespace shipway
