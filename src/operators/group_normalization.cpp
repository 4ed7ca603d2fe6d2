// GroupNormalization: normalises groups of channels of each sample.
#include "operators/operator.h"

namespace shipway {

const Operator& group_normalization_operator() {
  static const Operator definition{
      .name = "GroupNormalization",
      .summary = "Normalises groups of channels of each sample.",
      .versions = {{.since = 18,
                    .signature = "(X: T, scale: T, bias: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "epsilon: float = 1e-05; num_groups: int!",
                    .deprecated = true},
                   {.since = 21,
                    .signature = "(X: T, scale: T, bias: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "epsilon: float = 1e-05; num_groups: int!; stash_type: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
