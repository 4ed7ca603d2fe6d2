// Gradient: derivatives of one value of a graph with respect to others.
#include "operators/operator.h"

namespace shipway {

const Operator& gradient_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview.training",
      .name = "Gradient",
      .summary = "Derivatives of one value of a graph with respect to others.",
      .versions = {{.since = 1,
                    .signature = "(Inputs...~: T1) -> (Outputs...~: T2)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = "xs: strings!; y: string!; zs: strings?"}},
  };
  return definition;
}

}  // namespace shipway
