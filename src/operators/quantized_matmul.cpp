// Matrix products of quantised tensors.
#include "operators/operator.h"

namespace shipway {

const Operator& matmul_integer_operator() {
  static const Operator definition{
      .name = "MatMulInteger",
      .summary = "Matrix product of 8-bit integers, summed in 32 bits.",
      .versions = {{.since = 10,
                    .signature = "(A: T1, B: T2, a_zero_point?: T1, b_zero_point?: T2) -> (Y: T3)",
                    .types = "T1: uint8 int8; T2: uint8 int8; T3: int32"}},
  };
  return definition;
}

const Operator& qlinear_matmul_operator() {
  static const Operator definition{
      .name = "QLinearMatMul",
      .summary = "Matrix product of quantised tensors with a quantised result.",
      .versions =
          {{.since = 10,
            .signature = "(a: T1, a_scale: float, a_zero_point: T1, b: T2, b_scale: float, "
                         "b_zero_point: T2, y_scale: float, y_zero_point: T3) -> (y: T3)",
            .types = "T1: uint8 int8; T2: uint8 int8; T3: uint8 int8"},
           {.since = 21,
            .signature =
                "(a: T1, a_scale: TS, a_zero_point: T1, b: T2, b_scale: TS, b_zero_point: T2, "
                "y_scale: TS, y_zero_point: T3) -> (y: T3)",
            .types = "TS: float float16 bfloat16; T1: float8s uint8 int8; T2: float8s uint8 int8; "
                     "T3: float8s uint8 int8"}},
  };
  return definition;
}

}  // namespace shipway
