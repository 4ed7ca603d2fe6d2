// Where: takes elements from one of two tensors as a condition says, broadcasting.
#include "operators/operator.h"

namespace shipway {

const Operator& where_operator() {
  static const Operator definition{
      .name = "Where",
      .summary = "Takes elements from one of two tensors as a condition says, broadcasting.",
      .versions = {{.since = 9,
                    .signature = "(condition: B, X: T, Y: T) -> (output: T)",
                    .types = "B: bool; T: all_ir3"},
                   {.since = 16,
                    .signature = "(condition: B, X: T, Y: T) -> (output: T)",
                    .types = "B: bool; T: all_ir4"}},
  };
  return definition;
}

}  // namespace shipway
