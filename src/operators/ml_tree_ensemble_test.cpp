// Decision trees in their three forms.
#include <gmock/gmock.h>

#include "operators/testing.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kDomain = "ai.onnx.ml";
using Strings = std::vector<std::string>;

/// One node, two leaves: feature 0 <= 0.5 gives 10, else 20; missing values go where `missing`
/// says.
std::vector<Attribute> stump(int64_t missing) {
  return {attr("n_targets", 1),
          attr("tree_roots", {0}),
          attr("nodes_featureids", {0}),
          attr("nodes_splits", Tensor::from<double>({1}, {0.5})),
          attr("nodes_modes", Tensor::from<uint8_t>({1}, {0})),
          attr("nodes_truenodeids", {0}),
          attr("nodes_falsenodeids", {1}),
          attr("nodes_trueleafs", {1}),
          attr("nodes_falseleafs", {1}),
          attr("nodes_missing_value_tracks_true", {missing}),
          attr("leaf_targetids", {0, 0}),
          attr("leaf_weights", Tensor::from<double>({2}, {10, 20}))};
}

TEST(TreeEnsemble, SendsMissingValuesWhereTheNodeSays) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = Tensor::from<double>({3, 1}, {0.5, 0.6, nan});
  EXPECT_THAT(doubles(evaluate_tensor("TreeEnsemble", {x}, stump(0), kDomain)),
              ElementsAre(10, 20, 20));
  EXPECT_THAT(doubles(evaluate_tensor("TreeEnsemble", {x}, stump(1), kDomain)),
              ElementsAre(10, 20, 10));
}

TEST(TreeEnsemble, RefusesWhatIsNoTree) {
  std::vector<Attribute> loop = stump(0);
  loop[7] = attr("nodes_trueleafs", {0});  // the node leads to itself
  EXPECT_THAT(evaluate_tensor("TreeEnsemble", {Tensor::from<double>({1, 1}, {0})}, loop, kDomain)
                  .status()
                  .message(),
              HasSubstr("node 0 can be reached in two ways"));
  std::vector<Attribute> outside = stump(0);
  outside[6] = attr("nodes_falsenodeids", {7});
  EXPECT_THAT(evaluate_tensor("TreeEnsemble", {Tensor::from<double>({1, 1}, {0})}, outside, kDomain)
                  .status()
                  .message(),
              HasSubstr("leaf 7 of 2"));
  EXPECT_THAT(evaluate_tensor("TreeEnsemble", {Tensor::from<double>({1, 0}, {})}, stump(0), kDomain)
                  .status()
                  .message(),
              HasSubstr("tests feature 0, but input 'X' has 0"));
}

std::vector<Attribute> named_stump(std::string prefix, std::vector<int64_t> ids,
                                   std::vector<float> weights) {
  return {attr("nodes_treeids", {0, 0, 0}),
          attr("nodes_nodeids", {0, 1, 2}),
          attr("nodes_featureids", {0, 0, 0}),
          attr("nodes_values", std::vector<float>{0.5f, 0, 0}),
          attr("nodes_modes", Strings{"BRANCH_LT", "LEAF", "LEAF"}),
          attr("nodes_truenodeids", {1, 0, 0}),
          attr("nodes_falsenodeids", {2, 0, 0}),
          attr(prefix + "_treeids", {0, 0}),
          attr(prefix + "_nodeids", {1, 2}),
          attr(prefix + "_ids", std::move(ids)),
          attr(prefix + "_weights", std::move(weights))};
}

TEST(TreeEnsembleRegressor, AddsTheBaseValues) {
  std::vector<Attribute> attributes = named_stump("target", {0, 0}, {10, 20});
  attributes.push_back(attr("n_targets", 1));
  attributes.push_back(attr("base_values", std::vector<float>{0.25f}));
  EXPECT_THAT(
      doubles(evaluate_tensor("TreeEnsembleRegressor", {Tensor::from<float>({2, 1}, {0, 0.5f})},
                              attributes, kDomain)),
      ElementsAre(10.25, 20.25));
}

TEST(TreeEnsembleClassifier, OneScoreDecidesBetweenTwoClasses) {
  std::vector<Attribute> attributes = named_stump("class", {0, 0}, {0.25f, 0.75f});
  attributes.push_back(attr("classlabels_strings", Strings{"no", "yes"}));
  const auto y = evaluate("TreeEnsembleClassifier", {Tensor::from<float>({2, 1}, {0, 1})},
                          attributes, 2, kDomain);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT((*y)[0].tensor()->strings(), ElementsAre("no", "yes"));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(0.75, 0.25, 0.25, 0.75));
}

TEST(TreeEnsembleClassifier, TakesTheBestOfSeveralClasses) {
  std::vector<Attribute> attributes = named_stump("class", {2, 1}, {1, 1});
  attributes.push_back(attr("classlabels_int64s", {5, 6, 7}));
  const auto y = evaluate("TreeEnsembleClassifier", {Tensor::from<float>({2, 1}, {0, 1})},
                          attributes, 2, kDomain);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(7, 6));
}

TEST(TreeEnsembleRegressor, NamesNodesThatDoNotExist) {
  std::vector<Attribute> attributes = named_stump("target", {0, 0}, {10, 20});
  attributes[6] = attr("nodes_falsenodeids", {9, 0, 0});
  EXPECT_THAT(evaluate_tensor("TreeEnsembleRegressor", {Tensor::from<float>({1, 1}, {0})},
                              attributes, kDomain)
                  .status()
                  .message(),
              HasSubstr("leads to node 9, which does not exist"));
}

}  // namespace
}  // namespace shipway
