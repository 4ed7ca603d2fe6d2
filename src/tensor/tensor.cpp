#include "shipway/tensor.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "tensor/convert.h"

namespace shipway {
namespace {

constexpr size_t kAlignment = 64;  // a cache line, and the widest vector

/// Null when there is none.
std::byte* aligned_bytes(size_t bytes) {
  return static_cast<std::byte*>(::operator new(bytes, std::align_val_t(kAlignment), std::nothrow));
}

struct DTypeName {
  DType dtype;
  std::string_view name;
};
constexpr DTypeName kDTypeNames[] = {
    {DType::kUndefined, "undefined"},
    {DType::kFloat32, "float"},
    {DType::kUInt8, "uint8"},
    {DType::kInt8, "int8"},
    {DType::kUInt16, "uint16"},
    {DType::kInt16, "int16"},
    {DType::kInt32, "int32"},
    {DType::kInt64, "int64"},
    {DType::kString, "string"},
    {DType::kBool, "bool"},
    {DType::kFloat16, "float16"},
    {DType::kFloat64, "double"},
    {DType::kUInt32, "uint32"},
    {DType::kUInt64, "uint64"},
    {DType::kComplex64, "complex64"},
    {DType::kComplex128, "complex128"},
    {DType::kBFloat16, "bfloat16"},
    {DType::kFloat8E4M3FN, "float8e4m3fn"},
    {DType::kFloat8E4M3FNUZ, "float8e4m3fnuz"},
    {DType::kFloat8E5M2, "float8e5m2"},
    {DType::kFloat8E5M2FNUZ, "float8e5m2fnuz"},
    {DType::kUInt4, "uint4"},
    {DType::kInt4, "int4"},
    {DType::kFloat4E2M1, "float4e2m1"},
    {DType::kFloat8E8M0, "float8e8m0"},
    {DType::kUInt2, "uint2"},
    {DType::kInt2, "int2"},
    {DType::kFloat6E2M3, "float6e2m3"},
    {DType::kFloat6E3M2, "float6e3m2"},
};
static_assert(std::size(kDTypeNames) == kDTypeCount);

/// Copies elements of `size` bytes from a strided tensor into consecutive memory.
void gather_strided(const std::byte* source, const Shape& shape, const Shape& strides, size_t size,
                    std::byte* to) {
  const size_t rank = shape.size();
  Shape index(rank, 0);
  int64_t offset = 0;
  while (true) {
    std::memcpy(to, source + offset * static_cast<int64_t>(size), size);
    to += size;
    size_t axis = rank;
    while (axis-- > 0) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
    if (axis == static_cast<size_t>(-1)) return;
  }
}

}  // namespace

std::string_view to_string(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  return index < kDTypeCount ? kDTypeNames[index].name : "undefined";
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeName& entry : kDTypeNames)
    if (entry.name == name && entry.dtype != DType::kUndefined) return entry.dtype;
  return std::nullopt;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (int64_t size : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(size);
  }
  return text;
}

Result<int64_t> element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return Status::invalid_argument("shape {} has a negative size", to_string(Shape(shape)));
    if (size == 0) empty = true;
    overflow |= __builtin_mul_overflow(count, size, &count);
  }
  if (empty) return int64_t{0};
  if (overflow)
    return Status::invalid_argument("shape {} has more elements than 2^63",
                                    to_string(Shape(shape)));
  return count;
}

Result<int64_t> storage_bytes(DType dtype, int64_t count) {
  int64_t bytes = 0;
  const int64_t bits =
      dtype == DType::kString ? int64_t{8 * sizeof(std::string)} : bit_width(dtype);
  if (bits >= 8 ? __builtin_mul_overflow(count, bits / 8, &bytes)
                : __builtin_mul_overflow(count, bits, &bytes))
    return Status::invalid_argument("{} elements of {} have more bytes than 2^63", count,
                                    to_string(dtype));
  return bits >= 8 ? bytes : bytes / 8 + (bytes % 8 != 0);
}

struct Storage::Deferred {
  std::once_flag once;
  Fill fill;
};

Storage::Storage() = default;

Result<std::shared_ptr<Storage>> Storage::allocate(size_t bytes) {
  auto storage = std::shared_ptr<Storage>(new (std::nothrow) Storage());
  if (!storage) return Status::out_of_memory("no memory for a tensor");
  if (bytes > 0) {
    storage->data_ = aligned_bytes(bytes);
    if (!storage->data_) return Status::out_of_memory("no memory for a tensor of {} bytes", bytes);
  }
  storage->size_ = bytes;
  storage->owned_ = true;
  return storage;
}

std::shared_ptr<Storage> Storage::of_strings(std::vector<std::string> strings) {
  auto storage = std::shared_ptr<Storage>(new Storage());
  storage->strings_ = std::move(strings);
  return storage;
}

