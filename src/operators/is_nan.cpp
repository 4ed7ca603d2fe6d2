// IsNaN: true where an element is not a number.
#include "operators/operator.h"

namespace shipway {

const Operator& is_nan_operator() {
  static const Operator definition{
      .name = "IsNaN",
      .summary = "True where an element is not a number.",
      .versions = {{.since = 9, .signature = "(X: T1) -> (Y: T2)", .types = "T1: floats; T2: bool"},
                   {.since = 13,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: floats bfloat16; T2: bool"},
                   {.since = 20,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: floats float8s bfloat16; T2: bool"}},
  };
  return definition;
}

}  // namespace shipway
