// Between real and quantised numbers: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
#include <algorithm>
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/quantization.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// Which scale (and zero point) each element of x has: one for all, one along an axis, or one per
/// block.
struct ScaleLayout {
  int64_t axis_size = 1, inner = 1;  // x is [outer, axis_size, inner]
  int64_t scales = 1, block = 1;     // scales is [outer, scales, inner] when blocked
  enum class Kind : uint8_t { kTensor, kAxis, kBlock } kind = Kind::kTensor;

  size_t operator()(int64_t element) const {
    if (kind == Kind::kTensor) return 0;
    const int64_t along = element / inner % axis_size;
    if (kind == Kind::kAxis) return static_cast<size_t>(along);
    const int64_t outer = element / (inner * axis_size);
    return static_cast<size_t>((outer * scales + along / block) * inner + element % inner);
  }
};

Result<ScaleLayout> scale_layout(const EvaluateContext& context) {
  const Tensor &x = context.input(0), &scale = context.input(1);
  const int64_t block = context.int_attribute("block_size");
  if (block < 0)
    return Status::invalid_model("attribute 'block_size' is {}, expected 0 or more", block);
  if (context.has_input(2) && context.input(2).shape() != scale.shape() &&
      (context.input(2).element_count() != 1 || scale.element_count() != 1))
    return Status::invalid_argument(
        "input 2 (the zero point) has shape {}, expected that of the scale, {}",
        to_string(context.input(2).shape()), to_string(scale.shape()));
  ScaleLayout layout;
  if (scale.element_count() == 1 && (block == 0 || scale.rank() != x.rank())) return layout;
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), x.rank()));
  for (int64_t i = axis + 1; i < x.rank(); ++i) layout.inner *= x.dim(static_cast<size_t>(i));
  layout.axis_size = x.dim(static_cast<size_t>(axis));
  Shape expected{layout.axis_size};
  layout.kind = ScaleLayout::Kind::kAxis;
  if (block > 0) {
    layout.kind = ScaleLayout::Kind::kBlock;
    layout.block = block;
    layout.scales = layout.axis_size / block + (layout.axis_size % block != 0 ? 1 : 0);
    expected = x.shape();
    expected[static_cast<size_t>(axis)] = layout.scales;
  }
  if (scale.shape() != expected)
    return Status::invalid_argument(
        "input 1 (the scale) has shape {}, expected {} for x of {} and axis {}",
        to_string(scale.shape()), to_string(expected), to_string(x.shape()), axis);
  return layout;
}

Result<std::vector<double>> zero_points(const EvaluateContext& context, size_t i, size_t count) {
  if (context.has_input(i)) return to_doubles(context.input(i));
  return std::vector<double>(count, 0.0);
}

Result<DType> declared_dtype(const AttributeReader& context, std::string_view attribute,
                             DType otherwise) {
  const int64_t number = context.int_attribute(attribute);
  if (number == 0) return otherwise;
  if (!is_valid_dtype(number))
    return Status::invalid_model("attribute '{}' is {}, which is no dtype", attribute, number);
  return static_cast<DType>(number);
}

/// `value` rounded to a float dtype.
double rounded_to(DType dtype, double value) {
  if (dtype == DType::kFloat64) return value;
  if (dtype == DType::kFloat32) return static_cast<double>(static_cast<float>(value));
  return decode_float(dtype, encode_float(dtype, value, Saturate::kNo));
}

// ----------------------------------------------------------------------------------------------
// QuantizeLinear

Status infer_quantize(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(DType dtype, declared_dtype(context, "output_dtype", DType::kUInt8));
  if (context.has_input(2)) dtype = context.input_dtype(2);
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, dtype, *dims) : context.set_output_dtype(0, dtype);
  return Status::ok();
}

