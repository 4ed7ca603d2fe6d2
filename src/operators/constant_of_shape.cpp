// ConstantOfShape: fills a tensor of a given shape with one value.
#include "operators/operator.h"

namespace shipway {

const Operator& constant_of_shape_operator() {
  static const Operator definition{
      .name = "ConstantOfShape",
      .summary = "Fills a tensor of a given shape with one value.",
      .versions =
          {{.since = 9,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric bool",
            .attributes = "value: tensor?"},
           {.since = 20,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s bool bfloat16",
            .attributes = "value: tensor?"},
           {.since = 21,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s int4s bool bfloat16",
            .attributes = "value: tensor?"},
           {.since = 23,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s int4s bool bfloat16 float4e2m1",
            .attributes = "value: tensor?"},
           {.since = 24,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s int4s bool bfloat16 float4e2m1 float8e8m0",
            .attributes = "value: tensor?"},
           {.since = 25,
            .signature = "(input: T1) -> (output: T2)",
            .types =
                "T1: int64; T2: numeric float8s int4s int2s bool bfloat16 float4e2m1 float8e8m0",
            .attributes = "value: tensor?"}},
  };
  return definition;
}

}  // namespace shipway
