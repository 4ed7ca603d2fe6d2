// Logic on booleans, with broadcasting.
#include "operators/operator.h"

namespace shipway {

const Operator& and_operator() {
  static const Operator definition{
      .name = "And",
      .summary = "True where both operands are true, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool"}},
  };
  return definition;
}

const Operator& not_operator() {
  static const Operator definition{
      .name = "Not",
      .summary = "Turns true into false and back.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: bool"}},
  };
  return definition;
}

const Operator& or_operator() {
  static const Operator definition{
      .name = "Or",
      .summary = "True where either operand is true, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool"}},
  };
  return definition;
}

const Operator& xor_operator() {
  static const Operator definition{
      .name = "Xor",
      .summary = "True where exactly one operand is true, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool"}},
  };
  return definition;
}

}  // namespace shipway
