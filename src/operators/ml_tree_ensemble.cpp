// Ensembles of decision trees: TreeEnsemble and its older forms.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kTreeEnsembleClassifierTypes =
    "T1: float int32 int64 double; T2: int64 string";
constexpr std::string_view kTreeEnsembleClassifierAttributesSince3 =
    "base_values: floats?; base_values_as_tensor: tensor?; class_ids: ints?; "
    "class_nodeids: ints?; class_treeids: ints?; class_weights: floats?; "
    "class_weights_as_tensor: tensor?; classlabels_int64s: ints?; "
    "classlabels_strings: strings?; nodes_falsenodeids: ints?; "
    "nodes_featureids: ints?; nodes_hitrates: floats?; "
    "nodes_hitrates_as_tensor: tensor?; nodes_missing_value_tracks_true: ints?; "
    "nodes_modes: strings?; nodes_nodeids: ints?; nodes_treeids: ints?; "
    "nodes_truenodeids: ints?; nodes_values: floats?; nodes_values_as_tensor: tensor?; "
    "post_transform: string = 'NONE'";
constexpr std::string_view kTreeEnsembleRegressorAttributesSince3 =
    "aggregate_function: string = 'SUM'; base_values: floats?; "
    "base_values_as_tensor: tensor?; n_targets: int?; nodes_falsenodeids: ints?; "
    "nodes_featureids: ints?; nodes_hitrates: floats?; "
    "nodes_hitrates_as_tensor: tensor?; nodes_missing_value_tracks_true: ints?; "
    "nodes_modes: strings?; nodes_nodeids: ints?; nodes_treeids: ints?; "
    "nodes_truenodeids: ints?; nodes_values: floats?; nodes_values_as_tensor: tensor?; "
    "post_transform: string = 'NONE'; target_ids: ints?; target_nodeids: ints?; "
    "target_treeids: ints?; target_weights: floats?; target_weights_as_tensor: tensor?";

}  // namespace

const Operator& tree_ensemble_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "TreeEnsemble",
      .summary = "Sums, averages or compares the leaves that decision trees reach.",
      .versions =
          {{.since = 5,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes =
                "aggregate_function: int = 1; leaf_targetids: ints!; leaf_weights: tensor!; "
                "membership_values: tensor?; n_targets: int?; nodes_falseleafs: ints!; "
                "nodes_falsenodeids: ints!; nodes_featureids: ints!; nodes_hitrates: tensor?; "
                "nodes_missing_value_tracks_true: ints?; nodes_modes: tensor!; "
                "nodes_splits: tensor!; nodes_trueleafs: ints!; nodes_truenodeids: ints!; "
                "post_transform: int = 0; tree_roots: ints!"}},
  };
  return definition;
}

const Operator& tree_ensemble_classifier_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "TreeEnsembleClassifier",
      .summary = "Class scores gathered from decision trees, and the best class.",
      .versions = {{.since = 1,
                    .signature = "(X: T1) -> (Y: T2, Z: float)",
                    .types = kTreeEnsembleClassifierTypes,
                    .attributes =
                        "base_values: floats?; class_ids: ints?; class_nodeids: ints?; "
                        "class_treeids: ints?; class_weights: floats?; classlabels_int64s: ints?; "
                        "classlabels_strings: strings?; nodes_falsenodeids: ints?; "
                        "nodes_featureids: ints?; nodes_hitrates: floats?; "
                        "nodes_missing_value_tracks_true: ints?; nodes_modes: strings?; "
                        "nodes_nodeids: ints?; nodes_treeids: ints?; nodes_truenodeids: ints?; "
                        "nodes_values: floats?; post_transform: string = 'NONE'"},
                   {.since = 3,
                    .signature = "(X: T1) -> (Y: T2, Z: float)",
                    .types = kTreeEnsembleClassifierTypes,
                    .attributes = kTreeEnsembleClassifierAttributesSince3},
                   {.since = 5,
                    .signature = "(X: T1) -> (Y: T2, Z: float)",
                    .types = kTreeEnsembleClassifierTypes,
                    .attributes = kTreeEnsembleClassifierAttributesSince3,
                    .deprecated = true}},
  };
  return definition;
}

const Operator& tree_ensemble_regressor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "TreeEnsembleRegressor",
      .summary = "Predictions gathered from decision trees.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes =
                "aggregate_function: string = 'SUM'; base_values: floats?; n_targets: int?; "
                "nodes_falsenodeids: ints?; nodes_featureids: ints?; nodes_hitrates: floats?; "
                "nodes_missing_value_tracks_true: ints?; nodes_modes: strings?; "
                "nodes_nodeids: ints?; nodes_treeids: ints?; nodes_truenodeids: ints?; "
                "nodes_values: floats?; post_transform: string = 'NONE'; target_ids: ints?; "
                "target_nodeids: ints?; target_treeids: ints?; target_weights: floats?"},
           {.since = 3,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes = kTreeEnsembleRegressorAttributesSince3},
           {.since = 5,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes = kTreeEnsembleRegressorAttributesSince3,
            .deprecated = true}},
  };
  return definition;
}

}  // namespace shipway
