// FeatureVectorizer: joins tensors of different widths into one row of features.
#include "operators/operator.h"

namespace shipway {

const Operator& feature_vectorizer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "FeatureVectorizer",
      .summary = "Joins tensors of different widths into one row of features.",
      .versions = {{.since = 1,
                    .signature = "(X...: T1) -> (Y: float)",
                    .types = "T1: float int32 int64 double",
                    .attributes = "inputdimensions: ints?"}},
  };
  return definition;
}

}  // namespace shipway
