// Plain loops that many operators share, for their `evaluate` functions. Numbers are computed in
// double, int64_t, uint64_t or std::complex<double> and converted once at each end
// (tensor/convert.h); data is moved as bytes.
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
  if constexpr (std::is_same_v<T, double>)
    return to_doubles(tensor);
  else if constexpr (std::is_same_v<T, int64_t>)
    return to_ints(tensor);
  else if constexpr (std::is_same_v<T, uint64_t>)
    return to_uints(tensor);
  else if constexpr (std::is_same_v<T, std::complex<double>>)
    return to_complexes(tensor);
  else if (tensor.dtype() != DType::kString)
    return Status::invalid_argument("a tensor of {} where strings are expected",
                                    to_string(tensor.dtype()));
  else
    return std::vector<std::string>(tensor.strings().begin(), tensor.strings().end());
}

/// Elements into output `i`, converted to `dtype`.
template <typename T>
Status write_output(EvaluateContext& context, size_t i, DType dtype, const Shape& shape,
                    const std::vector<T>& values) {
  auto tensor = [&]() -> Result<Tensor> {
    if constexpr (std::is_same_v<T, double>)
      return from_doubles(dtype, shape, values);
    else if constexpr (std::is_same_v<T, int64_t>)
      return from_ints(dtype, shape, values);
    else if constexpr (std::is_same_v<T, uint64_t>)
      return from_uints(dtype, shape, values);
    else if constexpr (std::is_same_v<T, std::complex<double>>)
      return from_complexes(dtype, shape, values);
    else
      return Tensor::from_strings(shape, values);
  }();
  if (!tensor.is_ok()) return tensor.status();
  context.set_output(i, std::move(tensor).value());
  return Status::ok();
}

/// Calls `visit(T{})` with the type that elements of `dtype` are computed in; `visit` returns a
/// Status. bool computes as uint64_t.
template <typename Visit>
Status visit_compute_type(DType dtype, Visit&& visit) {
  switch (kind_of(dtype)) {
    case DTypeKind::kFloat:
      return visit(double{});
    case DTypeKind::kSigned:
      return visit(int64_t{});
    case DTypeKind::kUnsigned:
    case DTypeKind::kBool:
      return visit(uint64_t{});
    case DTypeKind::kComplex:
      return visit(std::complex<double>{});
    case DTypeKind::kString:
      return visit(std::string{});
    case DTypeKind::kNone:
      break;
  }
  return Status::invalid_argument("there is no tensor to compute with");
}

/// Numpy's broadcasting of shapes.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b);

/// A shape around one axis: element (o, k, i) is at (o * size + k) * inner + i. Where another axis
/// is empty there are no lines: `outer` is 0.
struct Lines {
  int64_t outer = 1, size = 1, inner = 1;
  static Lines along(const Shape& shape, int64_t axis);
};

/// Row-major strides of `shape`, in elements.
Shape strides_of(const Shape& shape);
/// Strides that read `shape` as if it had the broadcast shape `to`: 0 along axes it does not have.
Shape broadcast_strides(const Shape& shape, const Shape& to);

/// Walks all positions of `shape` in row-major order and keeps one offset per operand, moved by its
/// strides. for (StridedWalk walk(shape, {a_strides, b_strides}); !walk.done(); walk.next())
/// use(walk.offset(0), walk.offset(1));
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

/// Output 0 [same shape] = f(input 0), element by element, both in T. float32 is computed in double
/// too, but without copies of the whole tensor.
template <typename T, typename F>
Status map_elements(EvaluateContext& context, DType out_dtype, F&& f) {
  const Tensor& x = context.input(0);
  using R = Stored<decltype(f(std::declval<T>()))>;
  if constexpr (std::is_same_v<T, double> && std::is_same_v<R, double>) {
    if (x.dtype() == DType::kFloat32 && out_dtype == DType::kFloat32) {
      SHIPWAY_ASSIGN_OR_RETURN(Tensor y, context.allocate_output(0, out_dtype, x.shape()));
      const std::span<const float> in = x.as<float>();
      const std::span<float> out = y.mutable_as<float>();
      for (size_t i = 0; i < in.size(); ++i)
        out[i] = static_cast<float>(f(static_cast<double>(in[i])));
      return Status::ok();
    }
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(x));
  std::vector<R> results(values.size());
  for (size_t i = 0; i < values.size(); ++i) results[i] = f(values[i]);
  return write_output(context, 0, out_dtype, x.shape(), results);
}

/// out[i] = f(a[..], b[..]) for every position i of `shape` in row-major order, where a and b of
/// their own shapes broadcast to it.
template <typename A, typename B, typename Out, typename F>
void zip_broadcast(const A* a, const Shape& a_shape, const B* b, const Shape& b_shape, Out* out,
                   const Shape& shape, int64_t count, F&& f) {
  if (a_shape == b_shape) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<Out>(f(a[i], b[i]));
    return;
  }
  Shape rows = shape, a_strides = broadcast_strides(a_shape, shape),
        b_strides = broadcast_strides(b_shape, shape);
  int64_t width = 1, a_step = 0, b_step = 0;
  if (!shape.empty()) {  // the last axis is a plain loop
    width = shape.back();
    a_step = a_strides.back();
    b_step = b_strides.back();
    rows.pop_back();
    a_strides.pop_back();
    b_strides.pop_back();
  }
  for (StridedWalk walk(rows, {a_strides, b_strides}); !walk.done(); walk.next()) {
    const A* from_a = a + walk.offset(0);
    const B* from_b = b + walk.offset(1);
    for (int64_t i = 0; i < width; ++i)
      *out++ = static_cast<Out>(f(from_a[i * a_step], from_b[i * b_step]));
  }
}

/// Output 0 = f(input 0, input 1) with broadcasting, both read as T.
template <typename T, typename F>
Status zip_elements(EvaluateContext& context, DType out_dtype, F&& f) {
  const Tensor &a = context.input(0), &b = context.input(1);
  using R = Stored<decltype(f(std::declval<T>(), std::declval<T>()))>;
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, broadcast_shapes(a.shape(), b.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  if constexpr (std::is_same_v<T, double> && std::is_same_v<R, double>) {
    constexpr DType kFloat = DType::kFloat32;
    if (a.dtype() == kFloat && b.dtype() == kFloat && out_dtype == kFloat) {
      SHIPWAY_ASSIGN_OR_RETURN(Tensor y, context.allocate_output(0, kFloat, shape));
      zip_broadcast(a.as<float>().data(), a.shape(), b.as<float>().data(), b.shape(),
                    y.mutable_as<float>().data(), shape, count, [&f](float x, float z) {
                      return f(static_cast<double>(x), static_cast<double>(z));
                    });
      return Status::ok();
    }
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> x, read_elements<T>(a));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> y, read_elements<T>(b));
  std::vector<R> results(static_cast<size_t>(count));
  zip_broadcast(x.data(), a.shape(), y.data(), b.shape(), results.data(), shape, count, f);
  return write_output(context, 0, out_dtype, shape, results);
}

/// Data-moving operators: output `i` of `shape` where element k is element source(k) of `input` (a
/// position, or -1 for zero / empty string). Moves whole elements of any dtype, packed ones too.
Status gather_elements(EvaluateContext& context, size_t i, const Tensor& input, const Shape& shape,
                       const std::function<int64_t(int64_t)>& source);
/// The same as a tensor.
Result<Tensor> take_elements(const EvaluateContext& context, const Tensor& input,
                             const Shape& shape, std::span<const int64_t> sources);

}  // namespace shipway
