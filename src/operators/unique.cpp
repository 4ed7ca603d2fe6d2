// Unique: distinct elements or slices, with first positions, inverse and counts.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(X: T) -> (Y: T, indices?: int64, inverse_indices?: int64, counts?: int64)";

}  // namespace

const Operator& unique_operator() {
  static const Operator definition{
      .name = "Unique",
      .summary = "Distinct elements or slices, with first positions, inverse and counts.",
      .versions = {{.since = 11,
                    .signature = kSignature,
                    .types = "T: all_ir3",
                    .attributes = "axis: int?; sorted: int = 1"},
                   {.since = 28,
                    .signature = kSignature,
                    .types = "T: all_ir4",
                    .attributes = "axis: int?; sorted: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
