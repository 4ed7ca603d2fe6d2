// Sizes and contents followed through the operators that exporters write around Reshape.
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

TEST(Shape, FollowsSizesAsElements) {
  EXPECT_EQ(inferred_contents("Shape", {"float[N,3,H,W]"}), "N, 3, H, W");
  EXPECT_EQ(inferred_contents("Shape", {"float[N,3,H,W]"}, {attr("start", -2)}), "H, W");
  EXPECT_EQ(inferred("Shape", {"float[N,3,H,W]"}, {attr("start", 1), attr("end", -1)}), "int64[2]");
  EXPECT_EQ(inferred("Shape", {"float[N]"}, {attr("start", 5)}), "int64[0]");
}

TEST(Size, IsTheProduct) { EXPECT_EQ(inferred_contents("Size", {"float[N,3,4]"}), "N*12"); }

TEST(Gather, TakesFollowedElements) {
  const InferInput shape("int64[4]", {"N", "3", "H", "W"});
  EXPECT_EQ(inferred_contents("Gather", {shape, Tensor::scalar(int64_t{-1})}), "W");
  EXPECT_EQ(inferred_contents("Gather", {shape, ints({0, 2})}), "N, H");
  EXPECT_THAT(inferred_contents("Gather", {shape, ints({4})}), HasSubstr("index 4"));
}

TEST(Gather, PutsTheShapeOfIndicesInPlaceOfTheAxis) {
  EXPECT_EQ(inferred("Gather", {"float[V,E]", "int64[N,T]"}), "float[N,T,E]");
  EXPECT_EQ(inferred("Gather", {"float[A,B,C]", "int64[]"}, {attr("axis", -2)}), "float[A,C]");
}

TEST(Gather, TakesRowsAndRefusesIndicesOutOfRange) {
  const Tensor data = floats({3, 2}, {0, 1, 10, 11, 20, 21});
  EXPECT_THAT(doubles(evaluate_tensor("Gather", {data, ints({-1, 0})})), ElementsAre(20, 21, 0, 1));
  EXPECT_THAT(doubles(evaluate_tensor("Gather", {data, ints({1})}, {attr("axis", 1)})),
              ElementsAre(1, 11, 21));
  EXPECT_THAT(evaluate_tensor("Gather", {data, ints({3})}).status().message(),
              HasSubstr("input 'indices' has the index 3, but axis 0 has size 3"));
}

TEST(Concat, JoinsFollowedElementsAlsoUnknownOnes) {
  EXPECT_EQ(inferred_contents("Concat", {InferInput("int64[1]", {"N"}), ints({-1}), "int64[1]"},
                              {attr("axis", 0)}),
            "N, -1, ?");
}

TEST(Concat, AddsSizesAndRefusesOthersThatDiffer) {
  EXPECT_EQ(inferred("Concat", {"float[N,3]", "float[?,C]"}, {attr("axis", 1)}), "float[N,C + 3]");
  EXPECT_THAT(inferred("Concat", {"float[2,3]", "float[4,3]"}, {attr("axis", 1)}),
              HasSubstr("sizes 2 and 4 differ"));
}

