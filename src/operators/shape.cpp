// Shape: shape of a tensor as a list of integers.
#include "operators/operator.h"

namespace shipway {

const Operator& shape_operator() {
  static const Operator definition{
      .name = "Shape",
      .summary = "Shape of a tensor as a list of integers.",
      .versions =
          {{.since = 1, .signature = "(data: T) -> (shape: T1)", .types = "T: all_ir3; T1: int64"},
           {.since = 13, .signature = "(data: T) -> (shape: T1)", .types = "T: all_ir4; T1: int64"},
           {.since = 15,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir4; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 19,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir9; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 21,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir10; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 23,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir11; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 24,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir12; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 25,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir13; T1: int64",
            .attributes = "end: int?; start: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
