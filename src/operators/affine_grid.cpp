// AffineGrid: makes the sampling positions that GridSample reads from, one affine map per picture.
#include "operators/operator.h"

namespace shipway {

const Operator& affine_grid_operator() {
  static const Operator definition{
      .name = "AffineGrid",
      .summary =
          "Makes the sampling positions that GridSample reads from, one affine map per picture.",
      .versions = {{.since = 20,
                    .signature = "(theta: T1, size: T2) -> (grid: T1)",
                    .types = "T1: floats bfloat16; T2: int64",
                    .attributes = "align_corners: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
