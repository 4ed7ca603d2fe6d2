// OneHotEncoder: one column per known category, one where it occurs.
#include "operators/operator.h"

namespace shipway {

const Operator& one_hot_encoder_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "OneHotEncoder",
      .summary = "One column per known category, one where it occurs.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: float)",
                    .types = "T: float int32 int64 string double",
                    .attributes = "cats_int64s: ints?; cats_strings: strings?; zeros: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
