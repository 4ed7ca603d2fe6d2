// InlineVector: a vector that keeps its first N elements inside itself. For the short lists that are
// everywhere (dims of a shape, inputs of a node), where a heap block each would cost more than the data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace shipway {

/// Elements must be trivially copyable. Up to 2^31 - 1 elements. Iterators are invalidated by growth and by moves.
template <typename T, uint32_t N>
class InlineVector {
  static_assert(std::is_trivially_copyable_v<T> && N > 0);

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  InlineVector() = default;
  explicit InlineVector(size_t count, T value = T()) { resize(count, value); }
  InlineVector(std::initializer_list<T> values) { assign(values.begin(), values.size()); }
  explicit InlineVector(std::span<const T> values) { assign(values.data(), values.size()); }
  template <std::input_iterator It>
  InlineVector(It first, It last) {
    for (; first != last; ++first) push_back(*first);
  }
  InlineVector(const InlineVector& other) { assign(other.data(), other.size()); }
  InlineVector(InlineVector&& other) noexcept { take(other); }
  InlineVector& operator=(const InlineVector& other) {
    if (this != &other) assign(other.data(), other.size());
    return *this;
  }
  InlineVector& operator=(InlineVector&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~InlineVector() { release(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return heap_ ? heap_ : inline_data(); }
  const T* data() const { return heap_ ? heap_ : inline_data(); }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& front() { return data()[0]; }
  const T& front() const { return data()[0]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }
  operator std::span<const T>() const { return {data(), size()}; }

  void clear() { size_ = 0; }
  void reserve(size_t count) {
    if (count > capacity_) grow(count);
  }
  void push_back(T value) {
    if (size_ == capacity_) grow(size_t{size_} + 1);
    data()[size_++] = value;
  }
  void pop_back() { --size_; }
  void resize(size_t count, T value = T()) {
    reserve(count);
    if (count > size_) std::fill(data() + size_, data() + count, value);
    size_ = static_cast<uint32_t>(count);
  }
  iterator insert(const_iterator position, T value) {
    const size_t at = static_cast<size_t>(position - data());
    push_back(value);
    std::rotate(begin() + at, end() - 1, end());
    return begin() + at;
  }
  iterator erase(const_iterator position) { return erase(position, position + 1); }
  iterator erase(const_iterator first, const_iterator last) {
    T* to = data() + (first - data());
    std::copy(data() + (last - data()), data() + size_, to);
    size_ -= static_cast<uint32_t>(last - first);
    return to;
  }
  void assign(const T* values, size_t count) {
    size_ = 0;
    reserve(count);
    std::copy(values, values + count, data());
    size_ = static_cast<uint32_t>(count);
  }

  friend bool operator==(const InlineVector& a, const InlineVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  T* inline_data() { return reinterpret_cast<T*>(inline_); }
  const T* inline_data() const { return reinterpret_cast<const T*>(inline_); }
  void grow(size_t count) {
    const size_t capacity = std::max(count, size_t{capacity_} * 2);
    T* grown = std::allocator<T>().allocate(capacity);
    std::uninitialized_copy(data(), data() + size_, grown);
    const uint32_t kept = size_;
    release();
    heap_ = grown;
    size_ = kept;
    capacity_ = static_cast<uint32_t>(capacity);
  }
  void release() {
    if (heap_) std::allocator<T>().deallocate(heap_, capacity_);
    heap_ = nullptr;
    size_ = 0;
    capacity_ = N;
  }
  void take(InlineVector& other) {
    heap_ = std::exchange(other.heap_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, N);
    if (!heap_) std::memcpy(inline_, other.inline_, size_ * sizeof(T));
  }

  T* heap_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = N;
  alignas(T) std::byte inline_[N * sizeof(T)];
};

}  // namespace shipway
