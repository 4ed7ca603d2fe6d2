// Adam: one step of the Adam optimiser for each tensor.
#include "operators/operator.h"

namespace shipway {

const Operator& adam_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview.training",
      .name = "Adam",
      .summary = "One step of the Adam optimiser for each tensor.",
      .versions = {{.since = 1,
                    .signature = "(R: T1, T: T2, inputs...~: T3) -> (outputs...~: T3)",
                    .types = "T1: float double; T2: int64; T3: float double",
                    .attributes =
                        "alpha: float = 0.9; beta: float = 0.999; epsilon: float = 1e-06; "
                        "norm_coefficient: float = 0.0; norm_coefficient_post: float = 0.0"}},
  };
  return definition;
}

}  // namespace shipway
