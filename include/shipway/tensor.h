// Tensor: a block of elements with a dtype and a shape; and the other values that ONNX computes
// with.
#pragma once

#include <atomic>
#include <cassert>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "shipway/dtype.h"
#include "shipway/inline_vector.h"
#include "shipway/status.h"

namespace shipway {

/// The sizes of a tensor, outermost first. Rank 0 is a scalar. Sizes are never negative in a
/// Tensor.
using Shape = InlineVector<int64_t, 6>;

/// "1x3x224x224"; "scalar" for rank 0.
std::string to_string(const Shape& shape);
/// Product of the sizes; an error when one is negative or the product overflows int64.
Result<int64_t> element_count(std::span<const int64_t> shape);
/// Bytes that `count` elements take in memory, packed below 8 bits (strings: sizeof(std::string)
/// each).
Result<int64_t> storage_bytes(DType dtype, int64_t count);

enum class DeviceKind : uint8_t { kCpu, kCuda };
struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  int32_t index = 0;
  friend bool operator==(const Device&, const Device&) = default;
};

/// Memory that tensors share. Owned (64-byte aligned), borrowed from an owner kept alive (a mapped
/// file, a numpy array, an arena), or deferred: made when it is first asked for. Borrowed read-only
/// and deferred memory must not be written.
class Storage {
 public:
  /// `bytes` bytes, uninitialised. kOutOfMemory when the system has none.
  static Result<std::shared_ptr<Storage>> allocate(size_t bytes);
  static std::shared_ptr<Storage> of_strings(std::vector<std::string> strings);
  /// Memory of someone else; `owner` is kept as long as the Storage lives.
  static std::shared_ptr<Storage> borrow(void* data, size_t bytes,
                                         std::shared_ptr<const void> owner);
  static std::shared_ptr<Storage> borrow_read_only(const void* data, size_t bytes,
                                                   std::shared_ptr<const void> owner);
  /// Contents that stand elsewhere in another form (unaligned in a file, packed for a kernel), and
  /// get memory here at the first data() only. `fill` writes all of its argument; it may be called
  /// from any thread. What it throws, data() throws; who asks again calls it again.
  using Fill = std::function<void(std::span<std::byte>)>;
  static std::shared_ptr<Storage> deferred(size_t bytes, Fill fill);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  /// Throws bad_alloc when deferred memory cannot be had.
  std::byte* data() {
    std::byte* data = data_.load(std::memory_order_acquire);
    return data || !deferred_ ? data : make();
  }
  const std::byte* data() const { return const_cast<Storage*>(this)->data(); }
  size_t size() const { return size_; }
  /// True while deferred memory has not been asked for.
  bool is_deferred() const { return deferred_ && !data_.load(std::memory_order_acquire); }
  /// True when memory of its own is taken (deferred: was asked for).
  bool holds_memory() const { return owned_ && data_.load(std::memory_order_acquire); }
  /// Writes the contents to `destination` (size() bytes); deferred ones without memory of their
  /// own.
  void copy_to(std::span<std::byte> destination) const;

  /// What gives memory back that the owner can bring again (pages of a mapped file): called by
  /// rest(). For whoever makes the Storage, before it is shared.
  void set_rest(std::function<void()> rest) { rest_ = std::move(rest); }
  /// Says that the contents are not needed for now. They stay what they are.
  void rest() const {
    if (rest_) rest_();
  }
  bool is_read_only() const { return read_only_; }
  std::vector<std::string>& strings() { return strings_; }
  const std::vector<std::string>& strings() const { return strings_; }

 private:
  struct Deferred;
  Storage();
  std::byte* make();

  std::atomic<std::byte*> data_ = nullptr;
  size_t size_ = 0;
  bool owned_ = false;
  bool read_only_ = false;
  std::shared_ptr<const void> owner_;
  std::unique_ptr<Deferred> deferred_;
  std::function<void()> rest_;
  std::vector<std::string> strings_;
};

