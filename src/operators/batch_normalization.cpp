// BatchNormalization: shifts and scales every channel by statistics of the batch or by stored ones.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(X: T, scale: T, B: T, mean: T, var: T) -> (Y: T, mean?: T, var?: T, "
    "saved_mean?: T, saved_var?: T)";
constexpr std::string_view kAttributes =
    "epsilon: float = 1e-05; momentum: float = 0.9; training_mode: int = 0";

}  // namespace

const Operator& batch_normalization_operator() {
  static const Operator definition{
      .name = "BatchNormalization",
      .summary = "Shifts and scales every channel by statistics of the batch or by stored ones.",
      .versions =
          {{.since = 1,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "consumed_inputs: ints!; epsilon: float = 1e-05; is_test: int = 0; "
                          "momentum: float = 0.9; spatial: int = 1"},
           {.since = 6,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "epsilon: float = 1e-05; is_test: int = 0; momentum: float = 0.9; "
                          "spatial: int = 1"},
           {.since = 7,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "epsilon: float = 1e-05; momentum: float = 0.9; spatial: int = 1"},
           {.since = 9,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "epsilon: float = 1e-05; momentum: float = 0.9"},
           {.since = 14,
            .signature =
                "(X: T, scale: T, B: T, input_mean: U, input_var: U) -> (Y: T, running_mean?: U, "
                "running_var?: U)",
            .types = "T: floats bfloat16; U: floats bfloat16",
            .attributes = kAttributes},
           {.since = 15,
            .signature = "(X: T, scale: T1, B: T1, input_mean: T2, input_var: T2) -> (Y: T, "
                         "running_mean?: T2, running_var?: T2)",
            .types = "T: floats bfloat16; T1: floats bfloat16; T2: floats bfloat16",
            .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
