// EyeLike: ones on one diagonal of a matrix, zeros elsewhere.
#include "operators/operator.h"

namespace shipway {

const Operator& eye_like_operator() {
  static const Operator definition{
      .name = "EyeLike",
      .summary = "Ones on one diagonal of a matrix, zeros elsewhere.",
      .versions = {{.since = 9,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool; T2: numeric bool",
                    .attributes = "dtype: int?; k: int = 0"},
                   {.since = 22,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool bfloat16; T2: numeric bool bfloat16",
                    .attributes = "dtype: int?; k: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
