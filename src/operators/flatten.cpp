// Flatten: folds all axes into two, split at a given axis.
#include "operators/operator.h"

namespace shipway {

const Operator& flatten_operator() {
  static const Operator definition{
      .name = "Flatten",
      .summary = "Folds all axes into two, split at a given axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 9,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 1"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int = 1"},
                   {.since = 21,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir10",
                    .attributes = "axis: int = 1"},
                   {.since = 23,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir11",
                    .attributes = "axis: int = 1"},
                   {.since = 24,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir12",
                    .attributes = "axis: int = 1"},
                   {.since = 25,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir13",
                    .attributes = "axis: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
