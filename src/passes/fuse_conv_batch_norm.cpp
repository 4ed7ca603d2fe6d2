// Conv then BatchNormalization with constant statistics becomes one Conv; ConvTranspose and Gemm
// likewise:
//
//   w' = w * s (per output channel),  b' = (b - mean) * s + bias,  s = scale / sqrt(variance +
//   epsilon)
//
// Computed in double, rounded once.
#include <cmath>

#include "passes/match.h"
#include "passes/pipelines.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

struct Affine {
  std::vector<double> factor, mean, bias;  // y = (x - mean) * factor + bias, per channel
};

std::optional<std::vector<double>> constant_doubles(const Model& model, ValueId id) {
  const Tensor* tensor = model.constant_tensor(id);
  if (!tensor || kind_of(tensor->dtype()) != DTypeKind::kFloat) return std::nullopt;
  Result<std::vector<double>> numbers = to_doubles(*tensor);
  return numbers.is_ok() ? std::optional(*std::move(numbers)) : std::nullopt;
}

/// Nothing when it trains, or its statistics are no constants of one size.
std::optional<Affine> inference_of(const Model& model, const Node& node) {
  if (!node.is("BatchNormalization") || int_attribute(node, "training_mode", 0) != 0)
    return std::nullopt;
  for (size_t i = 1; i < node.outputs().size(); ++i)
    if (node.output(i).is_valid()) return std::nullopt;
  const auto scale = constant_doubles(model, node.input(1)),
             bias = constant_doubles(model, node.input(2));
  const auto mean = constant_doubles(model, node.input(3)),
             variance = constant_doubles(model, node.input(4));
  if (!scale || !bias || !mean || !variance) return std::nullopt;
  const size_t channels = scale->size();
  if (bias->size() != channels || mean->size() != channels || variance->size() != channels)
    return std::nullopt;
  const double epsilon = float_attribute(node, "epsilon", 1e-5f);
  Affine affine{*scale, *mean, *bias};
  for (size_t i = 0; i < channels; ++i) {
    affine.factor[i] = (*scale)[i] / std::sqrt((*variance)[i] + epsilon);
    if (!std::isfinite(affine.factor[i])) return std::nullopt;
  }
  return affine;
}

/// How the elements of a weight belong to output channels: `groups` equal parts, and in each of
/// them `inner` elements of one of its channels after another, again and again.
struct Channels {
  int64_t groups, per_group, inner;
  int64_t count() const { return groups * per_group; }
};

std::optional<Channels> channels_of(const Node& node, const Tensor& weight) {
  if (weight.rank() < 2) return std::nullopt;
  const int64_t rows = weight.dim(0), columns = weight.dim(1);
  int64_t taps = 1;
  for (size_t i = 2; i < weight.shape().size(); ++i) taps *= weight.dim(i);
  if (node.is("Conv"))  // [channels, inputs / group, kernel...]
    return Channels{.groups = 1, .per_group = rows, .inner = columns * taps};
  if (node.is("ConvTranspose")) {  // [inputs, channels / group, kernel...]
    const int64_t group = int_attribute(node, "group", 1);
    if (group < 1 || rows % group != 0) return std::nullopt;
    return Channels{.groups = group, .per_group = columns, .inner = taps};
  }
  if (!node.is("Gemm") || weight.rank() != 2) return std::nullopt;
  // alpha * A * B + beta * C, B [inputs, channels] or transposed
  return int_attribute(node, "transB", 0) != 0
             ? Channels{.groups = 1, .per_group = rows, .inner = columns}
             : Channels{.groups = 1, .per_group = columns, .inner = 1};
}

/// The output channel of one of the `size` elements of a weight.
int64_t channel_of(const Channels& channels, int64_t element, int64_t size) {
  const int64_t group = element / (size / channels.groups);
  return group * channels.per_group + element / channels.inner % channels.per_group;
}

std::optional<Patch> fuse_conv_batch_norm(const Model& model, const Node& node) {
  const Node* conv = node.is("BatchNormalization") ? producer(model, node.input(0)) : nullptr;
  if (!conv || !has_one_use(model, node.input(0))) return std::nullopt;
  const Tensor* weight = model.constant_tensor(conv->input(1));
  if (!weight || kind_of(weight->dtype()) != DTypeKind::kFloat) return std::nullopt;
  const std::optional<Channels> channels = channels_of(*conv, *weight);
  if (!channels) return std::nullopt;
  const std::optional<Affine> affine = inference_of(model, node);
  if (!affine || affine->factor.size() != static_cast<size_t>(channels->count()))
    return std::nullopt;

  std::vector<double> bias(affine->factor.size(), 0.0);
  if (conv->input(2).is_valid()) {
    const auto known = constant_doubles(model, conv->input(2));
    if (!known || known->size() != bias.size()) return std::nullopt;
    // Gemm's C broadcasts: a column [channels,1] would be another thing.
    const Tensor* c = model.constant_tensor(conv->input(2));
    if (!c->shape().empty() && c->shape().back() != channels->count()) return std::nullopt;
    bias = *known;
  }
  // Gemm multiplies C by beta: it is folded in here, so that the new node's beta is 1.
  if (conv->is("Gemm"))
    for (double& b : bias) b *= static_cast<double>(float_attribute(*conv, "beta", 1));
  for (size_t i = 0; i < bias.size(); ++i)
    bias[i] = (bias[i] - affine->mean[i]) * affine->factor[i] + affine->bias[i];
  auto numbers = constant_doubles(model, conv->input(1));
  if (!numbers) return std::nullopt;
  for (size_t i = 0; i < numbers->size(); ++i)
    (*numbers)[i] *= affine->factor[static_cast<size_t>(
        channel_of(*channels, static_cast<int64_t>(i), static_cast<int64_t>(numbers->size())))];
  Result<Tensor> new_weight = from_doubles(weight->dtype(), weight->shape(), *numbers);
  Result<Tensor> new_bias = from_doubles(weight->dtype(), {channels->count()}, bias);
  if (!new_weight.is_ok() || !new_bias.is_ok()) return std::nullopt;

  Patch patch(node.id());
  NodeSpec fused = like(*conv);
  std::erase_if(fused.attributes,
                [](const Attribute& attribute) { return attribute.name == "beta"; });
  fused.inputs = {
      conv->input(0),
      patch.add_constant(model.value(conv->input(1)).name(), *std::move(new_weight)),
      patch.add_constant(fused.name.empty() ? "bias" : fused.name + "_bias", *std::move(new_bias))};
  fused.outputs = {node.output(0)};
  patch.remove_node(conv->id());
  patch.remove_node(node.id());
  patch.add_node(std::move(fused));
  return patch;
}

}  // namespace

const Pass kFuseConvBatchNorm = {
    "fuse_conv_batch_norm",
    "puts batch normalization into the weights of Conv, ConvTranspose and Gemm", 2,
    fuse_conv_batch_norm, nullptr};

}  // namespace shipway
