#include "tensor/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace shipway {
namespace {

// Values from the OCP 8-bit and MX specifications' tables of extreme values.
TEST(SmallFloats, DecodeTheExtremesOfTheirSpecifications) {
  EXPECT_EQ(decode_float(DType::kFloat8E4M3FN, 0x7e), 448.0);
  EXPECT_EQ(decode_float(DType::kFloat8E4M3FN, 0x01), std::ldexp(1, -9));
  EXPECT_TRUE(std::isnan(decode_float(DType::kFloat8E4M3FN, 0x7f)));
  EXPECT_EQ(decode_float(DType::kFloat8E5M2, 0x7b), 57344.0);
  EXPECT_TRUE(std::isinf(decode_float(DType::kFloat8E5M2, 0x7c)));
  EXPECT_EQ(decode_float(DType::kFloat8E4M3FNUZ, 0x7f), 240.0);
  EXPECT_TRUE(std::isnan(decode_float(DType::kFloat8E4M3FNUZ, 0x80)));
  EXPECT_EQ(decode_float(DType::kFloat8E5M2FNUZ, 0x7f), 57344.0);
  EXPECT_EQ(decode_float(DType::kFloat4E2M1, 0x7), 6.0);
  EXPECT_EQ(decode_float(DType::kFloat6E2M3, 0x1f), 7.5);
  EXPECT_EQ(decode_float(DType::kFloat6E3M2, 0x1f), 28.0);
  EXPECT_EQ(decode_float(DType::kFloat8E8M0, 127), 1.0);
  EXPECT_EQ(decode_float(DType::kFloat16, 0x7bff), 65504.0);
  EXPECT_EQ(decode_float(DType::kFloat16, 0x0001), std::ldexp(1, -24));
}

TEST(SmallFloats, EveryBitPatternSurvivesDecodeAndEncode) {
  for (DType dtype :
       {DType::kFloat16, DType::kBFloat16, DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ,
        DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ, DType::kFloat4E2M1, DType::kFloat6E2M3,
        DType::kFloat6E3M2, DType::kFloat8E8M0}) {
    for (uint32_t bits = 0; bits < 1u << bit_width(dtype); ++bits) {
      const double value = decode_float(dtype, bits);
      if (std::isnan(value)) continue;
      EXPECT_EQ(encode_float(dtype, value, Saturate::kNo), bits) << to_string(dtype);
    }
  }
}

TEST(SmallFloats, RoundToNearestWithTiesToEven) {
  EXPECT_EQ(encode_float(DType::kFloat8E4M3FN, 17.0), encode_float(DType::kFloat8E4M3FN, 16.0));
  EXPECT_EQ(encode_float(DType::kFloat8E4M3FN, 19.0), encode_float(DType::kFloat8E4M3FN, 20.0));
  EXPECT_EQ(encode_float(DType::kFloat16, 65519.9), 0x7bffu);
  EXPECT_EQ(encode_float(DType::kFloat16, 65520.0), 0x7c00u);
  EXPECT_EQ(encode_float(DType::kFloat8E4M3FN, 1e9, Saturate::kYes), 0x7eu);
  EXPECT_EQ(encode_float(DType::kFloat8E4M3FN, 1e9, Saturate::kNo), 0x7fu);
}

TEST(Convert, IntegersWrapAndSmallOnesPack) {
  const int64_t values[] = {1, -1, 7, -8, 300};
  Tensor packed = *from_ints(DType::kInt4, {5}, values);
  EXPECT_EQ(packed.byte_size(), 3);
  EXPECT_EQ(*to_ints(packed), (std::vector<int64_t>{1, -1, 7, -8, -4}));  // 300 = 0x12c
  Tensor six = *from_doubles(DType::kFloat6E3M2, {5}, std::vector<double>{1, -2, 28, 0.5, 100});
  EXPECT_EQ(six.byte_size(), 4);
  EXPECT_EQ(*to_doubles(six), (std::vector<double>{1, -2, 28, 0.5, 28}));
  EXPECT_TRUE(identical(*pack_from_bytes(DType::kInt4, *unpack_to_bytes(packed)), packed));
}

TEST(Convert, RefusesByNameWhatIsNotANumber) {
  EXPECT_EQ(to_doubles(Tensor::from_strings({1}, {"x"})).status().message(),
            "a tensor of string cannot be read as real numbers");
}

TEST(Tensor, RefusesShapesThatOverflowOrAreNegative) {
  EXPECT_EQ(Tensor::allocate(DType::kFloat32, {2, -1}).status().message(),
            "shape 2x-1 has a negative size");
  EXPECT_FALSE(Tensor::allocate(DType::kFloat32, {int64_t{1} << 40, int64_t{1} << 40}).is_ok());
  EXPECT_FALSE(Tensor::allocate(DType::kFloat32, {int64_t{1} << 62}).is_ok());
  EXPECT_EQ(Tensor::allocate(DType::kFloat32, {int64_t{1} << 62, 0})->element_count(), 0);
}

TEST(Tensor, ReadsStridesIntoContiguousCopy) {
  Tensor t = Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  Tensor transposed = *t.with_strides({3, 2}, {1, 3}).contiguous();
  EXPECT_EQ(to_string(transposed), "float[3,2] {1, 4, 2, 5, 3, 6}");
}

TEST(SparseTensor, ScattersFlatAndCoordinateIndices) {
  SparseTensor flat{Tensor::from<float>({2}, {5, 6}), Tensor::from<int64_t>({2}, {1, 5}), {2, 3}};
  EXPECT_EQ(to_string(*flat.to_dense()), "float[2,3] {0, 5, 0, 0, 0, 6}");
  SparseTensor places{Tensor::from<float>({1}, {7}), Tensor::from<int64_t>({1, 2}, {1, 3}), {2, 3}};
  EXPECT_EQ(places.to_dense().status().message(),
            "sparse tensor index 3 is outside axis 1 of size 3");
}

TEST(InlineVector, MovesBetweenInlineAndHeap) {
  InlineVector<int, 2> v{1, 2};
  v.insert(v.begin() + 1, 9);
  InlineVector<int, 2> moved = std::move(v);
  EXPECT_EQ(moved, (InlineVector<int, 2>{1, 9, 2}));
  moved.erase(moved.begin());
  InlineVector<int, 2> copy = moved;
  copy.resize(5, 4);
  EXPECT_EQ(copy, (InlineVector<int, 2>{9, 2, 4, 4, 4}));
  EXPECT_EQ(moved.size(), 2u);
}

}  // namespace
}  // namespace shipway
