// RoiAlign: samples given regions on a regular grid by bilinear interpolation and pools each bin.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(X: T1, rois: T1, batch_indices: T2) -> (Y: T1)";
constexpr std::string_view kAttributes =
    "coordinate_transformation_mode: string = 'half_pixel'; mode: string = 'avg'; "
    "output_height: int = 1; output_width: int = 1; sampling_ratio: int = 0; "
    "spatial_scale: float = 1.0";

}  // namespace

const Operator& roi_align_operator() {
  static const Operator definition{
      .name = "RoiAlign",
      .summary =
          "Samples given regions on a regular grid by bilinear interpolation and pools each bin.",
      .versions = {{.since = 10,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes =
                        "mode: string = 'avg'; output_height: int = 1; output_width: int = 1; "
                        "sampling_ratio: int = 0; spatial_scale: float = 1.0"},
                   {.since = 16,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T1: floats bfloat16; T2: int64",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
