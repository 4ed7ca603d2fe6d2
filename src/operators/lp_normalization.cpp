// LpNormalization: divides by the 1- or 2-norm along an axis.
#include "operators/operator.h"

namespace shipway {

const Operator& lp_normalization_operator() {
  static const Operator definition{
      .name = "LpNormalization",
      .summary = "Divides by the 1- or 2-norm along an axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = -1; p: int = 2"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1; p: int = 2"}},
  };
  return definition;
}

}  // namespace shipway
