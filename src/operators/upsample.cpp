// Upsample: enlarges by nearest neighbours or linear interpolation; Resize took its place.
#include "operators/operator.h"

namespace shipway {

const Operator& upsample_operator() {
  static const Operator definition{
      .name = "Upsample",
      .summary = "Enlarges by nearest neighbours or linear interpolation; Resize took its place.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats int32 int64 bool",
                    .attributes =
                        "height_scale: float!; mode: string = 'nearest'; width_scale: float!",
                    .experimental = true},
                   {.since = 7,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'; scales: floats!"},
                   {.since = 9,
                    .signature = "(X: T, scales: float) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'"},
                   {.since = 10,
                    .signature = "(X: T, scales: float) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'",
                    .deprecated = true}},
  };
  return definition;
}

}  // namespace shipway
