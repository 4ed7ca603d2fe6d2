// ReverseSequence: reverses the first so many steps of each sequence in a batch.
#include "operators/operator.h"

namespace shipway {

const Operator& reverse_sequence_operator() {
  static const Operator definition{
      .name = "ReverseSequence",
      .summary = "Reverses the first so many steps of each sequence in a batch.",
      .versions = {{.since = 10,
                    .signature = "(input: T, sequence_lens: int64) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "batch_axis: int = 1; time_axis: int = 0"},
                   {.since = 28,
                    .signature = "(input: T, sequence_lens: int64) -> (Y: T)",
                    .types = "T: all_ir4",
                    .attributes = "batch_axis: int = 1; time_axis: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
