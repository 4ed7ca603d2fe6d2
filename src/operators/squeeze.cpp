// Squeeze: removes axes of size one.
#include "operators/operator.h"

namespace shipway {

const Operator& squeeze_operator() {
  static const Operator definition{
      .name = "Squeeze",
      .summary = "Removes axes of size one.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (squeezed: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints?"},
                   {.since = 11,
                    .signature = "(data: T) -> (squeezed: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints?"},
                   {.since = 13,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir4"},
                   {.since = 21,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir10"},
                   {.since = 23,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir11"},
                   {.since = 24,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir12"},
                   {.since = 25,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir13"}},
  };
  return definition;
}

}  // namespace shipway
