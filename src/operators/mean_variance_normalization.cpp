// MeanVarianceNormalization: subtracts the mean and divides by the standard deviation over given
// axes.
#include "operators/operator.h"

namespace shipway {

const Operator& mean_variance_normalization_operator() {
  static const Operator definition{
      .name = "MeanVarianceNormalization",
      .summary = "Subtracts the mean and divides by the standard deviation over given axes.",
      .versions = {{.since = 9,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "axes: ints = [0, 2, 3]"},
                   {.since = 13,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axes: ints = [0, 2, 3]"}},
  };
  return definition;
}

}  // namespace shipway
