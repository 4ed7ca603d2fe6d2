// Sums and products that notice overflow: sizes and offsets from files are never added or
// multiplied without.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

namespace shipway {

/// a + b, or nothing when T cannot hold it. Both operands have one type: a conversion could itself
/// overflow.
template <std::integral T>
constexpr std::optional<T> checked_add(T a, std::type_identity_t<T> b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// a * b, or nothing when T cannot hold it.
template <std::integral T>
constexpr std::optional<T> checked_mul(T a, std::type_identity_t<T> b) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// The product of all factors (1 when there is none), or nothing when it overflows. A zero among
/// them makes it 0 even where the others alone would overflow: a shape (0, 2^62, 4) has no
/// elements.
template <std::integral T>
constexpr std::optional<T> checked_product(std::span<const T> factors) {
  for (T factor : factors)
    if (factor == 0) return T{0};
  T product{1};
  for (T factor : factors)
    if (__builtin_mul_overflow(product, factor, &product)) return std::nullopt;
  return product;
}

/// The same for dims, whatever contiguous container holds them.
constexpr std::optional<int64_t> checked_product(std::span<const int64_t> factors) {
  return checked_product<int64_t>(factors);
}

}  // namespace shipway
