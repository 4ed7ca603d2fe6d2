// Between real and quantised numbers: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kDequantizeLinearSignatureSince23 =
    "(x: T1, x_scale: T2, x_zero_point?: T1) -> (y: T3)";
constexpr std::string_view kDequantizeLinearAttributesSince23 =
    "axis: int = 1; block_size: int = 0; output_dtype: int = 0";
constexpr std::string_view kQuantizeLinearSignatureSince23 =
    "(x: T1, y_scale: T2, y_zero_point?: T3) -> (y: T3)";
constexpr std::string_view kQuantizeLinearAttributesSince23 =
    "axis: int = 1; block_size: int = 0; output_dtype: int = 0; precision: int = 0; "
    "saturate: int = 1";

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
            .attributes = "axis: int = 1"},
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
            .attributes = kDequantizeLinearAttributesSince23},
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
            .attributes = "axis: int = 1"},
           {.since = 19,
            .signature = "(x: T1, y_scale: T1, y_zero_point?: T2) -> (y: T2)",
            .types = "T1: float int32 float16 bfloat16; T2: float8s uint8 int8",
            .attributes = "axis: int = 1; saturate: int = 1"},
           {.since = 21,
            .signature = "(x: T1, y_scale: T1, y_zero_point?: T2) -> (y: T2)",
            .types = "T1: float int32 float16 bfloat16; T2: float8s int4s uint8 int8 uint16 int16",
            .attributes =
                "axis: int = 1; block_size: int = 0; output_dtype: int = 0; saturate: int = 1"},
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
  };
  return definition;
}

}  // namespace shipway
