// LayerNormalization: normalises the trailing axes to mean 0 and variance 1, then scales and
// shifts.
#include "operators/operator.h"

namespace shipway {

const Operator& layer_normalization_operator() {
  static const Operator definition{
      .name = "LayerNormalization",
      .summary = "Normalises the trailing axes to mean 0 and variance 1, then scales and shifts.",
      .versions = {{.since = 17,
                    .signature = "(X: T, Scale: T, B?: T) -> (Y: T, Mean?: U, InvStdDev?: U)",
                    .types = "T: floats bfloat16; U: float bfloat16",
                    .attributes = "axis: int = -1; epsilon: float = 1e-05; stash_type: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
