// InstanceNormalization: normalises every channel of every sample by its own statistics.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(input: T, scale: T, B: T) -> (output: T)";

}  // namespace

const Operator& instance_normalization_operator() {
  static const Operator definition{
      .name = "InstanceNormalization",
      .summary = "Normalises every channel of every sample by its own statistics.",
      .versions = {{.since = 1,
                    .signature = kSignature,
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; epsilon: float = 1e-05"},
                   {.since = 6,
                    .signature = kSignature,
                    .types = "T: floats",
                    .attributes = "epsilon: float = 1e-05"},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T: floats bfloat16",
                    .attributes = "epsilon: float = 1e-05"}},
  };
  return definition;
}

}  // namespace shipway
