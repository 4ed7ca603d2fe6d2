// Resize: changes the size of a picture or volume by interpolation.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributesSince11 =
    "coordinate_transformation_mode: string = 'half_pixel'; "
    "cubic_coeff_a: float = -0.75; exclude_outside: int = 0; "
    "extrapolation_value: float = 0.0; mode: string = 'nearest'; "
    "nearest_mode: string = 'round_prefer_floor'";
constexpr std::string_view kSignature =
    "(X: T1, roi?: T2, scales?: float, sizes?: int64) -> (Y: T1)";
constexpr std::string_view kAttributesSince18 =
    "antialias: int = 0; axes: ints?; "
    "coordinate_transformation_mode: string = 'half_pixel'; "
    "cubic_coeff_a: float = -0.75; exclude_outside: int = 0; "
    "extrapolation_value: float = 0.0; keep_aspect_ratio_policy: string = 'stretch'; "
    "mode: string = 'nearest'; nearest_mode: string = 'round_prefer_floor'";

}  // namespace

const Operator& resize_operator() {
  static const Operator definition{
      .name = "Resize",
      .summary = "Changes the size of a picture or volume by interpolation.",
      .versions = {{.since = 10,
                    .signature = "(X: T, scales: float) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'"},
                   {.since = 11,
                    .signature = "(X: T1, roi: T2, scales: float, sizes?: int64) -> (Y: T1)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = kAttributesSince11},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T1: all_ir4; T2: floats",
                    .attributes = kAttributesSince11},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T1: all_ir4; T2: floats",
                    .attributes = kAttributesSince18},
                   {.since = 19,
                    .signature = kSignature,
                    .types = "T1: all_ir4; T2: floats",
                    .attributes = kAttributesSince18}},
  };
  return definition;
}

}  // namespace shipway
