// InlineVector: a vector that keeps its first N elements inside itself.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace shipway {

/// A sequence of T whose first N elements need no allocation: the inputs of a node, the dims of a
/// shape. A graph has a million of them, so sizes are 32 bits wide and T is trivially copyable
/// (elements move by memcpy). Behaves like std::vector where names agree; converts to std::span
/// implicitly, as every contiguous range does. Iterators and views are invalid after any change of
/// size and, unlike std::vector's, after a move or swap.
template <typename T, size_t N>
class InlineVector {
  static_assert(std::is_trivially_copyable_v<T> && N > 0);

 public:
  using value_type = T;
  using size_type = size_t;
  using difference_type = ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using pointer = T*;
  using const_pointer = const T*;
  using iterator = T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<iterator>;
  using const_reverse_iterator = std::reverse_iterator<const_iterator>;

  InlineVector() {}
  explicit InlineVector(size_t size, T value = T{}) { resize(size, value); }
  InlineVector(std::initializer_list<T> values) {
    append(std::span<const T>(values.begin(), values.size()));
  }
  explicit InlineVector(std::span<const T> values) { append(values); }
  template <std::input_iterator Iterator>
  InlineVector(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(*first);
  }
  InlineVector(const InlineVector& other) { append(other); }
  InlineVector(InlineVector&& other) noexcept { take(other); }
  InlineVector& operator=(const InlineVector& other) {
    assign(other);
    return *this;
  }
  InlineVector& operator=(InlineVector&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  InlineVector& operator=(std::initializer_list<T> values) {
    assign(std::span<const T>(values.begin(), values.size()));
    return *this;
  }
  ~InlineVector() { release(); }

  T* data() { return is_inline() ? reinterpret_cast<T*>(storage_.inline_bytes) : storage_.heap; }
  const T* data() const {
    return is_inline() ? reinterpret_cast<const T*>(storage_.inline_bytes) : storage_.heap;
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }
  /// True while the elements live in the object itself.
  bool is_inline() const { return capacity_ == N; }

  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  const T* cbegin() const { return begin(); }
  const T* cend() const { return end(); }
  reverse_iterator rbegin() { return reverse_iterator(end()); }
  reverse_iterator rend() { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const { return const_reverse_iterator(begin()); }

  T& operator[](size_t index) {
    assert(index < size_);
    return data()[index];
  }
  const T& operator[](size_t index) const {
    assert(index < size_);
    return data()[index];
  }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void reserve(size_t wanted) {
    if (wanted > capacity_) grow(wanted);
  }
  void clear() { size_ = 0; }
  void resize(size_t size, T value = T{}) {
    reserve(size);
    if (size > size_) std::uninitialized_fill(data() + size_, data() + size, value);
    size_ = static_cast<uint32_t>(size);
  }
  // `value` comes by copy everywhere: it may be an element of this vector, which growing moves.
  void push_back(T value) {
    if (size_ == capacity_) grow(size_t{size_} + 1);
    std::construct_at(data() + size_, value);
    ++size_;
  }
  void pop_back() {
    assert(size_ > 0);
    --size_;
  }
  /// Adds `values` at the end; they may be part of this vector.
  void append(std::span<const T> values) { insert(end(), values); }
  /// Replaces everything by `values`; they may be part of this vector.
  void assign(std::span<const T> values) {
    if (values.size() > capacity_) {
      InlineVector copy(values);
      *this = std::move(copy);
    } else {
      if (!values.empty()) std::memmove(bytes_at(0), values.data(), values.size_bytes());
      size_ = static_cast<uint32_t>(values.size());
    }
  }
  void assign(const T* values, size_t count) { assign(std::span<const T>(values, count)); }
  /// Puts `value` before `position`; returns where it now stands.
  T* insert(const T* position, T value) { return insert(position, std::span<const T>(&value, 1)); }
  /// Puts `values` before `position`; they may be part of this vector.
  T* insert(const T* position, std::span<const T> values) {
    const size_t index = static_cast<size_t>(position - data());
    assert(index <= size_);
    if (values.empty()) return data() + index;
    if (const std::less<const T*> before;
        !before(values.data(), data()) && before(values.data(), end())) {
      const InlineVector copy(values);
      return insert(position, std::span<const T>(copy));
    }
    if (values.size() > kMaxSize - size_) throw std::bad_array_new_length();
    reserve(size_ + values.size());
    std::memmove(bytes_at(index + values.size()), bytes_at(index), (size_ - index) * sizeof(T));
    std::memcpy(bytes_at(index), values.data(), values.size_bytes());
    size_ += static_cast<uint32_t>(values.size());
    return data() + index;
  }
  /// Removes one element, or those in [first, last); returns where the next one now stands.
  T* erase(const T* position) { return erase(position, position + 1); }
  T* erase(const T* first, const T* last) {
    const size_t index = static_cast<size_t>(first - data());
    const size_t count = static_cast<size_t>(last - first);
    assert(index <= size_ && count <= size_ - index);
    if (count > 0) {
      std::memmove(bytes_at(index), bytes_at(index + count), (size_ - index - count) * sizeof(T));
      size_ -= static_cast<uint32_t>(count);
    }
    return data() + index;
  }

  template <size_t M>
  bool operator==(const InlineVector<T, M>& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  static constexpr size_t kMaxSize = std::numeric_limits<uint32_t>::max();

  // The tail is void* for memmove: T may have a constructor of its own, which a warning would ask
  // about.
  void* bytes_at(size_t index) { return static_cast<void*>(data() + index); }

  void grow(size_t wanted) {
    if (wanted > kMaxSize) throw std::bad_array_new_length();
    const size_t capacity = std::min(kMaxSize, std::max(wanted, size_t{capacity_} * 2));
    T* heap = std::allocator<T>().allocate(capacity);
    std::memcpy(static_cast<void*>(heap), bytes_at(0), size_ * sizeof(T));
    release();
    storage_.heap = heap;
    capacity_ = static_cast<uint32_t>(capacity);
  }

  /// Frees the heap block, if any; size_ is left for the caller.
  void release() {
    if (!is_inline()) std::allocator<T>().deallocate(storage_.heap, capacity_);
    capacity_ = N;
  }

  void take(InlineVector& other) noexcept {
    if (other.is_inline()) {
      std::memcpy(static_cast<void*>(storage_.inline_bytes), other.storage_.inline_bytes,
                  other.size_ * sizeof(T));
    } else {
      storage_.heap = other.storage_.heap;
    }
    size_ = other.size_;
    capacity_ = other.capacity_;
    other.size_ = 0;
    other.capacity_ = N;
  }

  union Storage {
    alignas(T) std::byte inline_bytes[N * sizeof(T)];
    T* heap;
  };
  Storage storage_;
  uint32_t size_ = 0;
  uint32_t capacity_ = N;
};

}  // namespace shipway
