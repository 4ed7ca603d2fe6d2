// ArrayFeatureExtractor: picks columns of the last axis.
#include "operators/operator.h"

namespace shipway {

const Operator& array_feature_extractor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "ArrayFeatureExtractor",
      .summary = "Picks columns of the last axis.",
      .versions = {{.since = 1,
                    .signature = "(X: T, Y: int64) -> (Z: T)",
                    .types = "T: float int32 int64 string double"}},
  };
  return definition;
}

}  // namespace shipway
