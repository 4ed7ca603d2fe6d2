// Discrete Fourier transforms of one line, for DFT and STFT.
#pragma once

#include <complex>
#include <span>
#include <vector>

namespace shipway {

/// y[k] = sum over n of x[n] exp(-2 pi i k n / N) for a fixed N, or with the other sign (not
/// divided by N). Powers of two by halving; other lengths as a convolution of one (Bluestein 1970):
/// N log N steps either way.
class Fourier {
 public:
  Fourier(size_t length, bool inverse);
  /// In place; `line` has `length` elements.
  void transform(std::span<std::complex<double>> line) const;

 private:
  size_t length_;
  std::vector<std::complex<double>> chirp_;  // exp(-+ pi i n^2 / N); empty for powers of two
  std::vector<std::complex<double>> chirp_spectrum_;
  std::vector<std::complex<double>> roots_;  // exp(-+ 2 pi i n / M) of the power of two M
};

}  // namespace shipway
