// ScatterElements: writes or accumulates single elements at indexed positions along an axis.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(data: T, indices: Tind, updates: T) -> (output: T)";

}  // namespace

const Operator& scatter_elements_operator() {
  static const Operator definition{
      .name = "ScatterElements",
      .summary = "Writes or accumulates single elements at indexed positions along an axis.",
      .versions = {{.since = 11,
                    .signature = kSignature,
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 16,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0; reduction: string = 'none'"},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0; reduction: string = 'none'"}},
  };
  return definition;
}

}  // namespace shipway
