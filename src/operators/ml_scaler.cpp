// Scaler: subtracts an offset and multiplies by a scale per feature.
#include "operators/operator.h"

namespace shipway {

const Operator& scaler_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Scaler",
      .summary = "Subtracts an offset and multiplies by a scale per feature.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: float)",
                    .types = "T: float int32 int64 double",
                    .attributes = "offset: floats?; scale: floats?"}},
  };
  return definition;
}

}  // namespace shipway
