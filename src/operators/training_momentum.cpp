// Momentum: one step of gradient descent with momentum for each tensor.
#include "operators/operator.h"

namespace shipway {

const Operator& momentum_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview.training",
      .name = "Momentum",
      .summary = "One step of gradient descent with momentum for each tensor.",
      .versions = {{.since = 1,
                    .signature = "(R: T1, T: T2, inputs...~: T3) -> (outputs...~: T3)",
                    .types = "T1: float double; T2: int64; T3: float double",
                    .attributes =
                        "alpha: float!; beta: float!; mode: string!; norm_coefficient: float!"}},
  };
  return definition;
}

}  // namespace shipway
