// Operators of ai.onnx.ml without trees.
#include <gtest/gtest.h>

#include <cmath>

#include "operators/testing.h"

namespace shipway {
namespace {

using Doubles = std::vector<double>;
using Strings = std::vector<std::string>;
constexpr std::string_view kDomain = "ai.onnx.ml";

Tensor floats(Shape shape, std::initializer_list<float> values) {
  return Tensor::from<float>(std::move(shape), values);
}
Attribute list(std::string name, std::vector<float> values) {
  return {std::move(name), std::move(values)};
}
Attribute names(std::string name, Strings values) { return {std::move(name), std::move(values)}; }
Result<Tensor> run(std::string_view name, const std::vector<RuntimeValue>& inputs,
                   std::vector<Attribute> attributes) {
  return evaluate_tensor(name, inputs, std::move(attributes), kDomain);
}
Strings texts(const Result<Tensor>& tensor) {
  if (!tensor.is_ok()) return {tensor.status().message()};
  return {tensor->strings().begin(), tensor->strings().end()};
}

TEST(LabelEncoder, MapsKeysToValuesOrTheDefault) {
  const Tensor x = Tensor::from<float>({3}, {1, NAN, 5});
  EXPECT_EQ(
      texts(run("LabelEncoder", {x},
                {list("keys_floats", {1, NAN, 1}), names("values_strings", {"a", "b", "c"})})),
      (Strings{"c", "b", "_Unused"}));
}

TEST(LabelEncoder, NumbersTheListOfVersion1) {
  const auto result = evaluate_at(1, "LabelEncoder", {Tensor::from_strings({2}, {"b", "z"})},
                                  {names("classes_strings", {"a", "b"})}, 1, kDomain);
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(doubles(*(*result)[0].tensor()), (Doubles{1, -1}));
}

TEST(Features, AreScaledNormalisedAndFilled) {
  const Tensor x = floats({2, 2}, {3, 4, 0, 0});
  EXPECT_EQ(doubles(run("Normalizer", {x}, {attr("norm", "L1")}))[0],
            static_cast<double>(3.0f / 7));
  EXPECT_EQ(doubles(run("Normalizer", {x}, {attr("norm", "MAX")})), (Doubles{0.75, 1, 0, 0}));
  EXPECT_EQ(doubles(run("Scaler", {x}, {list("offset", {1, 2}), list("scale", {2, 3})})),
            (Doubles{4, 6, -2, -6}));
  EXPECT_FALSE(run("Scaler", {x}, {list("offset", {1, 2, 3})}).is_ok());
  EXPECT_EQ(doubles(run("Imputer", {x}, {list("imputed_value_floats", {7, 8})})),
            (Doubles{3, 4, 7, 8}));
  EXPECT_EQ(doubles(run("Binarizer", {x}, {attr("threshold", 3.0f)})), (Doubles{0, 1, 0, 0}));
  EXPECT_EQ(doubles(run("FeatureVectorizer", {x, floats({2, 1}, {5, 6})},
                        {attr("inputdimensions", {1, 2})})),
            (Doubles{3, 5, 0, 0, 6, 0}));
  EXPECT_EQ(doubles(run("ArrayFeatureExtractor", {x, Tensor::from<int64_t>({1}, {1})}, {})),
            (Doubles{4, 0}));
  EXPECT_FALSE(run("ArrayFeatureExtractor", {x, Tensor::from<int64_t>({1}, {2})}, {}).is_ok());
}

TEST(OneHotEncoder, RefusesUnknownCategoriesWhenAsked) {
  const Tensor x = Tensor::from<int64_t>({2}, {5, 9});
  EXPECT_EQ(doubles(run("OneHotEncoder", {x}, {attr("cats_int64s", {4, 5})})),
            (Doubles{0, 1, 0, 0}));
  EXPECT_FALSE(run("OneHotEncoder", {x}, {attr("cats_int64s", {4, 5}), attr("zeros", 0)}).is_ok());
}

TEST(LinearClassifier, GivesLabelsAndScores) {
  const auto result = evaluate("LinearClassifier", {floats({1, 2}, {1, 2})},
                               {list("coefficients", {1, 0, 0, 1}), list("intercepts", {0, 1}),
                                names("classlabels_strings", {"x", "y"})},
                               2, kDomain);
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ((*result)[0].tensor()->strings()[0], "y");
  EXPECT_EQ(doubles(*(*result)[1].tensor()), (Doubles{1, 3}));
}

TEST(SVMRegressor, SumsSimilarities) {
  // 2 exp(-0.5 * 1) - exp(-0.5 * 4) + 0.25
  const Doubles y = doubles(
      run("SVMRegressor", {floats({1, 1}, {0})},
          {list("coefficients", {2, -1}), list("support_vectors", {1, 2}), attr("n_supports", 2),
           attr("kernel_type", "RBF"), list("kernel_params", {0.5f, 0, 3}), list("rho", {0.25f})}));
  ASSERT_EQ(y.size(), 1u);
  EXPECT_NEAR(y[0], 2 * std::exp(-0.5) - std::exp(-2.0) + 0.25, 1e-6);
}

TEST(Maps, BecomeTensorsAndBack) {
  const Result<std::vector<RuntimeValue>> zipped = evaluate(
      "ZipMap", {floats({1, 2}, {0.25f, 0.75f})}, {attr("classlabels_int64s", {4, 2})}, 1, kDomain);
  ASSERT_TRUE(zipped.is_ok()) << zipped.status().message();
  ASSERT_TRUE((*zipped)[0].sequence());
  const RuntimeValue& map = (*(*zipped)[0].sequence())[0];
  EXPECT_EQ(doubles(run("CastMap", {map}, {})), (Doubles{0.75, 0.25}));
  EXPECT_EQ(doubles(run("CastMap", {map}, {attr("map_form", "SPARSE"), attr("max_map", 5)})),
            (Doubles{0, 0, 0.75, 0, 0.25}));
  EXPECT_FALSE(run("CastMap", {map}, {attr("map_form", "SPARSE"), attr("max_map", 3)}).is_ok());
  EXPECT_EQ(doubles(run("DictVectorizer", {map}, {attr("int64_vocabulary", {1, 2, 4})})),
            (Doubles{0, 0.75, 0.25}));
}

}  // namespace
}  // namespace shipway
