// Reshape: gives the same elements another shape.
#include "operators/operator.h"

namespace shipway {

const Operator& reshape_operator() {
  static const Operator definition{
      .name = "Reshape",
      .summary = "Gives the same elements another shape.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reshaped: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; shape: ints?"},
                   {.since = 5,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir3"},
                   {.since = 13,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir4"},
                   {.since = 14,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir4",
                    .attributes = "allowzero: int = 0"},
                   {.since = 19,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir9",
                    .attributes = "allowzero: int = 0"},
                   {.since = 21,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir10",
                    .attributes = "allowzero: int = 0"},
                   {.since = 23,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir11",
                    .attributes = "allowzero: int = 0"},
                   {.since = 24,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir12",
                    .attributes = "allowzero: int = 0"},
                   {.since = 25,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir13",
                    .attributes = "allowzero: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
