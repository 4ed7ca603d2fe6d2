// Linear models: LinearClassifier, LinearRegressor.
#include "operators/operator.h"

namespace shipway {

const Operator& linear_classifier_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "LinearClassifier",
      .summary = "Class scores as linear functions of the features, and the best class.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2, Z: float)",
            .types = "T1: float int32 int64 double; T2: int64 string",
            .attributes =
                "classlabels_ints: ints?; classlabels_strings: strings?; coefficients: floats!; "
                "intercepts: floats?; multi_class: int = 0; post_transform: string = 'NONE'"}},
  };
  return definition;
}

const Operator& linear_regressor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "LinearRegressor",
      .summary = "Linear functions of the features.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes =
                "coefficients: floats?; intercepts: floats?; post_transform: string = 'NONE'; "
                "targets: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
