// Quantised operators of ONNX Runtime that work element by element or window by window: numbers of
// 8 bits in and out, each tensor with a scale and a zero point of its own. Their bodies compute in
// floats between DequantizeLinear and QuantizeLinear.
#include "operators/downgrade_steps.h"
#include "operators/microsoft/quantized_parts.h"
#include "operators/microsoft/with_body.h"

namespace shipway {
namespace {

constexpr std::string_view kBinarySignature =
    "(A: T, A_scale: float, A_zero_point?: T, B: T, B_scale: float, B_zero_point?: T, C_scale: "
    "float, C_zero_point?: T) -> (C: T)";
constexpr std::string_view kUnarySignature =
    "(X: T, X_scale: float, X_zero_point?: T, Y_scale: float, Y_zero_point?: T) -> (Y: T)";

/// Output 0 = `y` in the numbers of inputs 3 and 4.
Status finish_unary(NodeRewrite& rewrite, ValueId y) {
  return replace_by_quantized(rewrite, y, rewrite.node().input(3), rewrite.node().input(4), 0);
}
ValueId unary_input(NodeRewrite& rewrite) {
  return dequantized(rewrite, quantized_input(rewrite, 0));
}

Status expand_binary(NodeRewrite& rewrite, std::string op_type) {
  const ValueId a = dequantized(rewrite, quantized_input(rewrite, 0));
  const ValueId b = dequantized(rewrite, quantized_input(rewrite, 3));
  return replace_by_quantized(rewrite, rewrite.insert(std::move(op_type), {a, b}),
                              rewrite.node().input(6), rewrite.node().input(7), 0);
}
Status expand_add(NodeRewrite& rewrite) { return expand_binary(rewrite, "Add"); }
Status expand_mul(NodeRewrite& rewrite) { return expand_binary(rewrite, "Mul"); }

Status expand_sigmoid(NodeRewrite& rewrite) {
  return finish_unary(rewrite, rewrite.insert("Sigmoid", {unary_input(rewrite)}));
}

Status expand_leaky_relu(NodeRewrite& rewrite) {
  return finish_unary(rewrite, rewrite.insert("LeakyRelu", {unary_input(rewrite)},
                                              {{"alpha", rewrite.float_attribute("alpha")}}));
}

/// Before opset 13, which attribute 'opset' tells, Softmax took all axes from `axis` on as one.
Status expand_softmax(NodeRewrite& rewrite) {
  const int64_t axis = rewrite.int_attribute("axis");
  const ValueId x = unary_input(rewrite);
  if (rewrite.int_attribute("opset") >= 13)
    return finish_unary(rewrite, rewrite.insert("Softmax", {x}, {{"axis", axis}}));
  const ValueId flat = rewrite.insert("Flatten", {x}, {{"axis", axis}});
  const ValueId shares = rewrite.insert("Softmax", {flat}, {{"axis", int64_t{1}}});
  return finish_unary(rewrite, rewrite.insert("Reshape", {shares, rewrite.insert("Shape", {x})}));
}

Status expand_reduce_mean(NodeRewrite& rewrite) {
  const ValueId axes = rewrite.add_ints("axes", rewrite.ints_attribute("axes"));
  return finish_unary(rewrite, rewrite.insert("ReduceMean", {unary_input(rewrite), axes},
                                              {{"keepdims", rewrite.int_attribute("keepdims")}}));
}

/// A pool of the dequantised input, whose channels may come last.
Status expand_pool(NodeRewrite& rewrite, std::string op_type) {
  std::vector<Attribute> attributes;
  for (const Attribute& attribute : rewrite.node().attributes())
    if (attribute.name != "channels_last") attributes.push_back(attribute);
  const ValueId x = unary_input(rewrite);
  if (rewrite.int_attribute("channels_last") == 0)
    return finish_unary(rewrite, rewrite.insert(std::move(op_type), {x}, std::move(attributes)));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  const ValueId front = rewrite.insert("Transpose", {x}, {{"perm", channels_to_front(rank)}});
  const ValueId y = rewrite.insert(std::move(op_type), {front}, std::move(attributes));
  return finish_unary(rewrite,
                      rewrite.insert("Transpose", {y}, {{"perm", channels_to_back(rank)}}));
}
Status expand_average_pool(NodeRewrite& rewrite) { return expand_pool(rewrite, "AveragePool"); }
Status expand_global_average_pool(NodeRewrite& rewrite) {
  return expand_pool(rewrite, "GlobalAveragePool");
}

/// Inputs: scale and zero point of the result, then tensor, scale and zero point of each part.
Status expand_concat(NodeRewrite& rewrite) {
  const size_t count = rewrite.node().inputs().size();
  if (count < 5 || (count - 2) % 3 != 0)
    return Status::invalid_model(
        "it has {} inputs, expected a scale and a zero point, then three for each tensor", count);
  for (size_t i = 2; i < count; ++i)
    if (!rewrite.node().input(i).is_valid() && i % 3 != 1)
      return Status::invalid_model("input {} is left out, expected a tensor and its scale", i);
  std::vector<ValueId> parts;
  for (size_t i = 2; i < count; i += 3)
    parts.push_back(dequantized(rewrite, quantized_input(rewrite, i)));
  const ValueId joined =
      rewrite.insert("Concat", std::move(parts), {{"axis", rewrite.int_attribute("axis")}});
  return replace_by_quantized(rewrite, joined, rewrite.node().input(0), rewrite.node().input(1), 1);
}

Status expand_where(NodeRewrite& rewrite) {
  const ValueId x = dequantized(rewrite, quantized_input(rewrite, 1));
  const ValueId y = dequantized(rewrite, quantized_input(rewrite, 4));
  return replace_by_quantized(rewrite, rewrite.insert("Where", {rewrite.node().input(0), x, y}),
                              rewrite.node().input(7), rewrite.node().input(8), 1);
}

Operator qlinear(std::string name, std::string summary, std::string_view signature,
                 Schema::Rewrite body, std::string_view attributes = {},
                 std::string_view types = "T: uint8 int8") {
  return microsoft_with_body(std::move(name), std::move(summary), signature, types, attributes,
                             body);
}

}  // namespace

const Operator& microsoft_qlinear_add_operator() {
  static const Operator definition =
      qlinear("QLinearAdd", "Sum of two quantised tensors.", kBinarySignature, expand_add);
  return definition;
}

const Operator& microsoft_qlinear_average_pool_operator() {
  static const Operator definition = qlinear(
      "QLinearAveragePool", "AveragePool of a quantised tensor.",
      "(X: T, x_scale: float, x_zero_point?: T, y_scale: float, y_zero_point?: T) -> (Y: T)",
      expand_average_pool,
      "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; channels_last: int = 0; "
      "count_include_pad: int = 0; kernel_shape: ints!; pads: ints?; strides: ints?");
  return definition;
}

const Operator& microsoft_qlinear_concat_operator() {
  static const Operator definition =
      qlinear("QLinearConcat", "Joins quantised tensors along one axis.",
              "(Y_scale: TF, Y_zero_point: T8, inputs...~: TV) -> (Y: T8)", expand_concat,
              "axis: int!", "T8: uint8 int8; TF: float; TV: uint8 int8 float");
  return definition;
}

const Operator& microsoft_qlinear_global_average_pool_operator() {
  static const Operator definition =
      qlinear("QLinearGlobalAveragePool", "GlobalAveragePool of a quantised tensor.",
              "(X: T, x_scale: float, x_zero_point: T, y_scale: float, y_zero_point: T) -> (Y: T)",
              expand_global_average_pool, "channels_last: int = 0");
  return definition;
}

const Operator& microsoft_qlinear_leaky_relu_operator() {
  static const Operator definition =
      qlinear("QLinearLeakyRelu", "LeakyRelu of a quantised tensor.", kUnarySignature,
              expand_leaky_relu, "alpha: float = 0.01");
  return definition;
}

const Operator& microsoft_qlinear_mul_operator() {
  static const Operator definition =
      qlinear("QLinearMul", "Product of two quantised tensors.", kBinarySignature, expand_mul);
  return definition;
}

const Operator& microsoft_qlinear_reduce_mean_operator() {
  static const Operator definition =
      qlinear("QLinearReduceMean", "ReduceMean of a quantised tensor.",
              "(data: T, data_scale: float, data_zero_point?: T, reduced_scale: float, "
              "reduced_zero_point?: T) -> (reduced: T)",
              expand_reduce_mean, "axes: ints!; keepdims: int!");
  return definition;
}

const Operator& microsoft_qlinear_sigmoid_operator() {
  static const Operator definition =
      qlinear("QLinearSigmoid", "Sigmoid of a quantised tensor.", kUnarySignature, expand_sigmoid);
  return definition;
}

const Operator& microsoft_qlinear_softmax_operator() {
  static const Operator definition =
      qlinear("QLinearSoftmax", "Softmax of a quantised tensor.",
              "(X: T, X_scale: float, x_zero_point?: T, y_scale: float, y_zero_point: T) -> (Y: T)",
              expand_softmax, "axis: int = -1; opset: int!");
  return definition;
}

const Operator& microsoft_qlinear_where_operator() {
  static const Operator definition = qlinear(
      "QLinearWhere", "Elements of one or another quantised tensor.",
      "(condition: B, X: T, x_scale: TF, x_zero_point: T, Y: T, y_scale: TF, y_zero_point: T, "
      "z_scale: TF, z_zero_point: T) -> (Z: T)",
      expand_where, {}, "B: bool; TF: float; T: uint8 int8");
  return definition;
}

}  // namespace shipway
