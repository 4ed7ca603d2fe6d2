// DType: what a tensor's elements are.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shipway {

/// The element types of ONNX. The numbers are TensorProto.DataType's: stored on disk, do not
/// change.
enum class DType : uint8_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBFloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUInt4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUInt2 = 25,
  kInt2 = 26,
  kFloat6E2M3 = 27,
  kFloat6E3M2 = 28,
};
inline constexpr int kDTypeCount = 29;  // with kUndefined

/// ONNX's name: "float", "double", "int64", "float8e4m3fn", ...
std::string_view to_string(DType dtype);
/// The DType of ONNX's name, or nothing.
std::optional<DType> dtype_from_name(std::string_view name);
/// True for the numbers that ONNX defines (kUndefined is not one).
constexpr bool is_valid_dtype(int64_t number) { return number >= 1 && number < kDTypeCount; }

/// Bits that one element takes in memory; 0 for strings. Elements below 8 bits are packed as ONNX
/// packs them: a stream of bits, lowest bits first, the last byte filled with zeros.
constexpr int bit_width(DType dtype) {
  switch (dtype) {
    case DType::kUndefined:
    case DType::kString:
      return 0;
    case DType::kUInt2:
    case DType::kInt2:
      return 2;
    case DType::kUInt4:
    case DType::kInt4:
    case DType::kFloat4E2M1:
      return 4;
    case DType::kFloat6E2M3:
    case DType::kFloat6E3M2:
      return 6;
    case DType::kUInt8:
    case DType::kInt8:
    case DType::kBool:
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ:
    case DType::kFloat8E8M0:
      return 8;
    case DType::kUInt16:
    case DType::kInt16:
    case DType::kFloat16:
    case DType::kBFloat16:
      return 16;
    case DType::kFloat32:
    case DType::kInt32:
    case DType::kUInt32:
      return 32;
    case DType::kFloat64:
    case DType::kInt64:
    case DType::kUInt64:
    case DType::kComplex64:
      return 64;
    case DType::kComplex128:
      return 128;
  }
  return 0;
}
constexpr bool is_sub_byte(DType dtype) { return bit_width(dtype) > 0 && bit_width(dtype) < 8; }

/// What kind of number an element is; reference loops compute each kind in one type.
enum class DTypeKind : uint8_t {
  kNone,
  kFloat,     // computed in double
  kSigned,    // computed in int64_t
  kUnsigned,  // computed in uint64_t
  kBool,      // computed in uint64_t, 0 or 1
  kComplex,   // computed in std::complex<double>
  kString,
};
constexpr DTypeKind kind_of(DType dtype) {
  switch (dtype) {
    case DType::kUndefined:
      return DTypeKind::kNone;
    case DType::kString:
      return DTypeKind::kString;
    case DType::kBool:
      return DTypeKind::kBool;
    case DType::kComplex64:
    case DType::kComplex128:
      return DTypeKind::kComplex;
    case DType::kInt2:
    case DType::kInt4:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
      return DTypeKind::kSigned;
    case DType::kUInt2:
    case DType::kUInt4:
    case DType::kUInt8:
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kUInt64:
      return DTypeKind::kUnsigned;
    default:
      return DTypeKind::kFloat;
  }
}

}  // namespace shipway