Status evaluate_quantize(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const ScaleLayout layout, scale_layout(context));
  SHIPWAY_ASSIGN_OR_RETURN(DType dtype, declared_dtype(context, "output_dtype", DType::kUInt8));
  if (context.has_input(2)) {
    if (context.int_attribute("output_dtype") != 0 && dtype != context.input(2).dtype())
      return Status::invalid_model(
          "attribute 'output_dtype' is {}, but input 2 (the zero point) is {}", to_string(dtype),
          to_string(context.input(2).dtype()));
    dtype = context.input(2).dtype();
  }
  // The division happens in the precision of the scale unless said otherwise; powers of two have
  // none of their own.
  DType precision = context.input(1).dtype();
  if (precision == DType::kFloat8E8M0 || kind_of(precision) != DTypeKind::kFloat)
    precision = kind_of(x.dtype()) == DTypeKind::kFloat ? x.dtype() : DType::kFloat32;
  SHIPWAY_ASSIGN_OR_RETURN(precision, declared_dtype(context, "precision", precision));
  if (kind_of(precision) != DTypeKind::kFloat)
    return Status::invalid_model("attribute 'precision' is {}, expected a float",
                                 to_string(precision));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scales, to_doubles(context.input(1)));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> zeros, zero_points(context, 2, scales.size()));
  const bool whole = kind_of(dtype) != DTypeKind::kFloat;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t s = layout(static_cast<int64_t>(i));
    const double real = rounded_to(precision, values[i] / scales[s]);
    values[i] = whole ? saturate_to(dtype, std::nearbyint(real) + zeros[s]) : real + zeros[s];
  }
  const Saturate saturate = context.int_attribute("saturate") != 0 ? Saturate::kYes : Saturate::kNo;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor y, from_doubles(dtype, x.shape(), values, saturate));
  context.set_output(0, std::move(y));
  return Status::ok();
}

// ----------------------------------------------------------------------------------------------
// DequantizeLinear

Status infer_dequantize(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype,
                           declared_dtype(context, "output_dtype", context.input_dtype(1)));
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, dtype, *dims) : context.set_output_dtype(0, dtype);
  return Status::ok();
}

Status evaluate_dequantize(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const ScaleLayout layout, scale_layout(context));
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype,
                           declared_dtype(context, "output_dtype", context.input(1).dtype()));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scales, to_doubles(context.input(1)));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> zeros, zero_points(context, 2, scales.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t s = layout(static_cast<int64_t>(i));
    values[i] = (values[i] - zeros[s]) * scales[s];
  }
  return write_output(context, 0, dtype, x.shape(), values);
}

// ----------------------------------------------------------------------------------------------
// DynamicQuantizeLinear

Status infer_dynamic_quantize(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, DType::kUInt8, *dims) : context.set_output_dtype(0, DType::kUInt8);
  context.set_output(1, DType::kFloat32, {});
  context.set_output(2, DType::kUInt8, {});
  return Status::ok();
}

/// In float32 throughout, as the specification's function body computes.
Status evaluate_dynamic_quantize(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  if (x.dtype() != DType::kFloat32)
    return Status::invalid_argument("input 0 is {}, expected float", to_string(x.dtype()));
  float least = 0, most = 0;
  for (float value : x.as<float>()) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  const float scale = least == most ? 1.0f / 255 : (most - least) / 255;
  const float zero = std::nearbyint(std::clamp(-least / scale, 0.0f, 255.0f));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor y, context.allocate_output(0, DType::kUInt8, x.shape()));
  const std::span<uint8_t> out = y.mutable_as<uint8_t>();
  size_t i = 0;
  for (float value : x.as<float>())
    out[i++] =
        static_cast<uint8_t>(saturate_to(DType::kUInt8, std::nearbyint(value / scale) + zero));
  if (context.has_output(1)) context.set_output(1, Tensor::scalar(scale));
  if (context.has_output(2)) context.set_output(2, Tensor::scalar(static_cast<uint8_t>(zero)));
  return Status::ok();
}

constexpr std::string_view kDequantizeLinearSignatureSince23 =
    "(x: T1, x_scale: T2, x_zero_point?: T1) -> (y: T3)";
