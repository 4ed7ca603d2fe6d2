// GridSample: samples a picture at the positions that a grid names.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "align_corners: int = 0; mode: string = 'linear'; padding_mode: string = 'zeros'";

}  // namespace

const Operator& grid_sample_operator() {
  static const Operator definition{
      .name = "GridSample",
      .summary = "Samples a picture at the positions that a grid names.",
      .versions = {{.since = 16,
                    .signature = "(X: T1, grid: T2) -> (Y: T1)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = "align_corners: int = 0; mode: string = 'bilinear'; "
                                  "padding_mode: string = 'zeros'"},
                   {.since = 20,
                    .signature = "(X: T1, grid: T2) -> (Y: T1)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = "(X: T1, grid: T2) -> (Y: T1)",
                    .types = "T1: all_ir4; T2: floats bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
