#include "operators/fourier.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace shipway {
namespace {

using Complex = std::complex<double>;

/// In place for a power of two; `roots` are its first half of unit roots, in the direction of the
/// transform.
void transform_power_of_two(std::span<Complex> x, std::span<const Complex> roots, bool backwards) {
  const size_t n = x.size();
  for (size_t i = 1, j = 0; i < n; ++i) {  // bits of the position reversed
    size_t bit = n >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (size_t width = 2; width <= n; width *= 2) {
    const size_t half = width / 2, step = n / width;
    for (size_t start = 0; start < n; start += width) {
      for (size_t k = 0; k < half; ++k) {
        const Complex root = backwards ? std::conj(roots[k * step]) : roots[k * step];
        const Complex odd = x[start + k + half] * root;
        x[start + k + half] = x[start + k] - odd;
        x[start + k] += odd;
      }
    }
  }
}

std::vector<Complex> unit_roots(size_t n, double sign) {
  std::vector<Complex> roots(n / 2);
  for (size_t k = 0; k < roots.size(); ++k)
    roots[k] = std::polar(
        1.0, sign * 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n));
  return roots;
}

}  // namespace

Fourier::Fourier(size_t length, bool inverse) : length_(length) {
  const double sign = inverse ? 1 : -1;
  if (length < 2) return;
  if (std::has_single_bit(length)) {
    roots_ = unit_roots(length, sign);
    return;
  }
  const size_t padded = std::bit_ceil(2 * length);
  roots_ = unit_roots(padded, -1);
  // n^2 mod 2N keeps the angle small and exact.
  for (size_t n = 0; n < length; ++n)
    chirp_.push_back(
        std::polar(1.0, sign * std::numbers::pi * static_cast<double>(n * n % (2 * length)) /
                            static_cast<double>(length)));
  chirp_spectrum_.assign(padded, 0);
  for (size_t n = 0; n < length; ++n) {
    chirp_spectrum_[n] = std::conj(chirp_[n]);
    if (n > 0) chirp_spectrum_[padded - n] = std::conj(chirp_[n]);
  }
  transform_power_of_two(chirp_spectrum_, roots_, false);
}

void Fourier::transform(std::span<Complex> line) const {
  if (length_ < 2) return;
  if (chirp_.empty()) return transform_power_of_two(line, roots_, false);
  std::vector<Complex> padded(chirp_spectrum_.size());
  for (size_t n = 0; n < length_; ++n) padded[n] = line[n] * chirp_[n];
  transform_power_of_two(padded, roots_, false);
  for (size_t n = 0; n < padded.size(); ++n) padded[n] *= chirp_spectrum_[n];
  transform_power_of_two(padded, roots_, true);
  for (size_t n = 0; n < length_; ++n)
    line[n] = padded[n] * chirp_[n] / static_cast<double>(padded.size());
}

}  // namespace shipway
