// DFT: discrete Fourier transform along one axis, forwards or back.
#include "operators/operator.h"

namespace shipway {

const Operator& dft_operator() {
  static const Operator definition{
      .name = "DFT",
      .summary = "Discrete Fourier transform along one axis, forwards or back.",
      .versions = {{.since = 17,
                    .signature = "(input: T1, dft_length?: T2) -> (output: T1)",
                    .types = "T1: floats bfloat16; T2: int32 int64",
                    .attributes = "axis: int = 1; inverse: int = 0; onesided: int = 0"},
                   {.since = 20,
                    .signature = "(input: T1, dft_length?: T2, axis?: int64) -> (output: T1)",
                    .types = "T1: floats bfloat16; T2: int32 int64",
                    .attributes = "inverse: int = 0; onesided: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