TEST(Concat, BeforeVersion4JoinsAlongAxis1) {
  const auto y = evaluate_at(1, "Concat", {floats({2, 1}, {1, 2}), floats({2, 1}, {3, 4})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ((*y)[0].tensor()->shape(), (Shape{2, 2}));
}

TEST(Reshape, ZeroCopiesAndMinusOneTakesTheRest) {
  EXPECT_EQ(inferred("Reshape", {"float[N,C,H,W]", ints({0, 0, -1})}), "float[N,C,H*W]");
  EXPECT_EQ(inferred("Reshape", {"float[N,64,7,7]", ints({-1, 3136})}), "float[N,3136]");
  EXPECT_EQ(inferred("Reshape", {"float[N,T,768]", ints({0, -1, 12, 64})}), "float[N,T,12,64]");
  EXPECT_EQ(inferred("Reshape", {"float[T,24]", ints({-1, 5})}), "float[(T*24)//5,5]");
}

TEST(Reshape, FollowsSymbolsOfItsShape) {
  EXPECT_EQ(inferred("Reshape", {"float[N,H,W]", InferInput("int64[2]", {"N", "-1"})}),
            "float[N,H*W]");
  // A size that is not known follows from the others, as -1 would.
  EXPECT_EQ(inferred("Reshape", {"float[N,H,W]", InferInput("int64[2]", {"?", "W"})}),
            "float[N*H,W]");
  EXPECT_EQ(inferred("Reshape", {"float[N,H]", "int64[3]"}), "float[?,?,?]");
}

TEST(Reshape, KeepsZeroDimensionWhenAllowZeroIsSet) {
  EXPECT_EQ(inferred("Reshape", {"float[0,3]", ints({3, 0})}, {attr("allowzero", 1)}),
            "float[3,0]");
  EXPECT_TRUE(
      evaluate("Reshape", {floats({0, 3}, {}), ints({7, 0})}, {attr("allowzero", 1)}).is_ok());
}

TEST(Reshape, SaysWhatDoesNotFit) {
  EXPECT_THAT(inferred("Reshape", {"float[2,3]", ints({4})}), HasSubstr("asks for 4 elements"));
  const Tensor data = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto message = [&](std::vector<int64_t> shape) {
    return evaluate("Reshape", {data, ints(std::move(shape))}).status().message();
  };
  EXPECT_THAT(message({-1, -1}), HasSubstr("more than one -1"));
  EXPECT_THAT(message({-1, 4}), HasSubstr("6 elements do not divide by 4"));
  EXPECT_THAT(message({1, 2, 0}), HasSubstr("copies axis 2"));
  EXPECT_THAT(message({-2, 3}), HasSubstr("negative size -2"));
}

TEST(Reshape, BeforeVersion5TakesItsShapeFromAnAttribute) {
  const auto y =
      evaluate_at(1, "Reshape", {floats({2, 3}, {1, 2, 3, 4, 5, 6})}, {attr("shape", {3, -1})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ((*y)[0].tensor()->shape(), (Shape{3, 2}));
}

TEST(Flatten, MultipliesBothHalves) {
  EXPECT_EQ(inferred("Flatten", {"float[N,C,H,W]"}), "float[N,C*H*W]");
  EXPECT_EQ(inferred("Flatten", {"float[N,C]"}, {attr("axis", 0)}), "float[1,N*C]");
  EXPECT_EQ(inferred("Flatten", {"float[N,C]"}, {attr("axis", 2)}), "float[N*C,1]");
}

TEST(Squeeze, RemovesAxesAndKeepsElements) {
  EXPECT_EQ(inferred("Squeeze", {"float[N,1,H]", ints({-2})}), "float[N,H]");
  EXPECT_EQ(inferred("Squeeze", {"float[1,3,1]"}), "float[3]");
  EXPECT_EQ(inferred("Squeeze", {"float[N,1]"}), "float");  // N may be 1
  EXPECT_EQ(inferred_contents("Squeeze", {InferInput("int64[1]", {"H"}), ints({0})}), "H");
  EXPECT_THAT(inferred("Squeeze", {"float[2,3]", ints({1})}), HasSubstr("axis 1 of size 3"));
}

TEST(Squeeze, BeforeVersion13TakesAxesFromAnAttribute) {
  const auto y = evaluate_at(11, "Squeeze", {floats({1, 3, 1}, {1, 2, 3})}, {attr("axes", {0})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ((*y)[0].tensor()->shape(), (Shape{3, 1}));
}

TEST(Unsqueeze, CountsAxesOfTheResult) {
  EXPECT_EQ(inferred("Unsqueeze", {"float[N]", ints({-1, 0})}), "float[1,N,1]");
  EXPECT_EQ(inferred_contents("Unsqueeze", {InferInput("int64[]", {"H"}), ints({0})}), "H");
  EXPECT_THAT(inferred("Unsqueeze", {"float[N]", ints({0, 0})}), HasSubstr("axis 0 twice"));
}

TEST(Transpose, ReordersAxes) {
  EXPECT_EQ(inferred("Transpose", {"float[N,C,H]"}), "float[H,C,N]");
  EXPECT_EQ(inferred("Transpose", {"float[N,C,H]"}, {attr("perm", {0, 2, 1})}), "float[N,H,C]");
  EXPECT_THAT(inferred("Transpose", {"float[N,C]"}, {attr("perm", {0, 0})}), HasSubstr("twice"));
  EXPECT_THAT(doubles(evaluate_tensor("Transpose", {floats({2, 3}, {1, 2, 3, 4, 5, 6})})),
              ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(Split, SharesOutAnAxis) {
  const auto even = infer("Split", {"float[N,6]"}, {attr("axis", 1), attr("num_outputs", 3)}, 3);
  ASSERT_TRUE(even.is_ok()) << even.status().message();
  EXPECT_THAT(even->types, ElementsAre("float[N,2]", "float[N,2]", "float[N,2]"));
  const auto given = infer("Split", {"float[N,H]", ints({1, 2})}, {}, 2);
  ASSERT_TRUE(given.is_ok()) << given.status().message();
  EXPECT_THAT(given->types, ElementsAre("float[1,H]", "float[2,H]"));
}

TEST(Split, LastPartMayBeShorter) {
  const auto y = evaluate("Split", {floats({5}, {1, 2, 3, 4, 5})}, {attr("num_outputs", 2)}, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(1, 2, 3));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(4, 5));
}

TEST(Split, BeforeVersion18SharesEvenlyWithoutLengths) {
  const auto y = evaluate_at(13, "Split", {floats({4}, {1, 2, 3, 4})}, {}, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(3, 4));
  const auto z = evaluate_at(2, "Split", {floats({4}, {1, 2, 3, 4})}, {attr("split", {1, 3})}, 2);
  ASSERT_TRUE(z.is_ok()) << z.status().message();
  EXPECT_THAT(doubles(*(*z)[1].tensor()), ElementsAre(2, 3, 4));
}

TEST(Slice, FollowsElementsAndSizes) {
  const InferInput shape("int64[4]", {"N", "C", "H", "W"});
  EXPECT_EQ(inferred_contents("Slice", {shape, ints({2}), ints({INT64_MAX}), ints({0})}), "H, W");
  EXPECT_EQ(
      inferred_contents("Slice", {shape, ints({-1}), ints({INT64_MIN}), ints({0}), ints({-2})}),
      "W, C");
  EXPECT_EQ(inferred("Slice", {"float[N,H]", ints({0}), ints({INT32_MAX}), ints({1}), ints({2})}),
            "float[N,(H + 1)//2]");
  EXPECT_EQ(inferred("Slice", {"float[N,10]", ints({-3}), ints({-1}), ints({1})}), "float[N,2]");
  EXPECT_EQ(inferred("Slice", {"float[N,10]", ints({0}), ints({5}), "int64[1]"}), "float[?,?]");
}

TEST(Slice, SteppingBackwardsReverses) {
  const Tensor data = floats({5}, {0, 1, 2, 3, 4});
  EXPECT_THAT(doubles(evaluate_tensor(
                  "Slice", {data, ints({-1}), ints({INT64_MIN}), ints({0}), ints({-2})})),
              ElementsAre(4, 2, 0));
  EXPECT_THAT(
      doubles(evaluate_tensor("Slice", {data, ints({4}), ints({0}), ints({0}), ints({INT64_MIN})})),
      ElementsAre(4));
  EXPECT_THAT(
      evaluate("Slice", {data, ints({0}), ints({5}), ints({0}), ints({0})}).status().message(),
      HasSubstr("'steps' is 0"));
}

TEST(Slice, BeforeVersion10TakesBoundsFromAttributes) {
  const auto y = evaluate_at(1, "Slice", {floats({2, 3}, {1, 2, 3, 4, 5, 6})},
                             {attr("starts", {1}), attr("ends", {9}), attr("axes", {1})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(2, 3, 5, 6));
}

TEST(Expand, BroadcastsWithSymbols) {
  EXPECT_EQ(inferred("Expand", {"float[1,C]", InferInput("int64[3]", {"N", "T", "1"})}),
            "float[N,T,C]");
  EXPECT_EQ(inferred_contents("Expand", {ints({7}), ints({3})}), "7, 7, 7");
}

TEST(ConstantOfShape, FillsFollowedSizes) {
  EXPECT_EQ(inferred("ConstantOfShape", {InferInput("int64[2]", {"N", "3"})}), "float[N,3]");
  EXPECT_EQ(inferred_contents("ConstantOfShape", {ints({2})},
                              {attr("value", Tensor::from<int64_t>({1}, {1}))}),
            "1, 1");
  EXPECT_THAT(inferred("ConstantOfShape", {ints({-1})}), HasSubstr("negative size -1"));
}

TEST(Where, ChoosesFollowedElements) {
  // How PyTorch expands: sizes given as -1 are replaced by those of the tensor.
  EXPECT_EQ(inferred_contents("Where", {InferInput("bool[3]", {"1", "0", "?"}), ints({1, 1, 1}),
                                        InferInput("int64[3]", {"N", "H", "1"})}),
            "1, H, 1");
}

TEST(Range, CountsWithSymbols) {
  const InferInput zero = Tensor::scalar(int64_t{0}), one = Tensor::scalar(int64_t{1});
  EXPECT_EQ(inferred("Range", {zero, InferInput("int64[]", {"T"}), one}), "int64[T]");
  EXPECT_EQ(inferred_contents("Range", {one, Tensor::scalar(int64_t{4}), one}), "1, 2, 3");
  EXPECT_THAT(evaluate("Range", {Tensor::scalar(int64_t{0}), Tensor::scalar(int64_t{1}),
                                 Tensor::scalar(int64_t{0})})
                  .status()
                  .message(),
              HasSubstr("'delta' is 0"));
}

TEST(Tile, MultipliesSizes) {
  EXPECT_EQ(inferred("Tile", {"float[N,3]", InferInput("int64[2]", {"2", "K"})}), "float[N*2,K*3]");
  EXPECT_THAT(doubles(evaluate_tensor("Tile", {floats({1, 2}, {1, 2}), ints({2, 2})})),
              ElementsAre(1, 2, 1, 2, 1, 2, 1, 2));
}

TEST(Tile, BeforeVersion6RepeatsOneAxis) {
  const auto y =
      evaluate_at(1, "Tile", {floats({2, 1}, {1, 2}), Tensor::scalar(2.0f), Tensor::scalar(1.0f)});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(1, 1, 2, 2));
}

TEST(Pad, AddsToSizesAlsoSymbolic) {
  EXPECT_EQ(inferred("Pad", {"float[N,H]", ints({0, 1, 0, 2})}), "float[N,H + 3]");
  EXPECT_EQ(inferred("Pad", {"float[N,H]", ints({1, 1}), "", ints({-1})}), "float[N,H + 2]");
}

TEST(Pad, FollowsItsModes) {
  const Tensor data = floats({3}, {1, 2, 3});
  const auto padded = [&](const char* mode, std::vector<int64_t> pads) {
    return doubles(evaluate_tensor("Pad", {data, ints(std::move(pads))}, {attr("mode", mode)}));
  };
  // numpy.pad of [1, 2, 3]
  EXPECT_THAT(padded("constant", {1, 2}), ElementsAre(0, 1, 2, 3, 0, 0));
  EXPECT_THAT(padded("edge", {1, 2}), ElementsAre(1, 1, 2, 3, 3, 3));
  EXPECT_THAT(padded("reflect", {3, 1}), ElementsAre(2, 3, 2, 1, 2, 3, 2));
  EXPECT_THAT(padded("wrap", {1, 4}), ElementsAre(3, 1, 2, 3, 1, 2, 3, 1));
  EXPECT_THAT(padded("constant", {-1, 1}), ElementsAre(2, 3, 0));
  EXPECT_THAT(padded("constant", {-2, 5}), ElementsAre(3, 0, 0, 0, 0, 0));
}

TEST(Pad, BeforeVersion11TakesPadsFromAttributes) {
  const Tensor data = floats({2}, {1, 2});
  for (const auto& [opset, name] : {std::pair{1, "paddings"}, std::pair{2, "pads"}}) {
    const auto y = evaluate_at(opset, "Pad", {data}, {attr(name, {1, 0}), attr("value", 5.0f)});
    ASSERT_TRUE(y.is_ok()) << y.status().message();
    EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(5, 1, 2));
  }
}

TEST(TopK, PutsTheFirstOfEqualValuesFirst) {
  const auto y = evaluate("TopK", {floats({5}, {1, 3, 2, 3, 0}), ints({3})}, {}, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(3, 3, 2));
  EXPECT_THAT(doubles(*(*y)[1].tensor()), ElementsAre(1, 3, 2));
  EXPECT_EQ(infer("TopK", {"float[N,H]", InferInput("int64[1]", {"K"})}, {}, 2)->types[1],
            "int64[N,K]");
}

TEST(TopK, BeforeVersion10TakesItsCountFromAnAttribute) {
  const auto y = evaluate_at(1, "TopK", {floats({3}, {1, 3, 2})}, {attr("k", 1)}, 2);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(3));
}

TEST(DepthToSpace, UndoesSpaceToDepth) {
  std::vector<float> values(2 * 8 * 2 * 3);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Tensor data = floats({2, 8, 2, 3}, values);
  for (const char* mode : {"DCR", "CRD"}) {
    const std::vector<Attribute> attributes = {attr("blocksize", 2), attr("mode", mode)};
    const Result<Tensor> space = evaluate_tensor("DepthToSpace", {data}, attributes);
    ASSERT_TRUE(space.is_ok()) << space.status().message();
    EXPECT_EQ(space->shape(), (Shape{2, 2, 4, 6}));
    const Result<Tensor> depth = evaluate_tensor("SpaceToDepth", {*space}, attributes);
    ASSERT_TRUE(depth.is_ok()) << depth.status().message();
    EXPECT_TRUE(identical(*depth, data)) << mode;
  }
  EXPECT_EQ(inferred("DepthToSpace", {"float[N,C,H,W]"}, {attr("blocksize", 2)}),
            "float[N,C//4,H*2,W*2]");
}

TEST(Scatter, BecomesScatterElements) {
  const auto y = evaluate_at(9, "Scatter", {floats({3}, {1, 2, 3}), ints({2}), floats({1}, {9})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(*(*y)[0].tensor()), ElementsAre(1, 2, 9));
}

TEST(ScatterND, ReducesRepeatedPositionsInOrder) {
  const Tensor indices = Tensor::from<int64_t>({2, 1}, {1, 1});
  const auto y = [&](const char* reduction) {
    return doubles(evaluate_tensor("ScatterND",
                                   {floats({3}, {1, 2, 3}), indices, floats({2}, {5, 4})},
                                   {attr("reduction", reduction)}));
  };
  EXPECT_THAT(y("none"), ElementsAre(1, 4, 3));
  EXPECT_THAT(y("add"), ElementsAre(1, 11, 3));
  EXPECT_THAT(y("max"), ElementsAre(1, 5, 3));
}

TEST(DataMovement, WorksOnPackedAndStringElements) {
  const Result<Tensor> packed =
      from_ints(DType::kInt4, {2, 3}, std::vector<int64_t>{1, -2, 3, -4, 5, -6});
  ASSERT_TRUE(packed.is_ok());
  const Result<Tensor> turned = evaluate_tensor("Transpose", {*packed});
  ASSERT_TRUE(turned.is_ok()) << turned.status().message();
  EXPECT_EQ(turned->dtype(), DType::kInt4);
  EXPECT_THAT(doubles(turned), ElementsAre(1, -4, -2, 5, 3, -6));
  const Result<Tensor> text = evaluate_tensor(
      "Concat", {Tensor::from_strings({1}, {"a"}), Tensor::from_strings({1}, {"b"})},
      {attr("axis", 0)});
  ASSERT_TRUE(text.is_ok()) << text.status().message();
  EXPECT_THAT(text->strings(), ElementsAre("a", "b"));
}

TEST(Sequences, InsertAtAndErase) {
  const Tensor a = floats({1}, {1}), b = floats({2}, {2, 3});
  const auto pair = evaluate("SequenceConstruct", {a, b});
  ASSERT_TRUE(pair.is_ok()) << pair.status().message();
  const auto more =
      evaluate("SequenceInsert", {(*pair)[0], floats({1}, {9}), Tensor::scalar(int64_t{-1})});
  ASSERT_TRUE(more.is_ok()) << more.status().message();
  EXPECT_THAT(doubles(evaluate_tensor("SequenceAt", {(*more)[0], Tensor::scalar(int64_t{1})})),
              ElementsAre(9));
  EXPECT_THAT(
      evaluate("SequenceErase", {(*pair)[0], Tensor::scalar(int64_t{2})}).status().message(),
      HasSubstr("input 'position' is 2, expected -2 to 1"));
}

}  // namespace
}  // namespace shipway
