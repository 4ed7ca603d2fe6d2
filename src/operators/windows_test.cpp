// Conv, ConvTranspose, pools, MaxUnpool, DeformConv: what slides windows.
#include "operators/windows.h"

#include <gmock/gmock.h>

#include "operators/testing.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor ramp(Shape shape, float first = 0) {
  Tensor tensor = Tensor::allocate(DType::kFloat32, std::move(shape)).value_or_throw();
  for (float& value : tensor.mutable_as<float>()) value = first++;
  return tensor;
}

Tensor ones(Shape shape) {
  Tensor tensor = Tensor::allocate(DType::kFloat32, std::move(shape)).value_or_throw();
  for (float& value : tensor.mutable_as<float>()) value = 1;
  return tensor;
}

// y[o] = sum over c, k of w[c, k] * x[c, o * stride + k * dilation - pad], as its definition reads,
// for a batch of one and one group.
std::vector<double> conv_by_definition(const Tensor& x, const Tensor& w, int64_t stride,
                                       int64_t pad, int64_t dilation) {
  const int64_t height = x.dim(2), width = x.dim(3), kernel = w.dim(2);
  const int64_t rows = (height + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  const int64_t columns = (width + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  std::vector<double> y;
  for (int64_t m = 0; m < w.dim(0); ++m)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (int64_t c = 0; c < x.dim(1); ++c)
          for (int64_t k = 0; k < kernel * kernel; ++k) {
            const int64_t row = i * stride + k / kernel * dilation - pad;
            const int64_t column = j * stride + k % kernel * dilation - pad;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const auto at = static_cast<size_t>((c * height + row) * width + column);
            const auto tap = static_cast<size_t>((m * x.dim(1) + c) * kernel * kernel + k);
            sum += static_cast<double>(x.as<float>()[at]) * static_cast<double>(w.as<float>()[tap]);
          }
        y.push_back(sum);
      }
  return y;
}

TEST(Conv, FollowsItsDefinitionForStridesPadsAndDilations) {
  const Tensor x = ramp({1, 2, 7, 9}, -20), w = ramp({5, 2, 3, 3}, -4);
  for (int64_t stride : {1, 2, 3})
    for (int64_t pad : {0, 1, 2})
      for (int64_t dilation : {1, 2}) {
        const Result<Tensor> y =
            evaluate_tensor("Conv", {x, w},
                            {attr("strides", {stride, stride}), attr("pads", {pad, pad, pad, pad}),
                             attr("dilations", {dilation, dilation})});
        EXPECT_EQ(doubles(y), conv_by_definition(x, w, stride, pad, dilation))
            << stride << " " << pad << " " << dilation;
      }
}

TEST(Conv, GivesTheSameInEveryDType) {
  const Tensor x = ramp({1, 2, 4, 4}, -3), w = ramp({2, 2, 2, 2}, -2);
  const std::vector<double> expected = doubles(evaluate_tensor("Conv", {x, w}));
  for (DType dtype : {DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    const auto as = [&](const Tensor& tensor) {
      return from_doubles(dtype, tensor.shape(), *to_doubles(tensor)).value_or_throw();
    };
    const Result<Tensor> y = evaluate_tensor("Conv", {as(x), as(w)});
    ASSERT_TRUE(y.is_ok()) << y.status().message();
    EXPECT_EQ(y->dtype(), dtype);
    const std::vector<double> values = doubles(y);
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(values[i], expected[i], std::abs(expected[i]) / 128) << to_string(dtype);
  }
}

TEST(Conv, GroupsSeeTheirOwnChannels) {
  // Two channels, two groups, 1x1 filters 10 and 100.
  const Result<Tensor> y =
      evaluate_tensor("Conv",
                      {Tensor::from<float>({1, 2, 2}, {1, 2, 3, 4}),
                       Tensor::from<float>({2, 1, 1}, {10, 100}), Tensor::from<float>({2}, {1, 2})},
                      {attr("group", 2)});
  EXPECT_THAT(doubles(y), ElementsAre(11, 21, 302, 402));
}

TEST(Conv, TakesAnEmptyBatch) {
  const Result<Tensor> y = evaluate_tensor("Conv", {ramp({0, 2, 4, 4}), ramp({3, 2, 3, 3})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ(y->shape(), (Shape{0, 3, 2, 2}));
}

TEST(Conv, InfersSizesAsExpressions) {
  const std::vector<InferInput> inputs{"float[N,3,H,W]", "float[8,3,3,3]"};
  EXPECT_EQ(inferred("Conv", inputs), "float[N,8,H - 2,W - 2]");
  EXPECT_EQ(inferred("Conv", inputs, {attr("pads", {1, 1, 1, 1})}), "float[N,8,H,W]");
  EXPECT_EQ(inferred("Conv", inputs, {attr("auto_pad", "SAME_UPPER"), attr("strides", {2, 2})}),
            "float[N,8,(H + 1)//2,(W + 1)//2]");
  EXPECT_EQ(inferred("Conv", {"float[N,3,H,W]", "float"}), "float[N,?,?,?]");
}

TEST(Conv, SaysWhatDoesNotFit) {
  EXPECT_THAT(inferred("Conv", {"float[1,3,8,8]", "float[8,4,3,3]"}),
              HasSubstr("'X' has 3 channels"));
  EXPECT_THAT(inferred("Conv", {"float[1,3,1,8]", "float[8,3,3,3]"}),
              HasSubstr("spans 3 elements"));
  EXPECT_THAT(inferred("Conv", {"float[1,3,8,8]", "float[8,3,3,3]"}, {attr("pads", {1, 1, 1})}),
              HasSubstr("'pads' has 3 values, expected 4"));
  EXPECT_THAT(inferred("Conv", {"float[1,3,8,8]", "float[8,3,3,3]"}, {attr("strides", {0, 1})}),
              HasSubstr("'strides' has the value 0"));
  EXPECT_THAT(
      inferred("Conv", {"float[1,3,8,8]", "float[8,3,3,3]"}, {attr("kernel_shape", {5, 5})}),
      HasSubstr("'kernel_shape' is 5x5, but the weights have 3x3"));
  const auto message = [](std::vector<RuntimeValue> inputs, std::vector<Attribute> attributes) {
    return evaluate_tensor("Conv", inputs, std::move(attributes)).status().message();
  };
  EXPECT_THAT(message({ramp({1, 3, 8, 8}), ramp({8, 3, 3, 3})}, {attr("group", 2)}),
              HasSubstr("do not fit 2 groups"));
  EXPECT_THAT(message({ramp({1, 3, 2, 8}), ramp({8, 3, 3, 3})}, {}), HasSubstr("a window spans 3"));
  EXPECT_THAT(message({ramp({1, 3, 8, 8}), ramp({8, 3, 3, 3}), ramp({7})}, {}),
              HasSubstr("expected [8]"));
}

TEST(ConvTranspose, IsTheTransposeOfConv) {
  // <conv(x), z> = <x, conv_transpose(z)> for every x and z, with the same weights.
  const Tensor x = ramp({1, 2, 6, 5}, -7), w = ramp({3, 2, 3, 2}, -5), z = ramp({1, 3, 3, 2}, -4);
  const std::vector<Attribute> attributes{attr("strides", {2, 2}), attr("pads", {1, 0, 1, 0})};
  const std::vector<double> y = doubles(evaluate_tensor("Conv", {x, w}, attributes));
  std::vector<Attribute> back = attributes;
  back.push_back(attr("output_padding", {1, 1}));
  const std::vector<double> t = doubles(evaluate_tensor("ConvTranspose", {z, w}, back));
  ASSERT_EQ(y.size(), 18u);
  ASSERT_EQ(t.size(), 60u);
  double left = 0, right = 0;
  for (size_t i = 0; i < y.size(); ++i) left += y[i] * static_cast<double>(z.as<float>()[i]);
  for (size_t i = 0; i < t.size(); ++i) right += t[i] * static_cast<double>(x.as<float>()[i]);
  EXPECT_EQ(left, right);
}

TEST(ConvTranspose, OnePixelFilterWithOutputPaddingLeavesZeros) {
  const Result<Tensor> y = evaluate_tensor(
      "ConvTranspose", {ones({1, 1, 2, 2}), ones({1, 1, 1, 1})}, {attr("output_padding", {1, 1})});
  EXPECT_THAT(doubles(y), ElementsAre(1, 1, 0, 1, 1, 0, 0, 0, 0));
}

TEST(ConvTranspose, InfersSizesAsExpressions) {
  const std::vector<InferInput> inputs{"float[N,4,H,W]", "float[4,2,2,2]"};
  EXPECT_EQ(inferred("ConvTranspose", inputs, {attr("strides", {2, 2})}), "float[N,2,H*2,W*2]");
  EXPECT_EQ(inferred("ConvTranspose", inputs, {attr("group", 2)}), "float[N,4,H + 1,W + 1]");
  EXPECT_EQ(inferred("ConvTranspose", inputs, {attr("output_shape", {7, 9})}), "float[N,2,7,9]");
  EXPECT_EQ(
      inferred("ConvTranspose", inputs, {attr("strides", {3, 3}), attr("auto_pad", "SAME_LOWER")}),
      "float[N,2,H*3,W*3]");
}

TEST(MaxPool, NamesWhereTheMaximaStand) {
  const Tensor x = Tensor::from<float>({1, 1, 2, 3}, {5, 1, 2, 3, 4, 9});
  const auto y = evaluate("MaxPool", {x}, {attr("kernel_shape", {2, 2})}, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(5, 9));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(0, 5));
  const auto columns =
      evaluate("MaxPool", {x}, {attr("kernel_shape", {2, 2}), attr("storage_order", 1)}, 2);
  EXPECT_THAT(doubles(*(*columns)[1].tensor()), ElementsAre(0, 5));  // (0, 0) and (1, 2) of 2 x 3
}

TEST(MaxPool, CountsNoWindowThatStartsInTheEndPadding) {
  // 4 elements, windows of 2, stride 3, ceil: starts 0 and 3, not 6.
  EXPECT_EQ(inferred("MaxPool", {"float[1,1,4]"},
                     {attr("kernel_shape", {2}), attr("strides", {3}), attr("ceil_mode", 1)}),
            "float[1,1,2]");
  EXPECT_EQ(inferred("MaxPool", {"float[1,1,2]"},
                     {attr("kernel_shape", {1}), attr("strides", {2}), attr("ceil_mode", 1)}),
            "float[1,1,1]");
}

TEST(MaxPool, KeepsSmallIntegers) {
  const Result<Tensor> y =
      evaluate_tensor("MaxPool", {Tensor::from<int8_t>({1, 1, 4}, {-128, -5, 7, 3})},
                      {attr("kernel_shape", {2}), attr("strides", {2})});
  EXPECT_THAT(doubles(y), ElementsAre(-5, 7));
}

TEST(AveragePool, LeavesPadsOutUnlessAskedToCountThem) {
  const std::vector<Attribute> attributes{attr("kernel_shape", {2, 2}), attr("pads", {1, 1, 0, 0})};
  const Tensor x = Tensor::from<float>({1, 1, 2, 2}, {4, 8, 12, 16});
  EXPECT_THAT(doubles(evaluate_tensor("AveragePool", {x}, attributes)), ElementsAre(4, 6, 8, 10));
  std::vector<Attribute> counting = attributes;
  counting.push_back(attr("count_include_pad", 1));
  EXPECT_THAT(doubles(evaluate_tensor("AveragePool", {x}, counting)), ElementsAre(1, 3, 4, 10));
}

TEST(LpPool, VersionOneTakesWholeFloatsAsP) {
  const std::vector<Tensor> inputs{Tensor::from<float>({1, 1, 2}, {3, 4})};
  const auto y = evaluate_at(1, "LpPool", inputs, {attr("kernel_shape", {2}), attr("p", 2.0f)});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(5));
  const auto half = evaluate_at(1, "LpPool", inputs, {attr("kernel_shape", {2}), attr("p", 1.5f)});
  EXPECT_EQ(half.status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(half.status().message(), HasSubstr("attribute 'p' is 1.5"));
}

TEST(GlobalPools, ReduceEveryPlane) {
  const Tensor x = Tensor::from<float>({1, 2, 1, 2}, {3, 4, -1, 0});
  EXPECT_THAT(doubles(evaluate_tensor("GlobalAveragePool", {x})), ElementsAre(3.5, -0.5));
  EXPECT_THAT(doubles(evaluate_tensor("GlobalMaxPool", {x})), ElementsAre(4, 0));
  EXPECT_THAT(doubles(evaluate_tensor("GlobalLpPool", {x})), ElementsAre(5, 1));
  EXPECT_EQ(inferred("GlobalAveragePool", {"float[N,C,H,W]"}), "float[N,C,1,1]");
}

TEST(MaxUnpool, RefusesPositionsOutside) {
  const Tensor x = Tensor::from<float>({1, 1, 2}, {1, 2});
  const std::vector<Attribute> attributes{attr("kernel_shape", {2}), attr("strides", {2})};
  EXPECT_THAT(doubles(evaluate_tensor("MaxUnpool", {x, Tensor::from<int64_t>({1, 1, 2}, {1, 2})},
                                      attributes)),
              ElementsAre(0, 1, 2, 0));
  EXPECT_THAT(
      evaluate_tensor("MaxUnpool", {x, Tensor::from<int64_t>({1, 1, 2}, {1, 4})}, attributes)
          .status()
          .message(),
      HasSubstr("has the value 4, expected 0 to 3"));
}

TEST(DeformConv, WithoutOffsetsIsConv) {
  const Tensor x = ramp({1, 2, 5, 4}, -9), w = ramp({3, 2, 2, 2}, -3);
  const Tensor still = Tensor::zeros(DType::kFloat32, {1, 8, 4, 3}).value_or_throw();
  EXPECT_EQ(doubles(evaluate_tensor("DeformConv", {x, w, still})),
            doubles(evaluate_tensor("Conv", {x, w})));
}

}  // namespace
}  // namespace shipway
