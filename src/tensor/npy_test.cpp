#include "tensor/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/mapped_file.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A version 1.0 file as NumPy's documentation describes it.
std::string npy(const std::string& header, const std::string& data) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  return file + header + data;
}
Result<Tensor> parse(const std::string& file) {
  return parse_npy(std::as_bytes(std::span<const char>(file)));
}

TEST(Npy, TurnsFortranOrderAndBigEndianIntoRowMajor) {
  // np.array([[1, 2, 3], [4, 5, 6]], '>i2', order='F')
  const std::string data("\0\1\0\4\0\2\0\5\0\3\0\6", 12);
  auto tensor = parse(npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n", data));
  ASSERT_TRUE(tensor.is_ok()) << tensor.status().message();
  EXPECT_EQ(tensor->shape(), (Shape{2, 3}));
  EXPECT_THAT(tensor->as<int16_t>(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Npy, ReadsEmptyFortranArraysWhoseOtherDimsHaveNoProduct) {
  auto tensor =
      parse(npy("{'descr': '<u4', 'fortran_order': True, "
                "'shape': (9551615, 10001, 5516, 15, 8017, 0, 8000)}",
                ""));
  ASSERT_TRUE(tensor.is_ok()) << tensor.status().message();
  EXPECT_EQ(tensor->element_count(), 0);
}

TEST(Npy, ReadsScalarsAndText) {
  auto scalar = parse(npy("{'descr': '|b1', 'fortran_order': False, 'shape': ()}", "\x01"));
  ASSERT_TRUE(scalar.is_ok());
  EXPECT_EQ(scalar->rank(), 0);
  const std::string text("a\0\0\0\xe9\0\0\0b\0\0\0\0\0\0\0", 16);
  auto strings = parse(npy("{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }", text));
  ASSERT_TRUE(strings.is_ok());
  EXPECT_THAT(strings->strings(), ElementsAre("a\xc3\xa9", "b"));
}

TEST(Npy, RefusesByNameWhatItDoesNotRead) {
  const auto message = [](const std::string& descr, const std::string& shape) {
    return parse(npy("{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + "}",
                     "1234"))
        .status()
        .message();
  };
  EXPECT_THAT(message("'|O'", "(1,)"), HasSubstr("pickle"));
  EXPECT_THAT(message("[('a', '<f4')]", "(1,)"), HasSubstr("records"));
  EXPECT_THAT(message("'<V2'", "(1,)"), HasSubstr("bfloat16"));
  EXPECT_THAT(message("'<f4'", "(2,)"), HasSubstr("8 bytes of elements expected, 4 left"));
  EXPECT_THAT(message("'<f4'", "(4611686018427387904, 4)"), HasSubstr("2^63"));
  EXPECT_THAT(message("'<f4'", "(-1,)"), HasSubstr("shape"));
  EXPECT_THAT(message("'<U0'", "(1000000000000,)"), HasSubstr("makes no sense"));
}

TEST(Npy, EveryCutOffFileIsAnError) {
  const std::string whole = *serialize_npy(Tensor::from<float>({2, 2}, {1, 2, 3, 4}));
  ASSERT_TRUE(parse(whole).is_ok());
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse(whole.substr(0, size)).is_ok()) << size;
}

TEST(Npy, WritesWhatItReads) {
  for (const Tensor& tensor :
       {Tensor::from<float>({2, 1}, {1.5f, -2}), Tensor::scalar<int64_t>(7),
        Tensor::from<bool>({0, 3}, {}), Tensor::from<std::string>({2}, {"", "\xe2\x82\xac"})}) {
    auto again = parse(*serialize_npy(tensor));
    ASSERT_TRUE(again.is_ok()) << again.status().message();
    EXPECT_TRUE(identical(*again, tensor)) << to_string(tensor);
    EXPECT_EQ((serialize_npy(tensor)->find('\n') + 1) % 64, 0u);
  }
  EXPECT_THAT(serialize_npy(*Tensor::zeros(DType::kBFloat16, {1})).status().message(),
              HasSubstr("bfloat16"));
}

TEST(Npz, WritesWhatItReads) {
  const std::string path = testing::TempDir() + "npz_" + std::to_string(::getpid()) + ".npz";
  const NamedTensors arrays = {{"a", Tensor::from<float>({2}, {1, 2})},
                               {"b/c", Tensor::scalar<int64_t>(3)}};
  ASSERT_TRUE(write_npz(path, arrays).is_ok());
  auto again = read_npz(path);
  ASSERT_TRUE(again.is_ok()) << again.status().message();
  ASSERT_EQ(again->size(), 2u);
  EXPECT_EQ((*again)[1].first, "b/c");
  EXPECT_TRUE(identical((*again)[0].second, arrays[0].second));
  const auto file = MappedFile::open(path);
  const auto bytes = (*file)->bytes();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parse_npz(bytes.first(size)).is_ok()) << size;
  ::unlink(path.c_str());
}

TEST(Npz, UnpacksDeflatedEntriesAndNoticesDamage) {
  // numpy.savez_compressed(f, x=numpy.zeros(100, 'u1')) of NumPy 2.4.6
  std::string file(
      "\x50\x4b\x03\x04\x2d\x00\x00\x00\x08\x00\x00\x00\x21\x00\x06\xe2\x0c\xd6\xff\xff\xff\xff\xff"
      "\xff"
      "\xff\xff\x05\x00\x14\x00\x78\x2e\x6e\x70\x79\x01\x00\x10\x00\xe4\x00\x00\x00\x00\x00\x00\x00"
      "\x49"
      "\x00\x00\x00\x00\x00\x00\x00\x9b\xec\x17\xea\x1b\x10\xc9\xc8\x50\xc6\x50\xad\x9e\x92\x5a\x9c"
      "\x5c"
      "\xa4\x6e\xa5\xa0\x5e\x53\x6a\xa8\xae\xa3\xa0\x9e\x96\x5f\x54\x52\x94\x98\x17\x9f\x5f\x94\x92"
      "\x0a"
      "\x12\x77\x4b\xcc\x29\x4e\x05\x8a\x17\x67\x24\x16\xa4\x02\xf9\x1a\x86\x06\x06\x3a\x9a\x3a\x0a"
      "\xb5"
      "\x0a\x64\x03\x2e\x06\x3a\x00\x00\x50\x4b\x01\x02\x2d\x03\x2d\x00\x00\x00\x08\x00\x00\x00\x21"
      "\x00"
      "\x06\xe2\x0c\xd6\x49\x00\x00\x00\xe4\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00"
      "\x80\x01\x00\x00\x00\x00\x78\x2e\x6e\x70\x79\x50\x4b\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00"
      "\x33"
      "\x00\x00\x00\x80\x00\x00\x00\x00\x00",
      201);
  const auto read = [&] { return parse_npz(std::as_bytes(std::span<const char>(file))); };
  auto arrays = read();
  ASSERT_TRUE(arrays.is_ok()) << arrays.status().message();
  EXPECT_EQ((*arrays)[0].first, "x");
  EXPECT_TRUE(identical((*arrays)[0].second, *Tensor::zeros(DType::kUInt8, {100})));
  file[80] = static_cast<char>(file[80] ^ 1);
  EXPECT_FALSE(read().is_ok());
}

}  // namespace
}  // namespace shipway
