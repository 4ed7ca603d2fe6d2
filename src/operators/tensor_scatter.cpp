// TensorScatter: writes new steps into a key/value cache at a position per sample.
#include "operators/operator.h"

namespace shipway {

const Operator& tensor_scatter_operator() {
  static const Operator definition{
      .name = "TensorScatter",
      .summary = "Writes new steps into a key/value cache at a position per sample.",
      .versions = {{.since = 24,
                    .signature =
                        "(past_cache: T, update: T, write_indices?: int64) -> (present_cache: T)",
                    .types = "T: all_ir12",
                    .attributes = "axis: int = -2; mode: string = 'linear'"}},
  };
  return definition;
}

}  // namespace shipway