constexpr std::string_view kDequantizeLinearAttributesSince23 =
    "axis: int = 1; block_size: int = 0; output_dtype: int = 0";
constexpr std::string_view kQuantizeLinearSignatureSince23 =
    "(x: T1, y_scale: T2, y_zero_point?: T3) -> (y: T3)";
constexpr std::string_view kQuantizeLinearAttributesSince23 =
    "axis: int = 1; block_size: int = 0; output_dtype: int = 0; precision: int = 0; "
    "saturate: int = 1";

// A zero point says the dtype of the result too.
Status downgrade_quantize_21(NodeRewrite& rewrite) {
  const int64_t dtype = rewrite.int_attribute("output_dtype");
  if (rewrite.has_attribute("output_dtype")) rewrite.remove_attribute("output_dtype");
  if (dtype == 0 || rewrite.node().input(2).is_valid()) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, known_shape(rewrite, 1));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor zeros, Tensor::zeros(static_cast<DType>(dtype), shape));
  rewrite.set_input(2, rewrite.add_constant("zero_point", std::move(zeros)));
  return Status::ok();
}

Status downgrade_dequantize_23(NodeRewrite& rewrite) {
  const int64_t dtype = rewrite.int_attribute("output_dtype");
  if (dtype == 0) return Status::ok();
  if (rewrite.input_type(1).dtype() != static_cast<DType>(dtype))
    return Status::unsupported("attribute 'output_dtype' ({}) came with opset 23", dtype);
  rewrite.remove_attribute("output_dtype");
  return Status::ok();
}

// Saturation is a matter of the float8 kinds, which came with it.
Status drop_saturate(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("saturate")) rewrite.remove_attribute("saturate");
  return Status::ok();
}

// Until version 13, one scale served the whole tensor.
Status downgrade_13(NodeRewrite& rewrite) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 1));
  if (rank != 0) return Status::unsupported("a scale for each index of an axis came with opset 13");
  if (rewrite.has_attribute("axis")) rewrite.remove_attribute("axis");
  return Status::ok();
}

}  // namespace