std::shared_ptr<Storage> Storage::borrow(void* data, size_t bytes,
                                         std::shared_ptr<const void> owner) {
  auto storage = std::shared_ptr<Storage>(new Storage());
  storage->data_ = static_cast<std::byte*>(data);
  storage->size_ = bytes;
  storage->owner_ = std::move(owner);
  return storage;
}

std::shared_ptr<Storage> Storage::borrow_read_only(const void* data, size_t bytes,
                                                   std::shared_ptr<const void> owner) {
  auto storage = borrow(const_cast<void*>(data), bytes, std::move(owner));
  storage->read_only_ = true;
  return storage;
}

std::shared_ptr<Storage> Storage::deferred(size_t bytes, Fill fill) {
  auto storage = std::shared_ptr<Storage>(new Storage());
  storage->size_ = bytes;
  storage->owned_ = storage->read_only_ = true;
  if (bytes == 0) return storage;
  storage->deferred_ = std::make_unique<Deferred>();
  storage->deferred_->fill = std::move(fill);
  return storage;
}

std::byte* Storage::make() {
  std::call_once(deferred_->once, [&] {
    struct Free {
      void operator()(std::byte* data) const {
        ::operator delete(data, std::align_val_t(kAlignment));
      }
    };
    std::unique_ptr<std::byte, Free> data(aligned_bytes(size_));
    if (!data) throw std::bad_alloc();
    deferred_->fill({data.get(), size_});  // may throw
    data_.store(data.release(), std::memory_order_release);
  });
  return data_.load(std::memory_order_acquire);
}

void Storage::copy_to(std::span<std::byte> destination) const {
  assert(destination.size() == size_);
  if (is_deferred())
    deferred_->fill(destination);
  else if (size_ > 0)
    std::memcpy(destination.data(), data(), size_);
}

Storage::~Storage() {
  if (std::byte* data = data_.load(std::memory_order_relaxed); owned_ && data)
    ::operator delete(data, std::align_val_t(kAlignment));
}

Result<Tensor> Tensor::allocate(DType dtype, Shape shape) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shipway::element_count(shape));
  if (dtype == DType::kString) {
    SHIPWAY_RETURN_IF_ERROR(storage_bytes(dtype, count).status());
    return from_strings(std::move(shape), std::vector<std::string>(static_cast<size_t>(count)));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, storage_bytes(dtype, count));
  SHIPWAY_ASSIGN_OR_RETURN(std::shared_ptr<Storage> storage,
                           Storage::allocate(static_cast<size_t>(bytes)));
  return from_storage(dtype, std::move(shape), std::move(storage));
}

Result<Tensor> Tensor::zeros(DType dtype, Shape shape) {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, allocate(dtype, std::move(shape)));
  if (tensor.byte_size_ > 0 && dtype != DType::kString)
    std::memset(tensor.mutable_data(), 0, static_cast<size_t>(tensor.byte_size_));
  return tensor;
}

Result<Tensor> Tensor::from_storage(DType dtype, Shape shape, std::shared_ptr<Storage> storage,
                                    size_t byte_offset) {
  if (dtype == DType::kUndefined) return Status::invalid_argument("a tensor needs a dtype");
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shipway::element_count(shape));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, storage_bytes(dtype, count));
  const size_t available =
      dtype == DType::kString ? storage->strings().size() * sizeof(std::string) : storage->size();
  if (byte_offset > available || static_cast<size_t>(bytes) > available - byte_offset)
    return Status::invalid_argument(
        "a tensor {}[{}] needs {} bytes from offset {} on, but its memory has {}", to_string(dtype),
        to_string(shape), bytes, byte_offset, available);
  Tensor tensor;
  tensor.storage_ = std::move(storage);
  tensor.shape_ = std::move(shape);
  tensor.byte_offset_ = byte_offset;
  tensor.element_count_ = count;
  tensor.byte_size_ = bytes;
  tensor.dtype_ = dtype;
  return tensor;
}

Tensor Tensor::from_strings(Shape shape, std::vector<std::string> strings) {
  return from_storage(DType::kString, std::move(shape), Storage::of_strings(std::move(strings)))
      .value_or_throw();
}

Tensor Tensor::vector(std::span<const int64_t> values) {
  return from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

std::span<const std::string> Tensor::strings() const {
  if (dtype_ != DType::kString || !storage_) return {};
  return std::span<const std::string>(storage_->strings())
      .subspan(byte_offset_ / sizeof(std::string), static_cast<size_t>(element_count_));
}

std::span<std::string> Tensor::mutable_strings() {
  if (dtype_ != DType::kString || !storage_) return {};
  return std::span<std::string>(storage_->strings())
      .subspan(byte_offset_ / sizeof(std::string), static_cast<size_t>(element_count_));
}

Result<Tensor> Tensor::reshaped(Shape shape) const {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shipway::element_count(shape));
  if (count != element_count_)
    return Status::invalid_argument("cannot reshape {} ({} elements) to {} ({} elements)",
                                    to_string(shape_), element_count_, to_string(shape), count);
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, contiguous());
  tensor.shape_ = std::move(shape);
  return tensor;
}

