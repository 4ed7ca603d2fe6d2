// Group normalization by way of instances, as exporters wrote it before opset 21, becomes one node:
//
//   Reshape(InstanceNormalization(Reshape(x, [N, G, -1]), s, b), shape of x)
//       -> GroupNormalization[num_groups=G](x, s of each channel's group, b of each channel's
//       group)
//
// and a scale and bias per channel behind such a node go into it.
#include <functional>

#include "passes/match.h"
#include "passes/pipelines.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

/// One number per group, for each channel.
std::optional<ValueId> for_channels(const Model& model, Patch& patch, ValueId value, int64_t groups,
                                    int64_t channels) {
  const auto numbers = constant_doubles(model, value);
  if (!numbers || static_cast<int64_t>(numbers->size()) != groups) return std::nullopt;
  std::vector<double> repeated;
  for (int64_t c = 0; c < channels; ++c)
    repeated.push_back((*numbers)[static_cast<size_t>(c / (channels / groups))]);
  Result<Tensor> tensor = from_doubles(model.constant_tensor(value)->dtype(), {channels}, repeated);
  if (!tensor.is_ok()) return std::nullopt;
  return patch.add_constant(model.value(value).name(), *std::move(tensor));
}

std::optional<Patch> group_of_instances(const Model& model, const Node& node) {
  const Node* instance = producer(model, node.input(0));
  if (!instance || !instance->is("InstanceNormalization") || !has_one_use(model, node.input(0)) ||
      instance->graph() != node.graph())
    return std::nullopt;
  const Node* split = producer(model, instance->input(0));
  if (!split || !split->is("Reshape")) return std::nullopt;
  const ValueId x = split->input(0);
  const Dims *dims = dims_of(model, x), *parts = dims_of(model, split->output(0));
  if (!dims || !parts || dims->size() < 3 || parts->size() < 3 ||
      !have_same_type(model, x, node.output(0)) || (*dims)[0] != (*parts)[0] ||
      !(*dims)[1].is_constant() || !(*parts)[1].is_constant())
    return std::nullopt;
  const int64_t channels = (*dims)[1].value(), groups = (*parts)[1].value();
  if (groups < 1 || channels % groups != 0) return std::nullopt;

  Patch patch(node.id());
  const auto scale = for_channels(model, patch, instance->input(1), groups, channels);
  const auto bias = for_channels(model, patch, instance->input(2), groups, channels);
  if (!scale || !bias) return std::nullopt;
  NodeSpec spec;
  spec.op_type = "GroupNormalization";
  spec.name = instance->name();
  spec.inputs = {x, *scale, *bias};
  spec.outputs = {node.output(0)};
  spec.attributes = {{"epsilon", float_attribute(*instance, "epsilon", 1e-5f)},
                     {"num_groups", groups}};
  if (has_one_use(model, split->output(0))) patch.remove_node(split->id());
  patch.remove_node(instance->id());
  patch.remove_node(node.id());
  patch.add_node(std::move(spec));
  return patch;
}

/// A constant with one number per channel of a value with `rank` axes, or one for all.
std::optional<std::vector<double>> per_channel(const Model& model, ValueId value, size_t rank,
                                               size_t channels) {
  auto numbers = constant_doubles(model, value);
  if (!numbers) return std::nullopt;
  const Shape& shape = model.constant_tensor(value)->shape();
  if (shape.size() > rank) return std::nullopt;
  if (numbers->size() == 1) {
    numbers->assign(channels, numbers->front());
    return numbers;
  }
  const bool along_channels = numbers->size() == channels && shape.size() + 1 >= rank &&
                              shape[shape.size() + 1 - rank] == static_cast<int64_t>(channels);
  return along_channels ? numbers : std::nullopt;
}

std::optional<Patch> absorb(const Model& model, const Node& node) {
  for (size_t side : {0, 1}) {
    const Node* group = producer(model, node.input(side));
    if (!group || !group->is("GroupNormalization") || !has_one_use(model, node.input(side)) ||
        group->graph() != node.graph())
      continue;
    const Dims* dims = dims_of(model, group->input(0));
    auto scale = constant_doubles(model, group->input(1)),
         bias = constant_doubles(model, group->input(2));
    if (!dims || !scale || !bias) continue;
    const auto operand = per_channel(model, node.input(1 - side), dims->size(), scale->size());
    if (!operand) continue;
    const DType dtype = model.constant_tensor(group->input(1))->dtype();
    for (size_t i = 0; i < scale->size(); ++i) {
      if (node.is("Mul")) {
        (*scale)[i] *= (*operand)[i];
        (*bias)[i] *= (*operand)[i];
      } else {
        (*bias)[i] += (*operand)[i];
      }
    }
    const Shape shape = {static_cast<int64_t>(scale->size())};
    Result<Tensor> s = from_doubles(dtype, shape, *scale), b = from_doubles(dtype, shape, *bias);
    if (!s.is_ok() || !b.is_ok()) continue;
    Patch patch(node.id());
    NodeSpec spec = like(*group);
    spec.inputs = {group->input(0),
                   patch.add_constant(model.value(group->input(1)).name(), *std::move(s)),
                   patch.add_constant(model.value(group->input(2)).name(), *std::move(b))};
    spec.outputs = {node.output(0)};
    patch.remove_node(group->id());
    patch.remove_node(node.id());
    patch.add_node(std::move(spec));
    return patch;
  }
  return std::nullopt;
}

std::optional<Patch> fuse_group_normalization(const Model& model, const Node& node) {
  if (node.is("Reshape")) return group_of_instances(model, node);
  return node.is("Mul") || node.is("Add") ? absorb(model, node) : std::nullopt;
}

}  // namespace

const Pass kFuseGroupNormalization = {
    .name = "fuse_group_normalization",
    .summary = "recognises group normalization that an exporter wrote by instances",
    .level = 2,
    .rule = fuse_group_normalization,
    .opset = 21};

}  // namespace shipway