const Operator& dequantize_linear_operator() {
  static const Operator definition{
      .name = "DequantizeLinear",
      .summary = "Turns quantised integers into real numbers by scale and zero point.",
      .versions =
          {{.since = 10,
            .signature = "(x: T, x_scale: float, x_zero_point?: T) -> (y: float)",
            .types = "T: uint8 int8 int32"},
           {.since = 13,
            .signature = "(x: T, x_scale: float, x_zero_point?: T) -> (y: float)",
            .types = "T: uint8 int8 int32",
            .attributes = "axis: int = 1",
            .downgrade = downgrade_13},
           {.since = 19,
            .signature = "(x: T1, x_scale: T2, x_zero_point?: T1) -> (y: T2)",
            .types = "T1: float8s uint8 int8 int32; T2: float float16 bfloat16",
            .attributes = "axis: int = 1"},
           {.since = 21,
            .signature = "(x: T1, x_scale: T2, x_zero_point?: T1) -> (y: T2)",
            .types = "T1: float8s int4s uint8 int8 uint16 int16 int32; T2: float float16 bfloat16",
            .attributes = "axis: int = 1; block_size: int = 0"},
           {.since = 23,
            .signature = kDequantizeLinearSignatureSince23,
            .types = "T1: float8s int4s uint8 int8 uint16 int16 int32 float4e2m1; "
                     "T2: float float16 bfloat16; T3: float float16 bfloat16",
            .attributes = kDequantizeLinearAttributesSince23,
            .downgrade = downgrade_dequantize_23},
           {.since = 24,
            .signature = kDequantizeLinearSignatureSince23,
            .types = "T1: float8s int4s uint8 int8 uint16 int16 int32 float4e2m1; "
                     "T2: float float16 bfloat16 float8e8m0; T3: float float16 bfloat16",
            .attributes = kDequantizeLinearAttributesSince23},
           {.since = 25,
            .signature = kDequantizeLinearSignatureSince23,
            .types = "T1: float8s int4s int2s uint8 int8 uint16 int16 int32 float4e2m1; "
                     "T2: float float16 bfloat16 float8e8m0; T3: float float16 bfloat16",
            .attributes = kDequantizeLinearAttributesSince23},
           {.since = 28,
            .signature = kDequantizeLinearSignatureSince23,
            .types = "T1: float8s int4s int2s float6s uint8 int8 uint16 int16 int32 float4e2m1; "
                     "T2: float float16 bfloat16 float8e8m0; T3: float float16 bfloat16",
            .attributes = kDequantizeLinearAttributesSince23}},
      .infer = infer_dequantize,
      .evaluate = evaluate_dequantize,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& dynamic_quantize_linear_operator() {
  static const Operator definition{
      .name = "DynamicQuantizeLinear",
      .summary = "Quantises to 8 bits with scale and zero point found from the data.",
      .versions = {{.since = 11,
                    .signature = "(x: T1) -> (y: T2, y_scale: float, y_zero_point: T2)",
                    .types = "T1: float; T2: uint8"}},
      .infer = infer_dynamic_quantize,
      .evaluate = evaluate_dynamic_quantize,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& quantize_linear_operator() {
  static const Operator definition{
      .name = "QuantizeLinear",
      .summary = "Turns real numbers into quantised ones by scale and zero point.",
      .versions =
          {{.since = 10,
            .signature = "(x: T1, y_scale: float, y_zero_point?: T2) -> (y: T2)",
            .types = "T1: float int32; T2: uint8 int8"},
           {.since = 13,
            .signature = "(x: T1, y_scale: float, y_zero_point?: T2) -> (y: T2)",
            .types = "T1: float int32; T2: uint8 int8",
            .attributes = "axis: int = 1",
            .downgrade = downgrade_13},
           {.since = 19,
            .signature = "(x: T1, y_scale: T1, y_zero_point?: T2) -> (y: T2)",
            .types = "T1: float int32 float16 bfloat16; T2: float8s uint8 int8",
            .attributes = "axis: int = 1; saturate: int = 1",
            .downgrade = drop_saturate},
           {.since = 21,
            .signature = "(x: T1, y_scale: T1, y_zero_point?: T2) -> (y: T2)",
            .types = "T1: float int32 float16 bfloat16; T2: float8s int4s uint8 int8 uint16 int16",
            .attributes =
                "axis: int = 1; block_size: int = 0; output_dtype: int = 0; saturate: int = 1",
            .downgrade = downgrade_quantize_21},
           {.since = 23,
            .signature = kQuantizeLinearSignatureSince23,
            .types = "T1: float int32 float16 bfloat16; T2: float int32 float16 bfloat16; "
                     "T3: float8s int4s uint8 int8 uint16 int16 float4e2m1",
            .attributes = kQuantizeLinearAttributesSince23},
           {.since = 24,
            .signature = kQuantizeLinearSignatureSince23,
            .types =
                "T1: float int32 float16 bfloat16; T2: float int32 float16 bfloat16 float8e8m0; "
                "T3: float8s int4s uint8 int8 uint16 int16 float4e2m1",
            .attributes = kQuantizeLinearAttributesSince23},
           {.since = 25,
            .signature = kQuantizeLinearSignatureSince23,
            .types =
                "T1: float int32 float16 bfloat16; T2: float int32 float16 bfloat16 float8e8m0; "
                "T3: float8s int4s int2s uint8 int8 uint16 int16 float4e2m1",
            .attributes = kQuantizeLinearAttributesSince23},
           {.since = 28,
            .signature = kQuantizeLinearSignatureSince23,
            .types =
                "T1: float int32 float16 bfloat16; T2: float int32 float16 bfloat16 float8e8m0; "
                "T3: float8s int4s int2s float6s uint8 int8 uint16 int16 float4e2m1",
            .attributes = kQuantizeLinearAttributesSince23}},
      .infer = infer_quantize,
      .evaluate = evaluate_quantize,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
