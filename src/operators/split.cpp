// Split: cuts a tensor into pieces along one axis.
#include "operators/operator.h"

namespace shipway {

const Operator& split_operator() {
  static const Operator definition{
      .name = "Split",
      .summary = "Cuts a tensor into pieces along one axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T, split?: T) -> (outputs......: T)",
                    .types = "T: floats",
                    .attributes = "axis: int?; split: ints?"},
                   {.since = 2,
                    .signature = "(input: T) -> (outputs...: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 0; split: ints?"},
                   {.since = 11,
                    .signature = "(input: T) -> (outputs...: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 0; split: ints?"},
                   {.since = 13,
                    .signature = "(input: T, split?: int64) -> (outputs...: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int = 0"},
                   {.since = 18,
                    .signature = "(input: T, split?: int64) -> (outputs...: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int = 0; num_outputs: int?"}},
  };
  return definition;
}

}  // namespace shipway
