#include "operators/elements.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tensor/convert.h"

namespace shipway {

/// `tensor` holds whole elements, whatever `dtype` packs.
Elements Elements::over(DType dtype, Tensor tensor) {
  Elements elements;
  elements.dtype_ = dtype;
  elements.tensor_ = std::move(tensor);
  if (dtype == DType::kString) {
    elements.strings_ = const_cast<std::string*>(elements.tensor_.strings().data());
  } else {
    elements.size_ = static_cast<size_t>(bit_width(elements.tensor_.dtype()) / 8);
    elements.data_ = static_cast<std::byte*>(const_cast<void*>(elements.tensor_.data()));
  }
  return elements;
}

Result<Elements> Elements::of(const Tensor& tensor) {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor bytes, unpack_to_bytes(tensor));
  return over(tensor.dtype(), std::move(bytes));
}

Result<Elements> Elements::output(EvaluateContext& context, size_t i, DType dtype,
                                  const Shape& shape) {
  if (is_sub_byte(dtype)) return scratch(context, dtype, shape);
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, context.allocate_output(i, dtype, shape));
  return over(dtype, std::move(tensor));
}

Result<Elements> Elements::scratch(const EvaluateContext& context, DType dtype,
                                   const Shape& shape) {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor,
                           context.allocate(is_sub_byte(dtype) ? DType::kUInt8 : dtype, shape));
  return over(dtype, std::move(tensor));
}

Result<Elements> Elements::output_copy(EvaluateContext& context, size_t i, const Tensor& tensor) {
  SHIPWAY_ASSIGN_OR_RETURN(const Elements from, of(tensor));
  SHIPWAY_ASSIGN_OR_RETURN(Elements to, output(context, i, tensor.dtype(), tensor.shape()));
  to.copy(0, from, 0, from.count());
  return to;
}

Result<Tensor> Elements::take_tensor() {
  if (is_sub_byte(dtype_)) return pack_from_bytes(dtype_, tensor_);
  return std::move(tensor_);
}

Status Elements::finish(EvaluateContext& context, size_t i) {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, take_tensor());
  context.set_output(i, std::move(tensor));
  return Status::ok();
}

void Elements::copy(int64_t to, const Elements& from, int64_t at, int64_t count) {
  if (count <= 0) return;
  if (strings_) {
    std::copy_n(from.strings_ + at, count, strings_ + to);
  } else {
    std::memcpy(place(to), from.place(at), static_cast<size_t>(count) * size_);
  }
}

namespace {

/// Calls `visit` with a type that has elements of `size` bytes.
template <typename Visit>
void visit_size(size_t size, Visit&& visit) {
  switch (size) {
    case 1:
      return visit(uint8_t{});
    case 2:
      return visit(uint16_t{});
    case 4:
      return visit(uint32_t{});
    case 8:
      return visit(uint64_t{});
    default:
      return visit(std::array<uint64_t, 2>{});
  }
}

template <typename T>
void take_typed(T* to, const T* from, std::span<const int64_t> sources) {
  for (size_t k = 0; k < sources.size(); ++k) to[k] = sources[k] < 0 ? T{} : from[sources[k]];
}

/// The innermost axis at once, the others counted like an odometer.
template <typename T>
void copy_typed(const Shape& shape, T* to, const Shape& to_strides, const T* from,
                const Shape& strides) {
  if (shape.empty()) {
    *to = *from;
    return;
  }
  const size_t inner = shape.size() - 1;
  const int64_t width = shape[inner], to_step = to_strides[inner], step = strides[inner];
  Shape index(shape.size(), 0);
  while (true) {
    if (to_step == 1 && step == 1) {
      std::copy_n(from, width, to);
    } else if (to_step == 1 && step == 0) {
      std::fill_n(to, width, *from);
    } else {
      for (int64_t k = 0; k < width; ++k) to[k * to_step] = from[k * step];
    }
    size_t axis = inner;
    while (axis > 0) {
      --axis;
      to += to_strides[axis];
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      to -= to_strides[axis] * shape[axis];
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (inner == 0) return;
  }
}

}  // namespace

void Elements::take(const Elements& from, std::span<const int64_t> sources) {
  if (strings_) return take_typed(strings_, from.strings_, sources);
  visit_size(size_, [&]<typename T>(T) {
    take_typed(reinterpret_cast<T*>(data_), reinterpret_cast<const T*>(from.data_), sources);
  });
}

void Elements::fill(const Elements& value, int64_t at) {
  if (strings_) {
    std::fill_n(strings_, count(), value.strings_[at]);
    return;
  }
  visit_size(size_, [&]<typename T>(T) {
    std::fill_n(reinterpret_cast<T*>(data_), count(), *reinterpret_cast<const T*>(value.place(at)));
  });
}

void Elements::clear() {
  if (strings_) {
    std::fill_n(strings_, count(), std::string());
  } else if (count() > 0) {
    std::memset(data_, 0, static_cast<size_t>(count()) * size_);
  }
}

void Elements::copy_strided(const Shape& shape, int64_t to, const Shape& to_strides,
                            const Elements& from, int64_t at, const Shape& strides) {
  // Axes of size 1 go, and neighbours that are one longer axis on both sides become one.
  Shape sizes, to_steps, steps;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return;
    if (shape[i] == 1) continue;
    if (!sizes.empty() && to_steps.back() == to_strides[i] * shape[i] &&
        steps.back() == strides[i] * shape[i]) {
      sizes.back() *= shape[i];
      to_steps.back() = to_strides[i];
      steps.back() = strides[i];
    } else {
      sizes.push_back(shape[i]);
      to_steps.push_back(to_strides[i]);
      steps.push_back(strides[i]);
    }
  }
  if (strings_) return copy_typed(sizes, strings_ + to, to_steps, from.strings_ + at, steps);
  visit_size(size_, [&]<typename T>(T) {
    copy_typed(sizes, reinterpret_cast<T*>(data_) + to, to_steps,
               reinterpret_cast<const T*>(from.data_) + at, steps);
  });
}

}  // namespace shipway
