// ScatterND: writes or accumulates slices at positions that index tuples name.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(data: T, indices: int64, updates: T) -> (output: T)";

}  // namespace

const Operator& scatter_nd_operator() {
  static const Operator definition{
      .name = "ScatterND",
      .summary = "Writes or accumulates slices at positions that index tuples name.",
      .versions = {{.since = 11, .signature = kSignature, .types = "T: all_ir3"},
                   {.since = 13, .signature = kSignature, .types = "T: all_ir4"},
                   {.since = 16,
                    .signature = kSignature,
                    .types = "T: all_ir4",
                    .attributes = "reduction: string = 'none'"},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T: all_ir4",
                    .attributes = "reduction: string = 'none'"}},
  };
  return definition;
}

}  // namespace shipway
