// Transpose: changes the order of axes.
#include "operators/operator.h"

namespace shipway {

const Operator& transpose_operator() {
  static const Operator definition{
      .name = "Transpose",
      .summary = "Changes the order of axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir3",
                    .attributes = "perm: ints?"},
                   {.since = 13,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir4",
                    .attributes = "perm: ints?"},
                   {.since = 21,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir10",
                    .attributes = "perm: ints?"},
                   {.since = 23,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir11",
                    .attributes = "perm: ints?"},
                   {.since = 24,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir12",
                    .attributes = "perm: ints?"},
                   {.since = 25,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir13",
                    .attributes = "perm: ints?"}},
  };
  return definition;
}

}  // namespace shipway
