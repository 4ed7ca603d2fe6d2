// Elements of small integer tensors as sizes and indices: what shape operators read before and
// during the run.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// The elements of input `i` as far as they are known: as input_contents, else as many unknown ones
/// as an integer input of rank 0 or 1 and constant size has.
std::optional<Contents> followed_elements(const InferContext& context, size_t i);

/// Says the elements of output `i` when it is an integer tensor of rank 0 or 1 (or a bool one) and
/// not too long.
void follow_elements(InferContext& context, size_t i, DType dtype, Contents contents);
/// Numbers as Dims; those near the least int64, which no size or position reaches, become unknown.
Contents to_contents(std::span<const int64_t> values);
/// True for dtypes whose elements are followed.
bool is_followed(DType dtype);
inline constexpr int64_t kMaxFollowed = 1024;

/// Input `i` read as sizes: unknown ones where nothing is known, nothing when not even their number
/// is. An error names a negative one.
Result<std::optional<Dims>> sizes_of_input(const InferContext& context, size_t i,
                                           std::string_view name);

/// A 1-D (or scalar) integer input as numbers; the error names the input.
Result<std::vector<int64_t>> ints_of(const Tensor& tensor, std::string_view name);
/// As ints_of, but sizes: none is negative, and their product fits.
Result<Shape> shape_of(const Tensor& tensor, std::string_view name);
/// An integer input with exactly one element.
Result<int64_t> int_of(const Tensor& tensor, std::string_view name);

/// Axes counted from the front, in the order given; an error names one out of range or given twice.
Result<std::vector<int64_t>> normalize_axes(std::span<const int64_t> axes, int64_t rank,
                                            std::string_view what);

/// dim / divisor rounded up, for a divisor of 1 or more, in the form that window sizes have: (H +
/// 1)//2.
Dim divide_up(DimTable& dims, Dim dim, int64_t divisor);

/// One size where `a` and `b` must agree: the number if one is, else `a` (unless unknown). An error
/// says that they differ.
Result<Dim> agreeing_dim(Dim a, Dim b, std::string_view what);

}  // namespace shipway
