// Concat: joins tensors end to end along one axis.
#include "operators/operator.h"

namespace shipway {

const Operator& concat_operator() {
  static const Operator definition{
      .name = "Concat",
      .summary = "Joins tensors end to end along one axis.",
      .versions = {{.since = 1,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: floats",
                    .attributes = "axis: int?"},
                   {.since = 4,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int!"},
                   {.since = 11,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int!"},
                   {.since = 13,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int!"}},
  };
  return definition;
}

}  // namespace shipway
