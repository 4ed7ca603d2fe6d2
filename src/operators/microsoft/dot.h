// The dot product that loops over rows of weights or keys share.
#pragma once

#include <cstdint>

namespace shipway {

/// The sum of a[i] * b[i] for i < count, in eight parts, so that the compiler can keep several in a
/// vector.
template <typename T>
double dot(const T* a, const T* b, int64_t count) {
  constexpr int64_t kParts = 8;
  double parts[kParts] = {}, sum = 0;
  int64_t i = 0;
  for (; i + kParts <= count; i += kParts)
    for (int64_t part = 0; part < kParts; ++part)
      parts[part] += static_cast<double>(a[i + part]) * static_cast<double>(b[i + part]);
  for (; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  for (double part : parts) sum += part;
  return sum;
}

}  // namespace shipway
