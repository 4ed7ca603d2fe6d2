// Conv then BatchNormalization with constant statistics becomes one Conv; ConvTranspose and Gemm
// likewise:
//
//   w' = w * s (per output channel),  b' = (b - mean) * s + bias,  s = scale / sqrt(variance +
//   epsilon)
//
// So does what stands behind them one operator at a time: Mul, Div, Add and Sub with a constant per
// channel, or one for all. Computed in double, rounded once.
#include <algorithm>
#include <cmath>

#include "passes/match.h"
#include "passes/pipelines.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

struct ChannelAffine {
  std::vector<double> factor, mean, bias;  // y = (x - mean) * factor + bias, per channel
};

/// Nothing when it trains, or its statistics are no constants of one size.
std::optional<ChannelAffine> inference_of(const Model& model, const Node& node) {
  if (int_attribute(node, "training_mode", 0) != 0) return std::nullopt;
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
  ChannelAffine affine{*scale, *mean, *bias};
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

/// The operand of Mul, Div, Add or Sub beside a product of `rank` axes whose channels are axis 1.
std::optional<ChannelAffine> arithmetic_of(const Model& model, const Node& node, ValueId operand,
                                           size_t rank, int64_t channels) {
  const Tensor* tensor = operand.is_valid() ? model.constant_tensor(operand) : nullptr;
  if (!tensor || tensor->shape().size() > rank) return std::nullopt;
  const size_t axis_from_end = rank - 1;
  const bool is_per_channel = tensor->element_count() == channels &&
                              tensor->shape().size() >= axis_from_end &&
                              tensor->dim(tensor->shape().size() - axis_from_end) == channels;
  if (!is_per_channel && tensor->element_count() != 1) return std::nullopt;
  std::optional<std::vector<double>> numbers = constant_doubles(model, operand);
  if (!numbers) return std::nullopt;
  const auto count = static_cast<size_t>(channels);
  if (numbers->size() == 1) numbers->assign(count, numbers->front());
  ChannelAffine affine{std::vector<double>(count, 1), std::vector<double>(count, 0),
                       std::vector<double>(count, 0)};
  for (size_t i = 0; i < count; ++i) {
    const double number = (*numbers)[i];
    if (node.is("Mul")) affine.factor[i] = number;
    if (node.is("Div")) affine.factor[i] = 1 / number;
    if (node.is("Add")) affine.bias[i] = number;
    if (node.is("Sub")) affine.bias[i] = -number;
    if (!std::isfinite(affine.factor[i])) return std::nullopt;
  }
  return affine;
}

/// A Conv, ConvTranspose or Gemm with constant weights, whose result only `node` reads.
struct Weighted {
  const Node* node = nullptr;
  const Tensor* weight = nullptr;
  Channels channels{};
};
std::optional<Weighted> weighted(const Model& model, ValueId value) {
  const Node* node = producer(model, value);
  if (!node || !has_one_use(model, value)) return std::nullopt;
  const Tensor* weight =
      node->input(1).is_valid() ? model.constant_tensor(node->input(1)) : nullptr;
  if (!weight || kind_of(weight->dtype()) != DTypeKind::kFloat) return std::nullopt;
  const std::optional<Channels> channels = channels_of(*node, *weight);
  return channels ? std::optional(Weighted{node, weight, *channels}) : std::nullopt;
}

bool all_are(std::span<const double> numbers, double number) {
  return std::all_of(numbers.begin(), numbers.end(), [&](double x) { return x == number; });
}

/// `conv` and the affine map `node` behind it as one.
std::optional<Patch> fold(const Model& model, const Node& node, const Weighted& from,
                          const ChannelAffine& affine) {
  const auto& [conv, weight, channels] = from;
  if (affine.factor.size() != static_cast<size_t>(channels.count())) return std::nullopt;
  std::vector<double> bias(affine.factor.size(), 0.0);
  if (conv->input(2).is_valid()) {
    const auto known = constant_doubles(model, conv->input(2));
    if (!known || known->size() != bias.size()) return std::nullopt;
    // Gemm's C broadcasts: a column [channels,1] would be another thing.
    const Tensor* c = model.constant_tensor(conv->input(2));
    if (!c->shape().empty() && c->shape().back() != channels.count()) return std::nullopt;
    bias = *known;
  }
  // Gemm multiplies C by beta: it is folded in here, so that the new node's beta is 1.
  if (conv->is("Gemm"))
    for (double& b : bias) b *= static_cast<double>(float_attribute(*conv, "beta", 1));
  for (size_t i = 0; i < bias.size(); ++i)
    bias[i] = (bias[i] - affine.mean[i]) * affine.factor[i] + affine.bias[i];

  Patch patch(node.id());
  NodeSpec fused = like(*conv);
  std::erase_if(fused.attributes,
                [](const Attribute& attribute) { return attribute.name == "beta"; });
  fused.inputs = {conv->input(0), conv->input(1)};
  if (!all_are(affine.factor, 1)) {
    auto numbers = constant_doubles(model, conv->input(1));
    if (!numbers) return std::nullopt;
    const auto size = static_cast<int64_t>(numbers->size());
    for (int64_t i = 0; i < size; ++i)
      (*numbers)[static_cast<size_t>(i)] *=
          affine.factor[static_cast<size_t>(channel_of(channels, i, size))];
    Result<Tensor> scaled = from_doubles(weight->dtype(), weight->shape(), *numbers);
    if (!scaled.is_ok()) return std::nullopt;
    fused.inputs[1] = patch.add_constant(model.value(conv->input(1)).name(), *std::move(scaled));
  }
  if (conv->input(2).is_valid() || !all_are(bias, 0)) {
    Result<Tensor> tensor = from_doubles(weight->dtype(), {channels.count()}, bias);
    if (!tensor.is_ok()) return std::nullopt;
    fused.inputs.push_back(
        patch.add_constant(fused.name.empty() ? "bias" : fused.name + "_bias", *std::move(tensor)));
  }
  fused.outputs = {node.output(0)};
  patch.remove_node(conv->id());
  patch.remove_node(node.id());
  patch.add_node(std::move(fused));
  return patch;
}

std::optional<Patch> fuse_conv_batch_norm(const Model& model, const Node& node) {
  if (!node.is("BatchNormalization")) return std::nullopt;
  const auto conv = weighted(model, node.input(0));
  const auto affine = conv ? inference_of(model, node) : std::nullopt;
  return affine ? fold(model, node, *conv, *affine) : std::nullopt;
}

std::optional<Patch> fuse_conv_affine(const Model& model, const Node& node) {
  const bool commutes = node.is("Mul") || node.is("Add");
  if (!commutes && !node.is("Div") && !node.is("Sub")) return std::nullopt;
  for (size_t side : {0, 1}) {
    if (side == 1 && !commutes) break;
    const auto conv = weighted(model, node.input(side));
    if (!conv) continue;
    // Another node may read the same weights, which then would be there twice.
    const bool scales = node.is("Mul") || node.is("Div");
    if (scales && !has_one_use(model, conv->node->input(1))) continue;
    const size_t rank = conv->weight->shape().size();
    const auto affine =
        arithmetic_of(model, node, node.input(1 - side), rank, conv->channels.count());
    if (affine) return fold(model, node, *conv, *affine);
  }
  return std::nullopt;
}

}  // namespace

const Pass kFuseConvBatchNorm = {
    "fuse_conv_batch_norm",
    "puts batch normalization into the weights of Conv, ConvTranspose and Gemm", 2,
    fuse_conv_batch_norm, nullptr};

const Pass kFuseConvAffine = {
    .name = "fuse_conv_affine",
    .summary = "puts constant factors and addends per channel into Conv, ConvTranspose and Gemm",
    .level = 2,
    .rule = fuse_conv_affine};

}  // namespace shipway
