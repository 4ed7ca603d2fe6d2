// Compress: keeps the slices (or elements) whose condition is true.
#include "operators/operator.h"

namespace shipway {

const Operator& compress_operator() {
  static const Operator definition{
      .name = "Compress",
      .summary = "Keeps the slices (or elements) whose condition is true.",
      .versions = {{.since = 9,
                    .signature = "(input: T, condition: T1) -> (output: T)",
                    .types = "T: all_ir3; T1: bool",
                    .attributes = "axis: int?"},
                   {.since = 11,
                    .signature = "(input: T, condition: T1) -> (output: T)",
                    .types = "T: all_ir3; T1: bool",
                    .attributes = "axis: int?"},
                   {.since = 28,
                    .signature = "(input: T, condition: T1) -> (output: T)",
                    .types = "T: all_ir4; T1: bool",
                    .attributes = "axis: int?"}},
  };
  return definition;
}

}  // namespace shipway
