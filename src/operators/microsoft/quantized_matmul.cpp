// Matrix products of ONNX Runtime on 8-bit numbers with floats around them.
#include "operators/body.h"
#include "operators/microsoft/quantized_parts.h"

namespace shipway {
namespace {

/// The numbers of DynamicQuantizeLinear: uint8 over the range of a tensor and 0, kept as floats and
/// with the zero point taken off.
struct Dynamic {
  ValueId centred, scale;
};

Dynamic quantize_dynamically(NodeRewrite& rewrite, ValueId x) {
  const ValueId zero = rewrite.add_constant("zero", Tensor::scalar(0.0f));
  const ValueId most = rewrite.add_constant("most", Tensor::scalar(255.0f));
  const std::vector<Attribute> to_scalar{{"keepdims", int64_t{0}}};
  const ValueId low = rewrite.insert("Min", {rewrite.insert("ReduceMin", {x}, to_scalar), zero});
  const ValueId high = rewrite.insert("Max", {rewrite.insert("ReduceMax", {x}, to_scalar), zero});
  const ValueId range = rewrite.insert("Div", {rewrite.insert("Sub", {high, low}), most});
  // A tensor of zeros has no range; any scale does.
  const ValueId one = rewrite.add_constant("one", Tensor::scalar(1.0f));
  const ValueId scale =
      rewrite.insert("Where", {rewrite.insert("Equal", {range, zero}), one, range});
  const ValueId place =
      rewrite.insert("Round", {rewrite.insert("Div", {rewrite.insert("Neg", {low}), scale})});
  const ValueId zero_point = rewrite.insert("Clip", {place, zero, most});
  const ValueId steps = rewrite.insert("Round", {rewrite.insert("Div", {x, scale})});
  const ValueId number =
      rewrite.insert("Clip", {rewrite.insert("Add", {steps, zero_point}), zero, most});
  return {rewrite.insert("Sub", {number, zero_point}), scale};
}

/// A matrix product with its result as output 0.
Status replace_by_product(NodeRewrite& rewrite, const QuantizedProduct& product) {
  rewrite.replace("Identity", {multiply_quantized(rewrite, product)});
  return Status::ok();
}

Status expand_dynamic_quantize_matmul(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  const Dynamic a = quantize_dynamically(rewrite, node.input(0));
  return replace_by_product(rewrite, {.a = a.centred,
                                      .b = centred(rewrite, node.input(1), node.input(3)),
                                      .scales = {node.input(2), a.scale},
                                      .bias = node.input(4)});
}

Status expand_matmul_integer_to_float(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, known_dtype(rewrite, 2));
  return replace_by_product(rewrite, {.a = centred(rewrite, node.input(0), node.input(4)),
                                      .b = centred(rewrite, node.input(1), node.input(5)),
                                      .scales = {node.input(2), node.input(3)},
                                      .bias = node.input(6),
                                      .dtype = dtype});
}

/// y = ((A - zero of A) (B - zero of B) + C) * alpha * a_scale * b_scale, quantised where y_scale
/// is given.
Status expand_qgemm(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  const auto factor = [&](size_t i, const char* transpose) {
    ValueId x = node.input(i);
    if (rewrite.int_attribute(transpose) != 0)
      x = rewrite.insert("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0}}});
    return centred(rewrite, x, node.input(i + 2));
  };
  const ValueId a = factor(0, "transA"), b = factor(3, "transB");
  ValueId sums = rewrite.insert("MatMul", {a, b});
  if (node.input(6).is_valid())
    sums = rewrite.insert("Add", {sums, centred(rewrite, node.input(6), {})});
  ValueId scale = rewrite.insert("Mul", {node.input(1), node.input(4)});
  if (const float alpha = rewrite.float_attribute("alpha"); alpha != 1)
    scale = rewrite.insert("Mul", {scale, rewrite.add_constant("alpha", Tensor::scalar(alpha))});
  if (!node.input(7).is_valid()) {
    rewrite.replace("Mul", {sums, scale});
    return Status::ok();
  }
  return replace_by_quantized(rewrite, rewrite.insert("Mul", {sums, scale}), node.input(7),
                              node.input(8), 0);
}

}  // namespace

const Operator& microsoft_dynamic_quantize_matmul_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "DynamicQuantizeMatMul",
      .summary = "Quantises the left factor, multiplies whole numbers, and scales back.",
      .versions = {{.since = 1,
                    .signature = "(A: T1, B: T2, b_scale: T1, b_zero_point?: T2, bias?: T1) -> (Y: "
                                 "T1)",
                    .types = "T1: float; T2: int8 uint8",
                    .upgrade = expand_dynamic_quantize_matmul}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

const Operator& microsoft_matmul_integer_to_float_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "MatMulIntegerToFloat",
      .summary = "Product of 8-bit matrices, scaled to floats, plus a bias.",
      .versions = {{.since = 1,
                    .signature = "(A: T1, B: T2, a_scale: T3, b_scale: T3, a_zero_point?: T1, "
                                 "b_zero_point?: T2, bias?: T3) -> (Y: T3)",
                    .types = "T1: int8 uint8; T2: int8 uint8; T3: float float16",
                    .upgrade = expand_matmul_integer_to_float}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

const Operator& microsoft_qgemm_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "QGemm",
      .summary = "Gemm of 8-bit matrices with a float or quantised result.",
      .versions = {{.since = 1,
                    .signature =
                        "(A: TA, a_scale: T, a_zero_point: TA, B: TB, b_scale: T, b_zero_point: "
                        "TB, C?: TC, y_scale?: T, y_zero_point?: TYZ) -> (Y: TY)",
                    .types = "T: float; TA: uint8 int8; TB: uint8 int8; TC: int32; TYZ: uint8 "
                             "int8; TY: float uint8 int8",
                    .attributes = "alpha: float = 1.0; transA: int = 0; transB: int = 0",
                    .upgrade = expand_qgemm}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
