// Binarizer: one above a threshold, zero otherwise.
#include "operators/operator.h"

namespace shipway {

const Operator& binarizer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Binarizer",
      .summary = "One above a threshold, zero otherwise.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: float int32 int64 double",
                    .attributes = "threshold: float = 0.0"}},
  };
  return definition;
}

}  // namespace shipway
