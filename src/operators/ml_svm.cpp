// Support vector machines: SVMClassifier, SVMRegressor.
#include "operators/operator.h"

namespace shipway {

const Operator& svm_classifier_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "SVMClassifier",
      .summary = "Support vector machine that tells classes apart.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2, Z: float)",
            .types = "T1: float int32 int64 double; T2: int64 string",
            .attributes =
                "classlabels_ints: ints?; classlabels_strings: strings?; coefficients: floats?; "
                "kernel_params: floats?; kernel_type: string = 'LINEAR'; "
                "post_transform: string = 'NONE'; prob_a: floats?; prob_b: floats?; rho: floats?; "
                "support_vectors: floats?; vectors_per_class: ints?"}},
  };
  return definition;
}

const Operator& svm_regressor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "SVMRegressor",
      .summary = "Support vector machine that predicts a number.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes =
                "coefficients: floats?; kernel_params: floats?; kernel_type: string = 'LINEAR'; "
                "n_supports: int = 0; one_class: int = 0; post_transform: string = 'NONE'; "
                "rho: floats?; support_vectors: floats?"}},
  };
  return definition;
}

}  // namespace shipway
