// Scatter: writes updates to indexed positions; the older name of ScatterElements.
#include "operators/operator.h"

namespace shipway {

const Operator& scatter_operator() {
  static const Operator definition{
      .name = "Scatter",
      .summary = "Writes updates to indexed positions; the older name of ScatterElements.",
      .versions = {{.since = 9,
                    .signature = "(data: T, indices: Tind, updates: T) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 11,
                    .signature = "(data: T, indices: Tind, updates: T) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0",
                    .deprecated = true}},
  };
  return definition;
}

}  // namespace shipway
