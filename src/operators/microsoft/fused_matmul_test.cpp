#include <gtest/gtest.h>

#include "operators/testing.h"

namespace shipway {
namespace {

constexpr char kDomain[] = "com.microsoft";

/// -3 -2 -1 0 1 2 3 -3 ...: small whole numbers, so that products are exact.
Tensor counted(const Shape& shape) {
  Tensor tensor = Tensor::allocate(DType::kFloat32, shape).value_or_throw();
  int i = 0;
  for (float& x : tensor.mutable_as<float>()) x = static_cast<float>(i++ % 7 - 3);
  return tensor;
}

struct Case {
  Shape a, b;
  std::vector<Attribute> attributes;
  Shape y;
  std::vector<double> elements;
};

// Expected elements from onnxruntime 1.32.0 on the same inputs.
const Case kCases[] = {
    {{2, 3}, {2, 2}, {attr("transA", 1), attr("alpha", 0.5f)}, {3, 2}, {4.5, 3, 2.5, 2, 0.5, 1}},
    {{2, 3}, {2, 3}, {attr("transB", 1), attr("alpha", -2.0f)}, {2, 2}, {-28, 8, 8, -10}},
    {{2, 3},
     {4, 2},
     {attr("transA", 1), attr("transB", 1)},
     {3, 4},
     {9, 3, -3, -9, 4, 2, 0, -9, -1, 1, 3, -9}},
    {{2, 3, 2}, {3, 2, 1}, {attr("transBatchA", 1)}, {3, 2, 1}, {13, -3, 1, 2, 5, 2}},
    {{2, 3, 2},
     {3, 2, 1},
     {attr("transBatchA", 1), attr("transA", 1)},
     {3, 2, 1},
     {3, 12, 1, 0, 1, 4}},
    {{3, 2, 2},
     {2, 3, 2},
     {attr("transBatchB", 1)},
     {3, 2, 2},
     {3, 12, 3, 2, -5, -2, 3, 3, -2, -5, 0, 1}},
    {{3, 2, 2},
     {2, 3, 2},
     {attr("transBatchB", 1), attr("transB", 1)},
     {3, 2, 2},
     {13, -3, 3, -3, -1, -4, -3, -3, -4, -1, 2, 1}},
    {{2, 3, 2, 2},
     {3, 2, 2, 1},
     {attr("transBatchA", 1)},
     {3, 2, 2, 1},
     {13, -12, 1, 3, 5, -1, 18, -3, 5, -3, 1, -1}},
    {{2, 1, 2, 3},  // stacks broadcast
     {3, 3, 2},
     {},
     {2, 3, 2, 2},
     {10, 4, 1, 4, -5, 10, -2, 1, 1, -5, -5, -2, -8, -10, 4, 4, 15, -8, -3, 4, 17, 15, -3, -3}},
    {{3}, {3, 2}, {attr("transA", 1)}, {2}, {10, 4}},  // a vector is never transposed
    {{2, 3}, {3}, {attr("transB", 1)}, {2}, {14, -4}},
    {{0, 3}, {3, 2}, {}, {0, 2}, {}},  // by hand: nothing, and sums of nothing
    {{2, 0}, {0, 2}, {}, {2, 2}, {0, 0, 0, 0}},
};

TEST(FusedMatMul, MultipliesTransposedFactorsLikeOnnxRuntime) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(to_string(c.a) + " by " + to_string(c.b));
    const auto y =
        evaluate_tensor("FusedMatMul", {counted(c.a), counted(c.b)}, c.attributes, kDomain);
    ASSERT_TRUE(y.is_ok()) << y.status().message();
    EXPECT_EQ(to_string(y->shape()), to_string(c.y));
    EXPECT_EQ(doubles(y), c.elements);
  }
}

TEST(FusedMatMul, InfersWhatItMakes) {
  for (const Case& c : kCases) {
    const auto types = infer("FusedMatMul", {counted(c.a), counted(c.b)}, c.attributes, 1, kDomain);
    ASSERT_TRUE(types.is_ok()) << types.status().message();
    DimTable dims;
    Dims sizes;
    for (int64_t size : c.y) sizes.push_back(size);
    EXPECT_EQ(types->types[0], to_string(Type::tensor(DType::kFloat32, sizes), dims));
  }
}

TEST(FusedMatMul, InfersSymbolicSizes) {
  const auto type = [](const char* a, const char* b, std::vector<Attribute> attributes) {
    const auto result = infer("FusedMatMul", {a, b}, std::move(attributes), 1, kDomain);
    return result.is_ok() ? result->types[0] : result.status().message();
  };
  EXPECT_EQ(type("float16[B,H,S,64]", "float16[B,H,T,64]", {attr("transB", 1)}),
            "float16[B,H,S,T]");
  EXPECT_EQ(type("float[S,B,H,64]", "float[B,H,64,T]", {attr("transBatchA", 1)}), "float[B,H,S,T]");
  EXPECT_EQ(type("float[K,M]", "float[N,K]", {attr("transA", 1), attr("transB", 1)}), "float[M,N]");
  EXPECT_EQ(type("float", "float[2,3]", {}), "float");
  EXPECT_EQ(type("float[4,3]", "float[3,5]", {attr("transA", 1)}),
            "the first factor has 4 columns, but the second has 3 rows");
}

TEST(FusedMatMul, TakesEveryFloatAndRefusesWhatDoesNotFit) {
  for (DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat64}) {
    const Tensor a = *from_doubles(dtype, {2, 3}, doubles(counted({2, 3})));
    const auto y = evaluate_tensor("FusedMatMul", {a, a}, {attr("transB", 1)}, kDomain);
    ASSERT_TRUE(y.is_ok()) << y.status().message();
    EXPECT_EQ(y->dtype(), dtype);
    EXPECT_EQ(doubles(y), (std::vector<double>{14, -4, -4, 5}));
  }
  EXPECT_EQ(evaluate_tensor("FusedMatMul", {counted({2, 3}), counted({2, 3})}, {}, kDomain)
                .status()
                .message(),
            "node #0 (com.microsoft.FusedMatMul): a product of shapes 2x3 and 2x3: 3 columns, but "
            "2 rows");
}

}  // namespace
}  // namespace shipway
