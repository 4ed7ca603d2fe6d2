// Elements: a tensor of any dtype opened for moving whole elements, for operators that only move
// data.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// Elements are whole bytes here (dtypes below 8 bits take one byte each until `finish`) or
/// strings. Positions count elements. Nothing is checked: the caller has done so.
class Elements {
 public:
  /// For reading.
  static Result<Elements> of(const Tensor& tensor);
  /// Memory of output `i`, uninitialised; `finish` must follow.
  static Result<Elements> output(EvaluateContext& context, size_t i, DType dtype,
                                 const Shape& shape);
  /// Memory of output `i` filled with the elements of `tensor`, which has that dtype and shape.
  static Result<Elements> output_copy(EvaluateContext& context, size_t i, const Tensor& tensor);
  /// Memory of its own, uninitialised, under the run's limits; `take_tensor` hands it on.
  static Result<Elements> scratch(const EvaluateContext& context, DType dtype, const Shape& shape);
  Result<Tensor> take_tensor();
  /// Makes it output `i`.
  Status finish(EvaluateContext& context, size_t i);

  int64_t count() const { return tensor_.element_count(); }
  /// `count` neighbours from `from`.
  void copy(int64_t to, const Elements& from, int64_t at, int64_t count = 1);
  /// Elements source(k) of `from` one after the other; -1 leaves the default: zero or an empty
  /// string.
  void take(const Elements& from, std::span<const int64_t> sources);
  /// All equal to one element of `value`.
  void fill(const Elements& value, int64_t at = 0);
  /// All zero or empty.
  void clear();
  /// For every position of `shape`: element `to + position · to_strides` becomes `at + position ·
  /// strides`.
  void copy_strided(const Shape& shape, int64_t to, const Shape& to_strides, const Elements& from,
                    int64_t at, const Shape& strides);

 private:
  static Elements over(DType dtype, Tensor tensor);
  std::byte* place(int64_t at) { return data_ + static_cast<size_t>(at) * size_; }
  const std::byte* place(int64_t at) const { return data_ + static_cast<size_t>(at) * size_; }

  DType dtype_ = DType::kUndefined;  // the tensor's own; tensor_ has kUInt8 for packed ones
  Tensor tensor_;
  std::byte* data_ = nullptr;  // not written when made by `of`
  std::string* strings_ = nullptr;
  size_t size_ = 0;  // bytes of an element
};

}  // namespace shipway
