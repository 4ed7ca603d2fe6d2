// GatherND: picks slices by index tuples over the leading axes.
#include "operators/operator.h"

namespace shipway {

const Operator& gather_nd_operator() {
  static const Operator definition{
      .name = "GatherND",
      .summary = "Picks slices by index tuples over the leading axes.",
      .versions = {{.since = 11,
                    .signature = "(data: T, indices: int64) -> (output: T)",
                    .types = "T: all_ir3"},
                   {.since = 12,
                    .signature = "(data: T, indices: int64) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "batch_dims: int = 0"},
                   {.since = 13,
                    .signature = "(data: T, indices: int64) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "batch_dims: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
