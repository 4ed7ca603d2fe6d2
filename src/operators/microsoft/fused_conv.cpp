// Convolutions (and a pool) of ONNX Runtime: with a sum and an activation behind them, and with
// channels last.
#include "operators/downgrade_steps.h"
#include "operators/microsoft/fused_activation.h"
#include "operators/microsoft/quantized_parts.h"
#include "operators/microsoft/with_body.h"

namespace shipway {
namespace {

constexpr std::string_view kConvAttributes =
    "auto_pad: string = 'NOTSET'; dilations: ints?; group: int = 1; kernel_shape: ints?; "
    "pads: ints?; strides: ints?";
constexpr std::string_view kFusedAttributes =
    "activation: string?; activation_params: floats?; auto_pad: string = 'NOTSET'; "
    "dilations: ints?; group: int = 1; kernel_shape: ints?; pads: ints?; strides: ints?";

/// The attributes that Conv has too.
std::vector<Attribute> conv_attributes(const Node& node) {
  std::vector<Attribute> attributes;
  for (const Attribute& attribute : node.attributes())
    if (!attribute.name.starts_with("activation") && attribute.name != "channels_last")
      attributes.push_back(attribute);
  return attributes;
}

ValueId transpose(NodeRewrite& rewrite, ValueId x, std::vector<int64_t> order) {
  return rewrite.insert("Transpose", {x}, {{"perm", std::move(order)}});
}

/// Output 0 = activation(conv(X, W) + B + Z)
Status expand_fused_conv(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  std::vector<ValueId> inputs{node.input(0), node.input(1)};
  if (node.input(2).is_valid()) inputs.push_back(node.input(2));
  ValueId y = rewrite.insert("Conv", std::move(inputs), conv_attributes(node));
  if (node.input(3).is_valid()) y = rewrite.insert("Add", {y, node.input(3)});
  return replace_by_activation(rewrite, y, rewrite.string_attribute("activation"),
                               rewrite.floats_attribute("activation_params"));
}

/// conv(X, W) + B, where X has its channels last; `w` are the weights as Conv takes them.
Result<ValueId> convolve_channels_last(NodeRewrite& rewrite, int64_t rank, ValueId w) {
  const Node& node = rewrite.node();
  std::vector<ValueId> inputs{transpose(rewrite, node.input(0), channels_to_front(rank)), w};
  if (node.input(2).is_valid()) inputs.push_back(node.input(2));
  const ValueId y = rewrite.insert("Conv", std::move(inputs), conv_attributes(node));
  return transpose(rewrite, y, channels_to_back(rank));
}

/// The weights have their channels last too.
Status expand_nhwc_conv(NodeRewrite& rewrite) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  const ValueId w = transpose(rewrite, rewrite.node().input(1), channels_to_front(rank));
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId y, convolve_channels_last(rewrite, rank, w));
  rewrite.replace("Identity", {y});
  return Status::ok();
}

Status expand_nhwc_fused_conv(NodeRewrite& rewrite) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  SHIPWAY_ASSIGN_OR_RETURN(ValueId y,
                           convolve_channels_last(rewrite, rank, rewrite.node().input(1)));
  if (rewrite.node().input(3).is_valid()) y = rewrite.insert("Add", {y, rewrite.node().input(3)});
  return replace_by_activation(rewrite, y, rewrite.string_attribute("activation"),
                               rewrite.floats_attribute("activation_params"));
}

/// ai.onnx's own, but for channels that may come last.
Status expand_qlinear_conv(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  std::vector<ValueId> inputs(node.inputs().begin(), node.inputs().end());
  if (rewrite.int_attribute("channels_last") == 0) {
    rewrite.replace("QLinearConv", std::move(inputs), conv_attributes(node));
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  inputs[0] = transpose(rewrite, inputs[0], channels_to_front(rank));
  const ValueId y = rewrite.insert("QLinearConv", std::move(inputs), conv_attributes(node));
  rewrite.replace("Transpose", {y}, {{"perm", channels_to_back(rank)}});
  return Status::ok();
}

Status expand_nhwc_max_pool(NodeRewrite& rewrite) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  const ValueId x = transpose(rewrite, rewrite.node().input(0), channels_to_front(rank));
  const ValueId y = rewrite.insert("MaxPool", {x}, conv_attributes(rewrite.node()));
  rewrite.replace("Transpose", {y}, {{"perm", channels_to_back(rank)}});
  return Status::ok();
}

}  // namespace

const Operator& microsoft_fused_conv_operator() {
  static const Operator definition = microsoft_with_body(
      "FusedConv", "Convolution, then the sum with a tensor and an activation.",
      "(X: T, W: T, B?: T, Z?: T) -> (Y: T)", "T: floats", kFusedAttributes, expand_fused_conv);
  return definition;
}

const Operator& microsoft_nhwc_conv_operator() {
  static const Operator definition = microsoft_with_body(
      "NhwcConv", "Convolution with the channels last, of the weights too.",
      "(X: T, W: T, B?: T) -> (Y: T)", "T: floats", kConvAttributes, expand_nhwc_conv);
  return definition;
}

const Operator& microsoft_nhwc_fused_conv_operator() {
  static const Operator definition = microsoft_with_body(
      "NhwcFusedConv", "FusedConv with the channels last, but not those of the weights.",
      "(X: T, W: T, B?: T, Z?: T) -> (Y: T)", "T: float16 float", kFusedAttributes,
      expand_nhwc_fused_conv);
  return definition;
}

const Operator& microsoft_nhwc_max_pool_operator() {
  static const Operator definition = microsoft_with_body(
      "NhwcMaxPool", "MaxPool of 8-bit numbers with the channels last.", "(x: T) -> (y: T)",
      "T: int8 uint8",
      "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; dilations: ints?; kernel_shape: ints!; "
      "pads: ints?; strides: ints?",
      expand_nhwc_max_pool);
  return definition;
}

const Operator& microsoft_qlinear_conv_operator() {
  static const Operator definition = microsoft_with_body(
      "QLinearConv", "QLinearConv of ai.onnx, with the channels first or last.",
      "(x: T1, x_scale: float, x_zero_point: T1, w: T2, w_scale: float, w_zero_point: T2, y_scale: "
      "float, y_zero_point: T3, B?: T4) -> (y: T3)",
      "T1: int8 uint8; T2: int8 uint8; T3: int8 uint8; T4: int32",
      "auto_pad: string = 'NOTSET'; channels_last: int = 0; dilations: ints?; group: int = 1; "
      "kernel_shape: ints?; pads: ints?; strides: ints?",
      expand_qlinear_conv);
  return definition;
}

}  // namespace shipway
