// MelWeightMatrix: triangular filters that turn a spectrum into mel bands.
#include "operators/operator.h"

namespace shipway {

const Operator& mel_weight_matrix_operator() {
  static const Operator definition{
      .name = "MelWeightMatrix",
      .summary = "Triangular filters that turn a spectrum into mel bands.",
      .versions = {{.since = 17,
                    .signature =
                        "(num_mel_bins: T1, dft_length: T1, sample_rate: T1, lower_edge_hertz: T2, "
                        "upper_edge_hertz: T2) -> (output: T3)",
                    .types = "T1: int32 int64; T2: floats bfloat16; T3: numeric bfloat16",
                    .attributes = "output_datatype: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
