// MaxRoiPool: largest element of each bin of given regions.
#include "operators/operator.h"

namespace shipway {

const Operator& max_roi_pool_operator() {
  static const Operator definition{
      .name = "MaxRoiPool",
      .summary = "Largest element of each bin of given regions.",
      .versions = {{.since = 1,
                    .signature = "(X: T, rois: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "pooled_shape: ints!; spatial_scale: float = 1.0"},
                   {.since = 22,
                    .signature = "(X: T, rois: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "pooled_shape: ints!; spatial_scale: float = 1.0"}},
  };
  return definition;
}

}  // namespace shipway