Tensor Tensor::with_strides(Shape shape, Shape strides) const {
  Tensor tensor = *this;
  tensor.shape_ = std::move(shape);
  tensor.strides_ = std::move(strides);
  tensor.element_count_ = 1;
  for (int64_t size : tensor.shape_) tensor.element_count_ *= size;
  tensor.byte_size_ = tensor.element_count_ * bit_width(dtype_) / 8;
  return tensor;
}

Result<Tensor> Tensor::contiguous() const {
  if (is_contiguous()) return *this;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor copy, allocate(dtype_, shape_));
  if (element_count_ > 0)
    gather_strided(static_cast<const std::byte*>(data()), shape_, strides_,
                   static_cast<size_t>(bit_width(dtype_) / 8),
                   static_cast<std::byte*>(copy.mutable_data()));
  return copy;
}

Result<Tensor> Tensor::clone() const {
  if (!is_contiguous()) return contiguous();
  if (!is_defined()) return *this;
  if (dtype_ == DType::kString)
    return from_strings(shape_, std::vector<std::string>(strings().begin(), strings().end()));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor copy, allocate(dtype_, shape_));
  if (byte_size_ > 0) std::memcpy(copy.mutable_data(), data(), static_cast<size_t>(byte_size_));
  return copy;
}

bool identical(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  if (a.dtype() == DType::kString)
    return std::equal(a.strings().begin(), a.strings().end(), b.strings().begin());
  return a.byte_size() == 0 ||
         std::memcmp(a.data(), b.data(), static_cast<size_t>(a.byte_size())) == 0;
}

std::string to_string(const Tensor& tensor) {
  if (!tensor.is_defined()) return "no tensor";
  constexpr int64_t kShown = 8;
  std::string text(to_string(tensor.dtype()));
  text += '[';
  for (size_t i = 0; i < tensor.shape().size(); ++i)
    text += (i ? "," : "") + std::to_string(tensor.shape()[i]);
  text += "] {";
  for (int64_t i = 0; i < std::min(kShown, tensor.element_count()); ++i)
    text += (i ? ", " : "") + element_to_string(tensor, i);
  if (tensor.element_count() > kShown) text += ", ...";
  return text + "}";
}

Result<Tensor> SparseTensor::to_dense() const {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor dense, Tensor::zeros(values.dtype(), shape));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> places, to_ints(indices));
  const bool flat = indices.rank() == 1;
  const auto rank = static_cast<int64_t>(shape.size());
  const int64_t stored = values.element_count();
  if (static_cast<int64_t>(places.size()) != (flat ? stored : stored * rank))
    return Status::invalid_model("a sparse tensor of {} values has {} index entries", stored,
                                 places.size());
  const int bits = bit_width(values.dtype());
  if (bits < 8 && values.dtype() != DType::kString)
    return Status::unsupported("sparse tensors of {}", to_string(values.dtype()));
  for (int64_t i = 0; i < stored; ++i) {
    int64_t place = 0;
    if (flat) {
      place = places[static_cast<size_t>(i)];
    } else {
      for (int64_t axis = 0; axis < rank; ++axis) {
        const int64_t index = places[static_cast<size_t>(i * rank + axis)];
        if (index < 0 || index >= shape[static_cast<size_t>(axis)])
          return Status::invalid_model("sparse tensor index {} is outside axis {} of size {}",
                                       index, axis, shape[static_cast<size_t>(axis)]);
        place = place * shape[static_cast<size_t>(axis)] + index;
      }
    }
    if (place < 0 || place >= dense.element_count())
      return Status::invalid_model("sparse tensor index {} is outside its {} elements", place,
                                   dense.element_count());
    if (values.dtype() == DType::kString) {
      dense.mutable_strings()[static_cast<size_t>(place)] =
          values.strings()[static_cast<size_t>(i)];
    } else {
      std::memcpy(static_cast<std::byte*>(dense.mutable_data()) + place * bits / 8,
                  static_cast<const std::byte*>(values.data()) + i * bits / 8,
                  static_cast<size_t>(bits / 8));
    }
  }
  return dense;
}

std::string to_string(const RuntimeValue& value) {
  if (const Tensor* tensor = value.tensor()) return to_string(*tensor);
  if (const Sequence* sequence = value.sequence())
    return "sequence of " + std::to_string(sequence->size());
  if (value.map()) return "map";
  if (value.sparse()) return "sparse tensor";
  return "absent";
}

}  // namespace shipway
