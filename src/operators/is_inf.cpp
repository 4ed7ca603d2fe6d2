// IsInf: true for infinities of the asked-for signs.
#include "operators/operator.h"

namespace shipway {

const Operator& is_inf_operator() {
  static const Operator definition{
      .name = "IsInf",
      .summary = "True for infinities of the asked-for signs.",
      .versions = {{.since = 10,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: float double; T2: bool",
                    .attributes = "detect_negative: int = 1; detect_positive: int = 1"},
                   {.since = 20,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: floats float8s bfloat16; T2: bool",
                    .attributes = "detect_negative: int = 1; detect_positive: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
