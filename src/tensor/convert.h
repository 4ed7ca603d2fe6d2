// Elements of every dtype from and to the few types that reference loops compute in: double,
// int64_t, uint64_t, std::complex<double>, std::string. Rounding is to nearest, ties to even, and
// happens once.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

#include "shipway/tensor.h"

namespace shipway {

/// What happens to a number beyond the range of a small float: the largest finite value, or
/// infinity (NaN where the format has no infinity). ONNX's Cast attribute `saturate`, for the
/// float8 kinds.
enum class Saturate : uint8_t { kNo, kYes };
/// How float8e8m0 rounds (Cast attribute `round_mode`); others always round to nearest even.
enum class RoundMode : uint8_t { kNearest, kUp, kDown };

/// The bits of one element of a float format of 4 to 32 bits as a number. kFloat64 is not meant.
double decode_float(DType dtype, uint32_t bits);
/// The bits of the number nearest to `value`.
uint32_t encode_float(DType dtype, double value, Saturate saturate = Saturate::kYes,
                      RoundMode round = RoundMode::kUp);

/// All elements as double. Floats, integers and bool; an error names the dtype otherwise.
Result<std::vector<double>> to_doubles(const Tensor& tensor);
/// All elements as int64_t: integers and bool (uint64 wraps); floats are truncated towards zero.
Result<std::vector<int64_t>> to_ints(const Tensor& tensor);
Result<std::vector<uint64_t>> to_uints(const Tensor& tensor);
Result<std::vector<std::complex<double>>> to_complexes(const Tensor& tensor);

/// A tensor of `dtype` from numbers: floats round to nearest even, integers wrap (the low bits are
/// kept; from doubles: truncated towards zero first, out of range as the machine converts to
/// int64), bool is `value != 0`.
Result<Tensor> from_doubles(DType dtype, Shape shape, std::span<const double> values,
                            Saturate saturate = Saturate::kYes, RoundMode round = RoundMode::kUp);
Result<Tensor> from_ints(DType dtype, Shape shape, std::span<const int64_t> values);
Result<Tensor> from_uints(DType dtype, Shape shape, std::span<const uint64_t> values);
Result<Tensor> from_complexes(DType dtype, Shape shape,
                              std::span<const std::complex<double>> values);

/// Elements below 8 bits as one byte each (low bits; sign not extended), and back. Others: a plain
/// handle. Data-moving operators use it so that they only ever move whole bytes.
Result<Tensor> unpack_to_bytes(const Tensor& tensor);
Result<Tensor> pack_from_bytes(DType dtype, const Tensor& bytes);

/// One element as text, shortest form that reads back the same; strings quoted and cut.
std::string element_to_string(const Tensor& tensor, int64_t index);

}  // namespace shipway
