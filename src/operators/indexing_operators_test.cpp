// Operators that choose, place and count elements. Expected values are numpy's or the ONNX
// reference's.
#include <gmock/gmock.h>

#include "operators/testing.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor ints(std::vector<int64_t> values) { return Tensor::vector(values); }
Tensor floats(Shape shape, std::vector<float> values) {
  return Tensor::from<float>(std::move(shape), std::span<const float>(values));
}
std::string message_of(std::string_view name, const std::vector<RuntimeValue>& inputs,
                       std::vector<Attribute> attributes = {}) {
  return evaluate(name, inputs, std::move(attributes)).status().message();
}

TEST(GatherElements, TakesAlongItsAxis) {
  const Tensor data = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(doubles(evaluate_tensor("GatherElements",
                                      {data, Tensor::from<int64_t>({2, 2}, {0, 0, -1, 0})},
                                      {attr("axis", 1)})),
              ElementsAre(1, 1, 4, 3));
  EXPECT_THAT(message_of("GatherElements", {data, Tensor::from<int64_t>({1, 2}, {0, 2})}),
              HasSubstr("index 2"));
}

TEST(GatherND, TakesSlicesAfterBatchAxes) {
  const Tensor data = floats({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_THAT(doubles(evaluate_tensor("GatherND", {data, Tensor::from<int64_t>({2, 1}, {1, 0})},
                                      {attr("batch_dims", 1)})),
              ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(inferred("GatherND", {"float[N,H,W]", "int64[M,2]"}), "float[M,W]");
  EXPECT_THAT(message_of("GatherND", {data, Tensor::from<int64_t>({1, 4}, {0, 0, 0, 0})}),
              HasSubstr("tuples of 4 values"));
}

TEST(ScatterElements, AddsUpdates) {
  const Tensor data = floats({1, 3}, {1, 2, 3});
  EXPECT_THAT(doubles(evaluate_tensor(
                  "ScatterElements",
                  {data, Tensor::from<int64_t>({1, 2}, {1, 1}), floats({1, 2}, {10, 20})},
                  {attr("axis", 1), attr("reduction", "add")})),
              ElementsAre(1, 32, 3));
  EXPECT_THAT(
      message_of("ScatterElements", {data, Tensor::from<int64_t>({1, 1}, {3}), floats({1, 1}, {1})},
                 {attr("axis", 1)}),
      HasSubstr("index 3"));
}

TEST(NonZero, ListsPositionsByAxis) {
  const Result<Tensor> y = evaluate_tensor("NonZero", {floats({2, 2}, {1, 0, 1, 1})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ(y->shape(), (Shape{2, 3}));
  EXPECT_THAT(doubles(y), ElementsAre(0, 1, 1, 0, 0, 1));
  EXPECT_THAT(inferred("NonZero", {"float[N,3]"}), HasSubstr("int64[2,?"));
}

TEST(NonMaxSuppression, DropsOverlappingBoxes) {
  const Tensor boxes = floats({1, 3, 4}, {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 10, 1, 11});
  const Tensor scores = floats({1, 1, 3}, {0.9f, 0.75f, 0.95f});
  const Result<Tensor> y = evaluate_tensor(
      "NonMaxSuppression",
      {boxes, scores, Tensor::scalar(int64_t{3}), Tensor::scalar(0.5f), Tensor::scalar(0.0f)});
  EXPECT_THAT(doubles(y), ElementsAre(0, 0, 2, 0, 0, 0));
}

TEST(OneHot, LeavesRowsOffForIndicesOutOfRange) {
  EXPECT_THAT(doubles(evaluate_tensor(
                  "OneHot", {ints({1, -1, 5}), Tensor::scalar(int64_t{2}), floats({2}, {0, 1})})),
              ElementsAre(0, 1, 0, 1, 0, 0));
  EXPECT_EQ(inferred("OneHot", {"int64[N]", Tensor::scalar(3.0f), "float[2]"}), "float[N,3]");
}

TEST(Compress, ChoosesFromTheFlatInputWithoutAnAxis) {
  const Tensor data = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(
      doubles(evaluate_tensor("Compress", {data, Tensor::from<bool>({3}, {false, true, true})})),
      ElementsAre(2, 3));
  EXPECT_THAT(message_of("Compress", {data, Tensor::from<bool>({3}, {false, true, true})},
                         {attr("axis", 0)}),
              HasSubstr("chooses index 2, but there are 2"));
}

TEST(Unique, CanKeepTheOrderOfTheInput) {
  const Tensor x = floats({6}, {2, 1, 1, 3, 4, 3});
  const auto y = evaluate("Unique", {x}, {attr("sorted", 0)}, 4);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(2, 1, 3, 4));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(doubles(*(*y)[2].tensor()), ElementsAre(0, 1, 1, 2, 3, 2));
  EXPECT_THAT(doubles(*(*y)[3].tensor()), ElementsAre(1, 2, 2, 1));
}

TEST(Trilu, ShiftsTheDiagonalByAnyAmount) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(doubles(evaluate_tensor("Trilu", {x, Tensor::scalar(int64_t{1})})),
              ElementsAre(0, 2, 0, 0));
  EXPECT_THAT(doubles(evaluate_tensor("Trilu", {x, Tensor::scalar(INT64_MIN)}, {attr("upper", 0)})),
              ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(doubles(evaluate_tensor("Trilu", {x, Tensor::scalar(INT64_MAX)}, {attr("upper", 0)})),
              ElementsAre(1, 2, 3, 4));
}

TEST(EyeLike, PutsOnesOnADiagonal) {
  EXPECT_THAT(doubles(evaluate_tensor("EyeLike", {floats({2, 3}, {0, 0, 0, 0, 0, 0})},
                                      {attr("k", 1), attr("dtype", DType::kInt32)})),
              ElementsAre(0, 1, 0, 0, 0, 1));
}

TEST(ReverseSequence, ReversesEachBatchUpToItsLength) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const std::vector<Attribute> attributes = {attr("time_axis", 1), attr("batch_axis", 0)};
  EXPECT_THAT(doubles(evaluate_tensor("ReverseSequence", {x, ints({2, 3})}, attributes)),
              ElementsAre(2, 1, 3, 6, 5, 4));
  EXPECT_THAT(message_of("ReverseSequence", {x, ints({2, 4})}, attributes),
              HasSubstr("the value 4, expected 0 to 3"));
}

TEST(CenterCropPad, TreatsEachAxisAlone) {
  EXPECT_THAT(
      doubles(evaluate_tensor("CenterCropPad", {floats({1, 4}, {1, 2, 3, 4}), ints({2, 3})})),
      ElementsAre(1, 2, 3, 0, 0, 0));
}

TEST(Col2Im, AddsWhereBlocksOverlap) {
  // Two windows of 2 over 3 pixels: the middle one is in both.
  EXPECT_THAT(doubles(evaluate_tensor(
                  "Col2Im", {floats({1, 2, 2}, {1, 2, 3, 4}), ints({1, 3}), ints({1, 2})})),
              ElementsAre(1, 5, 4));
}

TEST(Col2Im, InfersTheImageFromItsSizes) {
  const auto image_of = [](const InferInput& sizes) {
    return inferred("Col2Im", {"float[N,12,5]", sizes, ints({2, 3})});
  };
  EXPECT_EQ(image_of(ints({3, 7})), "float[N,2,3,7]");
  EXPECT_EQ(image_of("int64[2]"), "float[N,2,?,?]");
  EXPECT_EQ(image_of("int64[M]"), "float");
}

TEST(BitCast, KeepsTheBits) {
  const Result<Tensor> y =
      evaluate_tensor("BitCast", {Tensor::from<float>({1}, {1})}, {attr("to", DType::kInt32)});
  EXPECT_THAT(doubles(y), ElementsAre(0x3f800000));
  EXPECT_THAT(message_of("BitCast", {Tensor::from<float>({1}, {1})}, {attr("to", DType::kInt64)}),
              HasSubstr("of 64 bits, but the input is float of 32"));
}

TEST(TensorScatter, WritesIntoACache) {
  const Tensor cache = floats({1, 4, 1}, {0, 0, 0, 0}), update = floats({1, 2, 1}, {1, 2});
  EXPECT_THAT(doubles(evaluate_tensor("TensorScatter", {cache, update, ints({3})},
                                      {attr("mode", "circular")})),
              ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(message_of("TensorScatter", {cache, update, ints({3})}),
              HasSubstr("2 updates do not fit"));
}

TEST(StringSplit, FillsShortLists) {
  const auto y = evaluate("StringSplit", {Tensor::from_strings({2}, {" a  b ", "c"})}, {}, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT((*y)[0].tensor()->strings(), ElementsAre("a", "b", "c", ""));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(2, 1));
}

TEST(EmptyTensors, WithLongAxesTakeNoTime) {
  // A few bytes of a file can say this; walking the long axis would take hours.
  const Tensor empty = floats({int64_t{1} << 50, int64_t{1} << 50, 0}, {});
  EXPECT_TRUE(evaluate("Concat", {empty, empty}, {attr("axis", 2)}).is_ok());
  EXPECT_TRUE(evaluate("Gather", {empty, ints({})}, {attr("axis", 2)}).is_ok());
  EXPECT_TRUE(evaluate("Split", {empty}, {attr("axis", 2), attr("num_outputs", 1)}).is_ok());
  EXPECT_TRUE(
      evaluate("Compress", {empty, Tensor::from<bool>({0}, {})}, {attr("axis", 2)}).is_ok());
  EXPECT_TRUE(evaluate("TopK", {empty, ints({0})}, {}, 2).is_ok());
}

TEST(EmptyTensors, FlowThrough) {
  const Tensor empty = floats({0, 3}, {});
  EXPECT_TRUE(evaluate("Transpose", {empty}).is_ok());
  EXPECT_TRUE(evaluate("Concat", {empty, empty}, {attr("axis", 0)}).is_ok());
  EXPECT_TRUE(evaluate("Tile", {empty, ints({2, 2})}).is_ok());
  EXPECT_TRUE(evaluate("NonZero", {empty}).is_ok());
  EXPECT_TRUE(evaluate("Unique", {empty}).is_ok());
  EXPECT_TRUE(evaluate("Trilu", {empty}).is_ok());
  EXPECT_TRUE(evaluate("Gather", {empty, ints({})}).is_ok());
  EXPECT_TRUE(evaluate("GatherND", {empty, Tensor::from<int64_t>({0, 1}, {})}).is_ok());
  EXPECT_TRUE(evaluate("Pad", {empty, ints({1, 0, 0, 1})}).is_ok());
  EXPECT_THAT(message_of("Pad", {empty, ints({1, 0, 0, 1})}, {attr("mode", "edge")}),
              HasSubstr("axis 0 is empty"));
}

}  // namespace
}  // namespace shipway
