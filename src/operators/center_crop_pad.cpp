// CenterCropPad: crops or zero-pads around the centre to a wanted size.
#include "operators/operator.h"

namespace shipway {

const Operator& center_crop_pad_operator() {
  static const Operator definition{
      .name = "CenterCropPad",
      .summary = "Crops or zero-pads around the centre to a wanted size.",
      .versions = {{.since = 18,
                    .signature = "(input_data: T, shape: Tind) -> (output_data: T)",
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axes: ints?"}},
  };
  return definition;
}

}  // namespace shipway
