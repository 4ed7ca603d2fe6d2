// Dropout: zeroes random elements while training; hands its input on otherwise.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(data: T, ratio?: T1, training_mode?: T2) -> (output: T, mask?: T2)";

}  // namespace

const Operator& dropout_operator() {
  static const Operator definition{
      .name = "Dropout",
      .summary = "Zeroes random elements while training; hands its input on otherwise.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (output: T, mask?: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; is_test: int = 0; ratio: float = 0.5"},
                   {.since = 6,
                    .signature = "(data: T) -> (output: T, mask?: T)",
                    .types = "T: floats",
                    .attributes = "is_test: int = 0; ratio: float = 0.5"},
                   {.since = 7,
                    .signature = "(data: T) -> (output: T, mask?: T)",
                    .types = "T: floats",
                    .attributes = "ratio: float = 0.5"},
                   {.since = 10,
                    .signature = "(data: T) -> (output: T, mask?: T1)",
                    .types = "T: floats; T1: bool",
                    .attributes = "ratio: float = 0.5"},
                   {.since = 12,
                    .signature = kSignature,
                    .types = "T: floats; T1: floats; T2: bool",
                    .attributes = "seed: int?"},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: floats bfloat16; T1: floats; T2: bool",
                    .attributes = "seed: int?"},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T: floats float8s bfloat16; T1: floats float8s bfloat16; T2: bool",
                    .attributes = "seed: int?"}},
  };
  return definition;
}

}  // namespace shipway
