// Slice: cuts ranges out of chosen axes, with steps.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(data: T, starts: Tind, ends: Tind, axes?: Tind, steps?: Tind) -> (output: T)";

}  // namespace

const Operator& slice_operator() {
  static const Operator definition{
      .name = "Slice",
      .summary = "Cuts ranges out of chosen axes, with steps.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints?; ends: ints!; starts: ints!"},
                   {.since = 10, .signature = kSignature, .types = "T: all_ir3; Tind: int32 int64"},
                   {.since = 11, .signature = kSignature, .types = "T: all_ir3; Tind: int32 int64"},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64"}},
  };
  return definition;
}

}  // namespace shipway
