// Resize, Upsample, GridSample, AffineGrid, RoiAlign: what samples pictures between their elements.
#include "operators/resize.h"

#include <gmock/gmock.h>

#include "operators/testing.h"

namespace shipway {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

Tensor floats(Shape shape, std::initializer_list<float> values) {
  return Tensor::from<float>(std::move(shape), values);
}
Tensor scales(std::initializer_list<float> values) {
  return floats({static_cast<int64_t>(values.size())}, values);
}

TEST(Resize, InfersSizesFromScalesAsExpressions) {
  const char* x = "float[N,3,H,W]";
  EXPECT_EQ(inferred("Resize", {x, "", scales({1, 1, 3, 3})}), "float[N,3,H*3,W*3]");
  EXPECT_EQ(inferred("Resize", {x, "", scales({1, 1, 0.5f, 1.5f})}), "float[N,3,H//2,(W*3)//2]");
  EXPECT_EQ(inferred("Resize", {"float[1,3,10,10]", "", scales({1, 1, 0.7f, 1.25f})}),
            "float[1,3,7,12]");
  EXPECT_EQ(inferred("Resize", {x, "", scales({2, 2})}, {attr("axes", {2, 3})}),
            "float[N,3,H*2,W*2]");
}

TEST(Resize, InfersSizesFromFollowedElements) {
  EXPECT_EQ(
      inferred("Resize", {"float[N,3,?,?]", "", "", InferInput("int64[4]", {"N", "3", "H", "W"})}),
      "float[N,3,H,W]");
  EXPECT_EQ(
      inferred("Resize", {"float[1,1,10,20]", "", "", Tensor::vector(std::vector<int64_t>{5, 30})},
               {attr("axes", {2, 3}), attr("keep_aspect_ratio_policy", "not_larger")}),
      "float[1,1,5,10]");
}

TEST(Resize, AnEmptyScalesInputSaysNothing) {
  EXPECT_EQ(inferred("Resize",
                     {"float[1,4]", "", scales({}), Tensor::vector(std::vector<int64_t>{1, 8})}),
            "float[1,8]");
}

TEST(Resize, SaysWhatDoesNotFit) {
  EXPECT_THAT(inferred("Resize", {"float[1,4]", "", scales({1, 1, 2})}),
              HasSubstr("input 'scales' has 3 elements, expected 2"));
  EXPECT_THAT(inferred("Resize", {"float[1,4]", "", scales({1, -2})}), HasSubstr("value -2"));
  EXPECT_THAT(inferred("Resize", {"float[1,4]"}),
              HasSubstr("neither input 'scales' nor input 'sizes'"));
  EXPECT_THAT(inferred("Resize", {"float[1,4]", "", scales({1, 2})}, {attr("mode", "area")}),
              HasSubstr("'mode' is 'area', expected one of nearest, linear, cubic"));
}

TEST(Resize, NearestMovesElementsOfAnyDType) {
  const Result<Tensor> y = evaluate_tensor(
      "Resize", {Tensor::from<std::string>({2}, {"a", "b"}), RuntimeValue(), scales({2})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(y->strings(), ElementsAre("a", "a", "b", "b"));
}

TEST(Resize, LinearAgreesWithTheFormulaOfHalfPixels) {
  // Positions (x + 0.5) / 2 - 0.5 = -0.25, 0.25, 0.75, 1.25 of {0, 8}.
  EXPECT_THAT(doubles(evaluate_tensor("Resize", {floats({2}, {0, 8}), RuntimeValue(), scales({2})},
                                      {attr("mode", "linear")})),
              ElementsAre(0, 2, 6, 8));
}

TEST(Resize, CubicReproducesALineInside) {
  // Cubic convolution with a = -0.5 is exact for linear data away from the edges.
  const Result<Tensor> y = evaluate_tensor(
      "Resize", {floats({8}, {0, 1, 2, 3, 4, 5, 6, 7}), RuntimeValue(), scales({2})},
      {attr("mode", "cubic"), attr("cubic_coeff_a", -0.5f)});
  const std::vector<double> values = doubles(y);
  ASSERT_EQ(values.size(), 16u);
  for (size_t i = 5; i < 11; ++i) EXPECT_NEAR(values[i], static_cast<double>(i) / 2 - 0.25, 1e-6);
}

TEST(Resize, AntialiasAveragesWhatItSkips) {
  // Halving with a triangle of radius 2: weights 1/8, 3/8, 3/8, 1/8 inside.
  const Result<Tensor> y =
      evaluate_tensor("Resize", {floats({6}, {0, 0, 8, 0, 0, 0}), RuntimeValue(), scales({0.5f})},
                      {attr("mode", "linear"), attr("antialias", 1)});
  EXPECT_THAT(doubles(y), Pointwise(DoubleNear(1e-6), {1.0, 3.0, 0.0}));
}

TEST(Resize, IntegersRoundAndStayInRange) {
  const Result<Tensor> y = evaluate_tensor(
      "Resize", {Tensor::from<uint8_t>({4}, {255, 0, 255, 255}), RuntimeValue(), scales({2})},
      {attr("mode", "cubic")});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  for (double value : doubles(y)) EXPECT_TRUE(value >= 0 && value <= 255);
}

TEST(Resize, CropsAndExtrapolates) {
  // The region from 0 to 2 (of 1): positions 0, 2, 4 of an axis of 3; the last lies outside.
  const Result<Tensor> y = evaluate_tensor(
      "Resize",
      {floats({3}, {1, 2, 3}), scales({0, 2}), RuntimeValue(),
       Tensor::vector(std::vector<int64_t>{3})},
      {attr("mode", "linear"), attr("coordinate_transformation_mode", "tf_crop_and_resize"),
       attr("extrapolation_value", 9.0f)});
  EXPECT_THAT(doubles(y), ElementsAre(1, 3, 9));
}

TEST(Resize, VersionTenMeansAsymmetric) {
  const auto y =
      evaluate_at(10, "Resize", {floats({2}, {0, 8}), scales({2})}, {attr("mode", "linear")});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(0, 4, 8, 8));
}

TEST(Resize, SaysHalfPixelForNearestInOtherWords) {
  // Positions (x + 0.5) / 0.4 = 1.25, 3.75 of {0, 1, 2, 3, 4}: rounded down 1, 3; rounded 1, 4.
  const auto at = [](const char* nearest) {
    return evaluate_at(11, "Resize", {floats({5}, {0, 1, 2, 3, 4}), scales({}), scales({0.4f})},
                       {attr("coordinate_transformation_mode", "tf_half_pixel_for_nn"),
                        attr("nearest_mode", nearest)});
  };
  const auto down = at("floor"), rounded = at("round_prefer_floor"), up = at("ceil");
  ASSERT_TRUE(down.is_ok()) << down.status().message();
  EXPECT_THAT(doubles(*(*down)[0].tensor()), ElementsAre(1, 3));
  ASSERT_TRUE(rounded.is_ok()) << rounded.status().message();
  EXPECT_THAT(doubles(*(*rounded)[0].tensor()), ElementsAre(1, 4));
  EXPECT_EQ(up.status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(up.status().message(), HasSubstr("tf_half_pixel_for_nn"));
}

TEST(Upsample, BecomesResize) {
  const Tensor x = floats({1, 1, 1, 2}, {0, 8});
  const auto first =
      evaluate_at(1, "Upsample", {x}, {attr("height_scale", 1.0f), attr("width_scale", 2.0f)});
  ASSERT_TRUE(first.is_ok()) << first.status().message();
  EXPECT_THAT(doubles(*(*first)[0].tensor()), ElementsAre(0, 0, 8, 8));
  const auto seventh = evaluate_at(
      7, "Upsample", {x}, {attr("scales", std::vector<float>{1, 1, 1, 2}), attr("mode", "linear")});
  ASSERT_TRUE(seventh.is_ok()) << seventh.status().message();
  EXPECT_THAT(doubles(*(*seventh)[0].tensor()), ElementsAre(0, 4, 8, 8));
  const auto ninth = evaluate_at(9, "Upsample", {x, scales({1, 1, 1, 2})});
  ASSERT_TRUE(ninth.is_ok()) << ninth.status().message();
  EXPECT_THAT(doubles(*(*ninth)[0].tensor()), ElementsAre(0, 0, 8, 8));
}

TEST(Upsample, TheDeprecatedVersionStillRuns) {
  EXPECT_THAT(doubles(evaluate_tensor("Upsample", {floats({2}, {0, 8}), scales({2})})),
              ElementsAre(0, 0, 8, 8));
}

TEST(GridSample, TheIdentityGridGivesThePictureBack) {
  const Tensor theta = floats({1, 2, 3}, {1, 0, 0, 0, 1, 0});
  for (int64_t align : {0, 1}) {
    const Result<Tensor> grid =
        evaluate_tensor("AffineGrid", {theta, Tensor::vector(std::vector<int64_t>{1, 1, 2, 3})},
                        {attr("align_corners", align)});
    ASSERT_TRUE(grid.is_ok()) << grid.status().message();
    for (const char* mode : {"nearest", "linear", "cubic"})
      EXPECT_THAT(
          doubles(evaluate_tensor("GridSample", {floats({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}), *grid},
                                  {attr("mode", mode), attr("align_corners", align)})),
          Pointwise(DoubleNear(1e-5), {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}))
          << mode << align;
  }
}

TEST(GridSample, PadsAsAsked) {
  // Far to the left of a line of two elements; -1.5 is half a pixel outside the left border.
  const auto at = [](float x, const char* padding) {
    return doubles(evaluate_tensor("GridSample",
                                   {floats({1, 1, 2}, {2, 6}), floats({1, 1, 1}, {x})},
                                   {attr("padding_mode", padding)}));
  };
  EXPECT_THAT(at(-5, "zeros"), ElementsAre(0));
  EXPECT_THAT(at(-5, "border"), ElementsAre(2));
  EXPECT_THAT(at(-2, "reflection"), ElementsAre(4));  // -1.5 thrown back at -0.5 is 0.5
  EXPECT_THAT(at(std::numeric_limits<float>::quiet_NaN(), "border"), ElementsAre(2));
}

TEST(GridSample, InfersFromPictureAndGrid) {
  EXPECT_EQ(inferred("GridSample", {"float[N,C,H,W]", "float[N,A,B,2]"}), "float[N,C,A,B]");
  EXPECT_THAT(inferred("GridSample", {"float[N,C,H,W]", "float[N,A,B,3]"}),
              HasSubstr("is 3, expected one"));
  EXPECT_EQ(inferred("AffineGrid", {"float[N,2,3]", InferInput("int64[4]", {"N", "C", "H", "W"})}),
            "float[N,H,W,2]");
}

TEST(RoiAlign, RefusesPicturesThatDoNotExist) {
  EXPECT_THAT(evaluate_tensor("RoiAlign", {floats({1, 1, 1, 1}, {1}), floats({1, 4}, {0, 0, 1, 1}),
                                           Tensor::vector(std::vector<int64_t>{1})})
                  .status()
                  .message(),
              HasSubstr("'batch_indices' has the value 1, expected 0 to 0"));
}

}  // namespace
}  // namespace shipway
