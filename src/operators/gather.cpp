// Gather: picks slices along one axis by index.
#include "operators/operator.h"

namespace shipway {

const Operator& gather_operator() {
  static const Operator definition{
      .name = "Gather",
      .summary = "Picks slices along one axis by index.",
      .versions = {{.since = 1,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 11,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 13,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
