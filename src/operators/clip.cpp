// Clip: keeps every element between a lower and an upper bound.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(input: T, min?: T, max?: T) -> (output: T)";

}  // namespace

const Operator& clip_operator() {
  static const Operator definition{
      .name = "Clip",
      .summary = "Keeps every element between a lower and an upper bound.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; max: float?; min: float?"},
                   {.since = 6,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "max: float = 3.4028235e+38; min: float = -3.4028235e+38"},
                   {.since = 11, .signature = kSignature, .types = "T: floats"},
                   {.since = 12, .signature = kSignature, .types = "T: numeric"},
                   {.since = 13, .signature = kSignature, .types = "T: numeric bfloat16"}},
  };
  return definition;
}

}  // namespace shipway
