// Expand: repeats axes of size one until the tensor has the wanted shape.
#include "operators/operator.h"

namespace shipway {

const Operator& expand_operator() {
  static const Operator definition{
      .name = "Expand",
      .summary = "Repeats axes of size one until the tensor has the wanted shape.",
      .versions = {{.since = 8,
                    .signature = "(input: T, shape: int64) -> (output: T)",
                    .types = "T: all_ir3"},
                   {.since = 13,
                    .signature = "(input: T, shape: int64) -> (output: T)",
                    .types = "T: all_ir4"}},
  };
  return definition;
}

}  // namespace shipway
