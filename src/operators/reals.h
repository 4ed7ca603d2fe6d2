// Reals: floating tensors opened for loops that read them as they lie in memory. Most loops read
// doubles (loops.h); these are for the few over big tensors, where a converted copy of a float32
// tensor costs as much as the operator.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

/// Calls `visit(T{})` with float for float32 and double for every other dtype; `visit` returns a
/// Status.
template <typename Visit>
Status visit_real_type(DType dtype, Visit&& visit) {
  return dtype == DType::kFloat32 ? visit(float{}) : visit(double{});
}

/// The elements of a tensor of floats or integers as T (float: of a float32 tensor only). Keeps the
/// tensor's memory alive.
template <typename T>
class Reals {
 public:
  static Result<Reals> of(const Tensor& tensor) {
    Reals reals;
    reals.tensor_ = tensor;
    if (tensor.dtype() == dtype_of<T>) {
      reals.data_ = tensor.as<T>().data();
      return reals;
    }
    if constexpr (std::is_same_v<T, double>) {
      SHIPWAY_ASSIGN_OR_RETURN(reals.converted_, to_doubles(tensor));
      reals.data_ = reals.converted_.data();
      return reals;
    }
    return Status::invalid_argument("an input is {}, expected {} like the others",
                                    to_string(tensor.dtype()), to_string(dtype_of<T>));
  }
  Reals(Reals&&) = default;
  Reals& operator=(Reals&&) = default;

  const T* data() const { return data_; }
  size_t size() const { return static_cast<size_t>(tensor_.element_count()); }
  T operator[](int64_t i) const { return data_[i]; }

 private:
  Reals() = default;
  Tensor tensor_;
  std::vector<T> converted_;
  const T* data_ = nullptr;
};

/// Output `i` to be written as T, converted to its dtype by `finish`. Uninitialised.
template <typename T>
class RealOutput {
 public:
  static Result<RealOutput> allocate(EvaluateContext& context, size_t i, DType dtype,
                                     const Shape& shape) {
    RealOutput output;
    output.index_ = i;
    SHIPWAY_ASSIGN_OR_RETURN(output.tensor_, context.allocate_output(i, dtype, shape));
    if (dtype == dtype_of<T>) {
      output.data_ = output.tensor_.template mutable_as<T>().data();
    } else {
      output.values_.resize(static_cast<size_t>(output.tensor_.element_count()));
      output.data_ = output.values_.data();
    }
    return output;
  }
  RealOutput(RealOutput&&) = default;
  RealOutput& operator=(RealOutput&&) = default;

  T* data() { return data_; }
  size_t size() const { return static_cast<size_t>(tensor_.element_count()); }

  Status finish(EvaluateContext& context) {
    if (tensor_.dtype() == dtype_of<T>) return Status::ok();
    if constexpr (std::is_same_v<T, double>) {
      SHIPWAY_ASSIGN_OR_RETURN(Tensor converted,
                               from_doubles(tensor_.dtype(), tensor_.shape(), values_));
      context.set_output(index_, std::move(converted));
      return Status::ok();
    }
    return Status::internal("float loops over {}", to_string(tensor_.dtype()));
  }

 private:
  RealOutput() = default;
  size_t index_ = 0;
  Tensor tensor_;
  std::vector<T> values_;
  T* data_ = nullptr;
};

}  // namespace shipway
