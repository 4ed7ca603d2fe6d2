// Trilu: keeps the upper or lower triangle of each matrix.
#include "operators/operator.h"

namespace shipway {

const Operator& trilu_operator() {
  static const Operator definition{
      .name = "Trilu",
      .summary = "Keeps the upper or lower triangle of each matrix.",
      .versions = {{.since = 14,
                    .signature = "(input: T, k?: int64) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "upper: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
