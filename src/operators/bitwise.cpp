// Logic and shifts on the bits of integers, with broadcasting.
#include "operators/operator.h"

namespace shipway {

const Operator& bit_shift_operator() {
  static const Operator definition{
      .name = "BitShift",
      .summary = "Shifts the bits of each element left or right.",
      .versions = {{.since = 11,
                    .signature = "(X: T, Y: T) -> (Z: T)",
                    .types = "T: uints",
                    .attributes = "direction: string!"},
                   {.since = 28,
                    .signature = "(X: T, Y: T) -> (Z: T)",
                    .types = "T: ints uints",
                    .attributes = "direction: string!"}},
  };
  return definition;
}

const Operator& bitwise_and_operator() {
  static const Operator definition{
      .name = "BitwiseAnd",
      .summary = "Bits set in both operands, broadcasting.",
      .versions = {{.since = 18, .signature = "(A: T, B: T) -> (C: T)", .types = "T: ints uints"}},
  };
  return definition;
}

const Operator& bitwise_not_operator() {
  static const Operator definition{
      .name = "BitwiseNot",
      .summary = "Flips every bit.",
      .versions = {{.since = 18, .signature = "(X: T) -> (Y: T)", .types = "T: ints uints"}},
  };
  return definition;
}

const Operator& bitwise_or_operator() {
  static const Operator definition{
      .name = "BitwiseOr",
      .summary = "Bits set in either operand, broadcasting.",
      .versions = {{.since = 18, .signature = "(A: T, B: T) -> (C: T)", .types = "T: ints uints"}},
  };
  return definition;
}

const Operator& bitwise_xor_operator() {
  static const Operator definition{
      .name = "BitwiseXor",
      .summary = "Bits set in exactly one operand, broadcasting.",
      .versions = {{.since = 18, .signature = "(A: T, B: T) -> (C: T)", .types = "T: ints uints"}},
  };
  return definition;
}

}  // namespace shipway
