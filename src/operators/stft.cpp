// STFT: Fourier transform of overlapping windowed frames of a signal.
#include "operators/operator.h"

namespace shipway {

const Operator& stft_operator() {
  static const Operator definition{
      .name = "STFT",
      .summary = "Fourier transform of overlapping windowed frames of a signal.",
      .versions =
          {{.since = 17,
            .signature =
                "(signal: T1, frame_step: T2, window?: T1, frame_length?: T2) -> (output: T1)",
            .types = "T1: floats bfloat16; T2: int32 int64",
            .attributes = "onesided: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
