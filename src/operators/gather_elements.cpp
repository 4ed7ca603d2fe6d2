// GatherElements: picks single elements along one axis by an index of the result's shape.
#include "operators/operator.h"

namespace shipway {

const Operator& gather_elements_operator() {
  static const Operator definition{
      .name = "GatherElements",
      .summary = "Picks single elements along one axis by an index of the result's shape.",
      .versions = {{.since = 11,
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
