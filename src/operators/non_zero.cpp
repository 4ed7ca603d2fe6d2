// NonZero: indices of all elements that are not zero.
#include "operators/operator.h"

namespace shipway {

const Operator& non_zero_operator() {
  static const Operator definition{
      .name = "NonZero",
      .summary = "Indices of all elements that are not zero.",
      .versions = {{.since = 9, .signature = "(X: T) -> (Y: int64)", .types = "T: all_ir3"},
                   {.since = 13, .signature = "(X: T) -> (Y: int64)", .types = "T: all_ir4"}},
  };
  return definition;
}

}  // namespace shipway
