// Col2Im: adds columns of blocks back into the picture they were cut from.
#include "operators/operator.h"

namespace shipway {

const Operator& col2im_operator() {
  static const Operator definition{
      .name = "Col2Im",
      .summary = "Adds columns of blocks back into the picture they were cut from.",
      .versions = {{.since = 18,
                    .signature =
                        "(input: T, image_shape: int64, block_shape: int64) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "dilations: ints?; pads: ints?; strides: ints?"}},
  };
  return definition;
}

}  // namespace shipway
