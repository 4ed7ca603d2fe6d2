// RMSNormalization: divides by the root mean square over the trailing axes, then scales.
#include "operators/operator.h"

namespace shipway {

const Operator& rms_normalization_operator() {
  static const Operator definition{
      .name = "RMSNormalization",
      .summary = "Divides by the root mean square over the trailing axes, then scales.",
      .versions = {{.since = 23,
                    .signature = "(X: T, scale: V) -> (Y: V)",
                    .types = "T: floats bfloat16; V: floats bfloat16",
                    .attributes = "axis: int = -1; epsilon: float = 1e-05; stash_type: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
