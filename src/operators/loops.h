// Plain loops that many operators share, for their `evaluate` functions. Numbers are computed in double, int64_t,
// uint64_t or std::complex<double> and converted once at each end (tensor/convert.h); data is moved as bytes.
#pragma once

#include <complex>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

/// Elements of a tensor in the type that its kind computes in.
template <typename T>
Result<std::vector<T>> read_elements(const Tensor& tensor) {
  if constexpr (std::is_same_v<T, double>) return to_doubles(tensor);
  else if constexpr (std::is_same_v<T, int64_t>) return to_ints(tensor);
  else if constexpr (std::is_same_v<T, uint64_t>) return to_uints(tensor);
  else if constexpr (std::is_same_v<T, std::complex<double>>) return to_complexes(tensor);
  else return std::vector<std::string>(tensor.strings().begin(), tensor.strings().end());
}

/// Elements into output `i`, converted to `dtype`.
template <typename T>
Status write_output(EvaluateContext& context, size_t i, DType dtype, const Shape& shape, const std::vector<T>& values) {
  auto tensor = [&]() -> Result<Tensor> {
    if constexpr (std::is_same_v<T, double>) return from_doubles(dtype, shape, values);
    else if constexpr (std::is_same_v<T, int64_t>) return from_ints(dtype, shape, values);
    else if constexpr (std::is_same_v<T, uint64_t>) return from_uints(dtype, shape, values);
    else if constexpr (std::is_same_v<T, std::complex<double>>) return from_complexes(dtype, shape, values);
    else return Tensor::from_strings(shape, values);
  }();
  if (!tensor.is_ok()) return tensor.status();
  context.set_output(i, std::move(tensor).value());
  return Status::ok();
}

/// Calls `visit(T{})` with the type that elements of `dtype` are computed in; `visit` returns a Status.
/// bool computes as uint64_t.
template <typename Visit>
Status visit_compute_type(DType dtype, Visit&& visit) {
  switch (kind_of(dtype)) {
    case DTypeKind::kFloat: return visit(double{});
    case DTypeKind::kSigned: return visit(int64_t{});
    case DTypeKind::kUnsigned:
    case DTypeKind::kBool: return visit(uint64_t{});
    case DTypeKind::kComplex: return visit(std::complex<double>{});
    case DTypeKind::kString: return visit(std::string{});
    case DTypeKind::kNone: break;
  }
  return Status::invalid_argument("there is no tensor to compute with");
}

/// Numpy's broadcasting of shapes.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b);

/// Row-major strides of `shape`, in elements.
Shape strides_of(const Shape& shape);
/// Strides that read `shape` as if it had the broadcast shape `to`: 0 along axes it does not have.
Shape broadcast_strides(const Shape& shape, const Shape& to);

/// Walks all positions of `shape` in row-major order and keeps one offset per operand, moved by its strides.
/// for (StridedWalk walk(shape, {a_strides, b_strides}); !walk.done(); walk.next()) use(walk.offset(0), walk.offset(1));
class StridedWalk {
 public:
  StridedWalk(const Shape& shape, std::vector<Shape> strides);
  bool done() const { return done_; }
  void next();
  int64_t offset(size_t operand) const { return offsets_[operand]; }
  const Shape& index() const { return index_; }

 private:
  Shape shape_, index_;
  std::vector<Shape> strides_;
  std::vector<int64_t> offsets_;
  bool done_ = false;
};

/// What a loop stores results of type R as: bool has no vector of its own.
template <typename R>
using Stored = std::conditional_t<std::is_same_v<std::decay_t<R>, bool>, uint64_t, std::decay_t<R>>;

/// Output 0 [same shape] = f(input 0), element by element, both in T.
template <typename T, typename F>
Status map_elements(EvaluateContext& context, DType out_dtype, F&& f) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<T> values, read_elements<T>(x));
  std::vector<Stored<decltype(f(values[0]))>> results(values.size());
  for (size_t i = 0; i < values.size(); ++i) results[i] = f(values[i]);
  return write_output(context, 0, out_dtype, x.shape(), results);
}

/// Output 0 = f(input 0, input 1) with broadcasting, both read as T.
template <typename T, typename F>
Status zip_elements(EvaluateContext& context, DType out_dtype, F&& f) {
  const Tensor &a = context.input(0), &b = context.input(1);
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, broadcast_shapes(a.shape(), b.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> x, read_elements<T>(a));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> y, read_elements<T>(b));
  std::vector<Stored<decltype(f(x[0], y[0]))>> results;
  results.reserve(static_cast<size_t>(count));
  for (StridedWalk walk(shape, {broadcast_strides(a.shape(), shape), broadcast_strides(b.shape(), shape)});
       !walk.done(); walk.next())
    results.push_back(f(x[static_cast<size_t>(walk.offset(0))], y[static_cast<size_t>(walk.offset(1))]));
  return write_output(context, 0, out_dtype, shape, results);
}

/// Data-moving operators: output `i` of `shape` where element k is element source(k) of `input` (a position, or -1 for
/// zero / empty string). Moves whole elements of any dtype, packed ones too.
Status gather_elements(EvaluateContext& context, size_t i, const Tensor& input, const Shape& shape,
                       const std::function<int64_t(int64_t)>& source);
/// The same as a tensor.
Result<Tensor> take_elements(const EvaluateContext& context, const Tensor& input, const Shape& shape,
                             std::span<const int64_t> sources);

}  // namespace shipway
