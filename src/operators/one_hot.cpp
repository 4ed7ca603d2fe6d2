// OneHot: writes an on value at each index and an off value elsewhere along a new axis.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(indices: T1, depth: T2, values: T3) -> (output: T3)";

}  // namespace

const Operator& one_hot_operator() {
  static const Operator definition{
      .name = "OneHot",
      .summary = "Writes an on value at each index and an off value elsewhere along a new axis.",
      .versions = {{.since = 9,
                    .signature = kSignature,
                    .types = "T1: numeric; T2: numeric; T3: all_ir3",
                    .attributes = "axis: int = -1"},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T1: numeric; T2: numeric; T3: all_ir3",
                    .attributes = "axis: int = -1"},
                   {.since = 28,
                    .signature = kSignature,
                    .types = "T1: numeric; T2: numeric; T3: all_ir4",
                    .attributes = "axis: int = -1"}},
  };
  return definition;
}

}  // namespace shipway