/// The DType of a C++ element type (small floats have none: they are read through to_doubles and
/// set by from_doubles of tensor/convert.h).
template <typename T>
inline constexpr DType dtype_of = DType::kUndefined;
template <>
inline constexpr DType dtype_of<float> = DType::kFloat32;
template <>
inline constexpr DType dtype_of<double> = DType::kFloat64;
template <>
inline constexpr DType dtype_of<int8_t> = DType::kInt8;
template <>
inline constexpr DType dtype_of<int16_t> = DType::kInt16;
template <>
inline constexpr DType dtype_of<int32_t> = DType::kInt32;
template <>
inline constexpr DType dtype_of<int64_t> = DType::kInt64;
template <>
inline constexpr DType dtype_of<uint8_t> = DType::kUInt8;
template <>
inline constexpr DType dtype_of<uint16_t> = DType::kUInt16;
template <>
inline constexpr DType dtype_of<uint32_t> = DType::kUInt32;
template <>
inline constexpr DType dtype_of<uint64_t> = DType::kUInt64;
template <>
inline constexpr DType dtype_of<bool> = DType::kBool;
template <>
inline constexpr DType dtype_of<std::complex<float>> = DType::kComplex64;
template <>
inline constexpr DType dtype_of<std::complex<double>> = DType::kComplex128;
template <>
inline constexpr DType dtype_of<std::string> = DType::kString;

/// A cheap handle to shared elements. Copies share the memory. Row-major and contiguous unless
/// strides say otherwise; operators and kernels get contiguous tensors unless they declare that
/// they read strides.
class Tensor {
 public:
  /// No tensor: dtype kUndefined, shape scalar.
  Tensor() = default;

  /// Uninitialised elements (strings: empty). kInvalidArgument for a bad shape, kOutOfMemory
  /// without memory.
  static Result<Tensor> allocate(DType dtype, Shape shape);
  /// As allocate, all bits zero.
  static Result<Tensor> zeros(DType dtype, Shape shape);
  /// Elements in `storage` from `byte_offset` on, contiguous. kInvalidArgument when they do not
  /// fit.
  static Result<Tensor> from_storage(DType dtype, Shape shape, std::shared_ptr<Storage> storage,
                                     size_t byte_offset = 0);
  static Tensor from_strings(Shape shape, std::vector<std::string> strings);
  /// A copy of `values`; their number must be the shape's (throws bad_alloc only).
  template <typename T>
  static Tensor from(Shape shape, std::span<const T> values);
  template <typename T>
  static Tensor from(Shape shape, std::initializer_list<T> values) {
    return from(std::move(shape), std::span<const T>(values.begin(), values.size()));
  }
  template <typename T>
  static Tensor scalar(T value) {
    return from<T>({}, {value});
  }
  /// 1-D of int64: the most common small tensor of a graph.
  static Tensor vector(std::span<const int64_t> values);

  bool is_defined() const { return dtype_ != DType::kUndefined; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  int64_t dim(size_t axis) const { return shape_[axis]; }
  int64_t element_count() const { return element_count_; }
  /// Bytes of the elements (packed below 8 bits).
  int64_t byte_size() const { return byte_size_; }
  Device device() const { return device_; }
  /// Distance between neighbours along each axis, in elements; empty when contiguous.
  const Shape& strides() const { return strides_; }
  bool is_contiguous() const { return strides_.empty(); }

  const void* data() const { return storage_ ? storage_->data() + byte_offset_ : nullptr; }
  /// Null when the storage is read-only.
  void* mutable_data() {
    return storage_ && !storage_->is_read_only() ? storage_->data() + byte_offset_ : nullptr;
  }
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(data()), static_cast<size_t>(byte_size_)};
  }
  /// The elements as T, which must be the dtype's own C++ type (or one of its size).
  template <typename T>
  std::span<const T> as() const {
    assert(!is_sub_byte(dtype_) && bit_width(dtype_) == static_cast<int>(8 * sizeof(T)) &&
           is_contiguous());
    return {static_cast<const T*>(data()), static_cast<size_t>(element_count_)};
  }
  template <typename T>
  std::span<T> mutable_as() {
    assert(!is_sub_byte(dtype_) && bit_width(dtype_) == static_cast<int>(8 * sizeof(T)) &&
           is_contiguous());
    return {static_cast<T*>(mutable_data()), static_cast<size_t>(element_count_)};
  }
  std::span<const std::string> strings() const;
  std::span<std::string> mutable_strings();

  const std::shared_ptr<Storage>& storage() const { return storage_; }
  size_t byte_offset() const { return byte_offset_; }

  /// The same elements under another shape of as many elements (contiguous tensors only).
  Result<Tensor> reshaped(Shape shape) const;
  /// A tensor with strides over the same memory; `strides` in elements, one per axis.
  Tensor with_strides(Shape shape, Shape strides) const;
  /// Itself when contiguous, else a contiguous copy.
  Result<Tensor> contiguous() const;
  /// A copy with memory of its own.
  Result<Tensor> clone() const;

 private:
  std::shared_ptr<Storage> storage_;
  Shape shape_;
  Shape strides_;
  size_t byte_offset_ = 0;
  int64_t element_count_ = 0;
  int64_t byte_size_ = 0;
  DType dtype_ = DType::kUndefined;
  Device device_;
};

