// Normalizer: divides each row by its largest value, its sum or its length.
#include "operators/operator.h"

namespace shipway {

const Operator& normalizer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Normalizer",
      .summary = "Divides each row by its largest value, its sum or its length.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: float)",
                    .types = "T: float int32 int64 double",
                    .attributes = "norm: string = 'MAX'"}},
  };
  return definition;
}

}  // namespace shipway
