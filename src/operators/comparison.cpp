// Comparisons of two tensors, with broadcasting.
#include "operators/operator.h"

namespace shipway {

const Operator& equal_operator() {
  static const Operator definition{
      .name = "Equal",
      .summary = "True where two elements are the same, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: int32 int64 bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: int32 int64 bool; T1: bool"},
                   {.since = 11,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bool; T1: bool"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bool bfloat16; T1: bool"},
                   {.since = 19,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric string bool bfloat16; T1: bool"}},
  };
  return definition;
}

const Operator& greater_operator() {
  static const Operator definition{
      .name = "Greater",
      .summary = "True where the first operand is larger, broadcasting.",
      .versions =
          {{.since = 1,
            .signature = "(A: T, B: T) -> (C: T1)",
            .types = "T: floats; T1: bool",
            .attributes = "axis: int?; broadcast: int = 0"},
           {.since = 7, .signature = "(A: T, B: T) -> (C: T1)", .types = "T: floats; T1: bool"},
           {.since = 9, .signature = "(A: T, B: T) -> (C: T1)", .types = "T: numeric; T1: bool"},
           {.since = 13,
            .signature = "(A: T, B: T) -> (C: T1)",
            .types = "T: numeric bfloat16; T1: bool"}},
  };
  return definition;
}

const Operator& greater_or_equal_operator() {
  static const Operator definition{
      .name = "GreaterOrEqual",
      .summary = "True where the first operand is not smaller, broadcasting.",
      .versions = {{.since = 12,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric; T1: bool"},
                   {.since = 16,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bfloat16; T1: bool"}},
  };
  return definition;
}

const Operator& less_operator() {
  static const Operator definition{
      .name = "Less",
      .summary = "True where the first operand is smaller, broadcasting.",
      .versions =
          {{.since = 1,
            .signature = "(A: T, B: T) -> (C: T1)",
            .types = "T: floats; T1: bool",
            .attributes = "axis: int?; broadcast: int = 0"},
           {.since = 7, .signature = "(A: T, B: T) -> (C: T1)", .types = "T: floats; T1: bool"},
           {.since = 9, .signature = "(A: T, B: T) -> (C: T1)", .types = "T: numeric; T1: bool"},
           {.since = 13,
            .signature = "(A: T, B: T) -> (C: T1)",
            .types = "T: numeric bfloat16; T1: bool"}},
  };
  return definition;
}

const Operator& less_or_equal_operator() {
  static const Operator definition{
      .name = "LessOrEqual",
      .summary = "True where the first operand is not larger, broadcasting.",
      .versions = {{.since = 12,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric; T1: bool"},
                   {.since = 16,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bfloat16; T1: bool"}},
  };
  return definition;
}

}  // namespace shipway