/// True when dtype, shape and all bytes (or strings) agree.
bool identical(const Tensor& a, const Tensor& b);
/// "float[2,3] {1, 2, 3, ...}": dtype, shape and the first elements.
std::string to_string(const Tensor& tensor);

/// A tensor of mostly zeros in ONNX's form: values [NNZ], and their places: [NNZ] flat or [NNZ,
/// rank].
struct SparseTensor {
  Tensor values;
  Tensor indices;
  Shape shape;
  Result<Tensor> to_dense() const;
};

class RuntimeValue;
using Sequence = std::vector<RuntimeValue>;
/// A map in ONNX's form, keys sorted; keys are integers or strings.
struct Map {
  std::variant<std::map<int64_t, RuntimeValue>, std::map<std::string, RuntimeValue>> entries;
};

/// Whatever flows along an edge at run time. Absent stands for an input left out and for an empty
/// optional; an optional that holds something is the thing itself.
class RuntimeValue {
 public:
  RuntimeValue() = default;
  RuntimeValue(Tensor tensor) : value_(std::move(tensor)) {}
  RuntimeValue(SparseTensor sparse)
      : value_(std::make_shared<const SparseTensor>(std::move(sparse))) {}
  RuntimeValue(Sequence sequence) : value_(std::make_shared<const Sequence>(std::move(sequence))) {}
  RuntimeValue(Map map) : value_(std::make_shared<const Map>(std::move(map))) {}

  bool is_absent() const { return value_.index() == 0; }
  const Tensor* tensor() const { return std::get_if<Tensor>(&value_); }
  Tensor* tensor() { return std::get_if<Tensor>(&value_); }
  const SparseTensor* sparse() const { return pointed<SparseTensor>(); }
  const Sequence* sequence() const { return pointed<Sequence>(); }
  const Map* map() const { return pointed<Map>(); }

 private:
  template <typename T>
  const T* pointed() const {
    const auto* held = std::get_if<std::shared_ptr<const T>>(&value_);
    return held ? held->get() : nullptr;
  }
  std::variant<std::monostate, Tensor, std::shared_ptr<const SparseTensor>,
               std::shared_ptr<const Sequence>, std::shared_ptr<const Map>>
      value_;
};
std::string to_string(const RuntimeValue& value);

template <typename T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  static_assert(dtype_of<T> != DType::kUndefined);
  if constexpr (std::is_same_v<T, std::string>) {
    return from_strings(std::move(shape), std::vector<std::string>(values.begin(), values.end()));
  } else {
    Tensor tensor = allocate(dtype_of<T>, std::move(shape)).value_or_throw();
    assert(static_cast<size_t>(tensor.element_count()) == values.size());
    std::copy(values.begin(), values.end(), tensor.mutable_as<T>().begin());
    return tensor;
  }
}

}  // namespace shipway
