// Arithmetic of two tensors, and of any number of them (Max, Mean, Min, Sum), with broadcasting.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes = "axis: int?; broadcast: int = 0; consumed_inputs: ints?";
constexpr std::string_view kTypes = "T: floats int32 int64 uint32 uint64 bfloat16";

}  // namespace

const Operator& add_operator() {
  static const Operator definition{
      .name = "Add",
      .summary = "Adds two tensors, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
  };
  return definition;
}

const Operator& div_operator() {
  static const Operator definition{
      .name = "Div",
      .summary = "Divides two tensors, broadcasting; integers round towards zero.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
  };
  return definition;
}

const Operator& max_operator() {
  static const Operator definition{
      .name = "Max",
      .summary = "Largest of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (max: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(data_0...: T) -> (max: T)", .types = "T: floats"},
                   {.since = 8, .signature = "(data_0...: T) -> (max: T)", .types = "T: floats"},
                   {.since = 12, .signature = "(data_0...: T) -> (max: T)", .types = "T: numeric"},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (max: T)",
                    .types = "T: numeric bfloat16"}},
  };
  return definition;
}

const Operator& mean_operator() {
  static const Operator definition{
      .name = "Mean",
      .summary = "Mean of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (mean: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(data_0...: T) -> (mean: T)", .types = "T: floats"},
                   {.since = 8, .signature = "(data_0...: T) -> (mean: T)", .types = "T: floats"},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (mean: T)",
                    .types = "T: floats bfloat16"}},
  };
  return definition;
}

const Operator& min_operator() {
  static const Operator definition{
      .name = "Min",
      .summary = "Smallest of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (min: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(data_0...: T) -> (min: T)", .types = "T: floats"},
                   {.since = 8, .signature = "(data_0...: T) -> (min: T)", .types = "T: floats"},
                   {.since = 12, .signature = "(data_0...: T) -> (min: T)", .types = "T: numeric"},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (min: T)",
                    .types = "T: numeric bfloat16"}},
  };
  return definition;
}

const Operator& mod_operator() {
  static const Operator definition{
      .name = "Mod",
      .summary = "Remainder of a division, with the divisor's or (fmod) the dividend's sign.",
      .versions = {{.since = 10,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric",
                    .attributes = "fmod: int = 0"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16",
                    .attributes = "fmod: int = 0"},
                   {.since = 28,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16",
                    .attributes = "fmod: int = 0"}},
  };
  return definition;
}

const Operator& mul_operator() {
  static const Operator definition{
      .name = "Mul",
      .summary = "Multiplies two tensors, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
  };
  return definition;
}

const Operator& pow_operator() {
  static const Operator definition{
      .name = "Pow",
      .summary = "Raises the first operand to the power of the second, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(X: T, Y: T) -> (Z: T)",
                    .types = "T: floats",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7, .signature = "(X: T, Y: T) -> (Z: T)", .types = "T: floats"},
                   {.since = 12,
                    .signature = "(X: T, Y: T1) -> (Z: T)",
                    .types = "T: floats int32 int64; T1: numeric"},
                   {.since = 13,
                    .signature = "(X: T, Y: T1) -> (Z: T)",
                    .types = "T: floats int32 int64 bfloat16; T1: numeric"},
                   {.since = 15,
                    .signature = "(X: T, Y: T1) -> (Z: T)",
                    .types = "T: floats int32 int64 bfloat16; T1: numeric bfloat16"}},
  };
  return definition;
}

const Operator& sub_operator() {
  static const Operator definition{
      .name = "Sub",
      .summary = "Subtracts two tensors, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0"},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
  };
  return definition;
}

const Operator& sum_operator() {
  static const Operator definition{
      .name = "Sum",
      .summary = "Sum of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (sum: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(data_0...: T) -> (sum: T)", .types = "T: floats"},
                   {.since = 8, .signature = "(data_0...: T) -> (sum: T)", .types = "T: floats"},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (sum: T)",
                    .types = "T: floats bfloat16"}},
  };
  return definition;
}

}  // namespace shipway
