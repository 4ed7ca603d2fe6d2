// Imputer: replaces a marked value by a given one per feature.
#include "operators/operator.h"

namespace shipway {

const Operator& imputer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Imputer",
      .summary = "Replaces a marked value by a given one per feature.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: float int32 int64 double",
                    .attributes =
                        "imputed_value_floats: floats?; imputed_value_int64s: ints?; "
                        "replaced_value_float: float = 0.0; replaced_value_int64: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
