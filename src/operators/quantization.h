// What operators on quantised tensors share.
#pragma once

#include <algorithm>
#include <cmath>

#include "shipway/dtype.h"

namespace shipway {

/// A whole number in double, kept inside the range of an integer dtype of at most 32 bits; NaN
/// becomes the lowest.
inline double saturate_to(DType dtype, double value) {
  const bool is_signed = kind_of(dtype) == DTypeKind::kSigned;
  const int bits = bit_width(dtype) - (is_signed ? 1 : 0);
  const double most = std::ldexp(1.0, bits) - 1, least = is_signed ? -std::ldexp(1.0, bits) : 0;
  return value > least ? std::min(value, most) : least;
}

}  // namespace shipway
