// BitCast: reads the same bits as another dtype.
#include "operators/operator.h"

namespace shipway {

const Operator& bit_cast_operator() {
  static const Operator definition{
      .name = "BitCast",
      .summary = "Reads the same bits as another dtype.",
      .versions =
          {{.since = 26,
            .signature = "(input: T1) -> (output: T2)",
            .types =
                "T1: numeric float8s complexes int4s int2s bool bfloat16 float4e2m1 float8e8m0; "
                "T2: numeric float8s complexes int4s int2s bool bfloat16 float4e2m1 float8e8m0",
            .attributes = "to: int!"}},
  };
  return definition;
}

}  // namespace shipway
