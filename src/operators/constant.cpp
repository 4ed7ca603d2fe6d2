// Constant: a tensor written into the model itself.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "sparse_value: sparse_tensor?; value: tensor?; value_float: float?; "
    "value_floats: floats?; value_int: int?; value_ints: ints?; value_string: string?; "
    "value_strings: strings?";

}  // namespace

const Operator& constant_operator() {
  static const Operator definition{
      .name = "Constant",
      .summary = "A tensor written into the model itself.",
      .versions = {{.since = 1,
                    .signature = "() -> (output: T)",
                    .types = "T: floats",
                    .attributes = "value: tensor!"},
                   {.since = 9,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "value: tensor!"},
                   {.since = 11,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "sparse_value: sparse_tensor?; value: tensor?"},
                   {.since = 12,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = kAttributes},
                   {.since = 19,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir9",
                    .attributes = kAttributes},
                   {.since = 21,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir10",
                    .attributes = kAttributes},
                   {.since = 23,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir11",
                    .attributes = kAttributes},
                   {.since = 24,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir12",
                    .attributes = kAttributes},
                   {.since = 25,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir13",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
