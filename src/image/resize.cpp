// Separable resampling, one axis after the other, as Pillow's (src/libImaging/Resample.c), to the
// byte for 8-bit pictures: the weights of an output pixel are sampled from the filter at the
// distance of pixel centres and normalised.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/checked.h"
#include "image/codec.h"

namespace shipway {
namespace {

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

/// The filter at distance x from its centre, in pixels of the coarser grid.
double weight(const ResizeOptions& options, double x) {
  switch (options.filter) {
    case ResizeFilter::kNearest:
      return 0;  // never asked
    case ResizeFilter::kBox:
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    case ResizeFilter::kBilinear:
      return std::max(0.0, 1 - std::fabs(x));
    case ResizeFilter::kBicubic: {
      // Keys' cubic convolution: (a+2)|x|^3 - (a+3)|x|^2 + 1 below 1, a(|x|^3 - 5|x|^2 + 8|x| - 4)
      // below 2.
      const double a = options.cubic_coefficient;
      x = std::fabs(x);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    }
    case ResizeFilter::kLanczos:
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

double support_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kNearest:
      return 0;
    case ResizeFilter::kBox:
      return 0.5;
    case ResizeFilter::kBilinear:
      return 1;
    case ResizeFilter::kBicubic:
      return 2;
    case ResizeFilter::kLanczos:
      return 3;
  }
  return 0;
}

/// What each output place along one axis is made of: `count` input places from `first` on, and
/// their weights.
template <typename Weight>
struct Taps {
  struct Range {
    int64_t first, count;
  };
  std::vector<Range> ranges;
  std::vector<Weight> weights;  // `stride` places for each output
  size_t stride = 0;
  const Weight* weights_of(int64_t output) const {
    return weights.data() + static_cast<size_t>(output) * stride;
  }
};

constexpr int kFractionBits = 32 - 8 - 2;  // Pillow's: 8 bits of sample, 2 for overshoot

template <typename Weight>
Taps<Weight> make_taps(int64_t in_size, int64_t out_size, const ResizeOptions& options) {
  const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
  const double filter_scale = options.antialias == Antialias::kYes ? std::max(1.0, scale) : 1.0;
  const double support = support_of(options.filter) * filter_scale;
  Taps<Weight> taps;
  // A hostile size would need more memory than there is; the widest range is bounded by the input.
  taps.stride =
      static_cast<size_t>(std::min(std::ceil(support) * 2 + 1, static_cast<double>(in_size)));
  const auto places = checked_mul(static_cast<size_t>(out_size), taps.stride);
  if (!places || *places > SIZE_MAX / 16) throw std::bad_alloc();
  taps.ranges.reserve(static_cast<size_t>(out_size));
  taps.weights.resize(*places);
  std::vector<double> window(taps.stride);
  for (int64_t place = 0; place < out_size; ++place) {
    const double center = (static_cast<double>(place) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(center - support + 0.5));
    const int64_t last = std::min(in_size, static_cast<int64_t>(center + support + 0.5));
    const int64_t count = std::clamp<int64_t>(last - first, 0, static_cast<int64_t>(taps.stride));
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double distance =
          (static_cast<double>(i + first) - center + 0.5) * (1.0 / filter_scale);
      window[static_cast<size_t>(i)] = weight(options, distance);
      sum += window[static_cast<size_t>(i)];
    }
    Weight* to = taps.weights.data() + static_cast<size_t>(place) * taps.stride;
    for (int64_t i = 0; i < count; ++i) {
      const double share =
          sum != 0 ? window[static_cast<size_t>(i)] / sum : window[static_cast<size_t>(i)];
      if constexpr (std::is_integral_v<Weight>) {
        to[i] = static_cast<Weight>((share < 0 ? -0.5 : 0.5) + share * (1 << kFractionBits));
      } else {
        to[i] = static_cast<Weight>(share);
      }
    }
    taps.ranges.push_back({first, count});
  }
  return taps;
}

// How sums are kept and become samples again: bytes as Pillow keeps them, floats in double.
struct ByteArithmetic {
  using Sample = uint8_t;
  using Weight = int32_t;
  static constexpr int32_t kStart = 1 << (kFractionBits - 1);
  static uint8_t finish(int32_t sum) {
    return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
  }
};
struct FloatArithmetic {
  using Sample = float;
  using Weight = double;
  static constexpr double kStart = 0;
  static float finish(double sum) { return static_cast<float>(sum); }
};

template <typename A, int kChannels>
void resize_rows(const typename A::Sample* from, int64_t in_width, int64_t height,
                 const Taps<typename A::Weight>& taps, typename A::Sample* to) {
  for (int64_t y = 0; y < height; ++y, from += in_width * kChannels) {
    for (size_t x = 0; x < taps.ranges.size(); ++x) {
      const auto [first, count] = taps.ranges[x];
      const auto* weights = taps.weights_of(static_cast<int64_t>(x));
      const auto* pixel = from + first * kChannels;
      typename A::Weight sums[kChannels];
      for (auto& sum : sums) sum = A::kStart;
      for (int64_t i = 0; i < count; ++i, pixel += kChannels)
        for (int c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weights[i];
      for (int c = 0; c < kChannels; ++c) *to++ = A::finish(sums[c]);
    }
  }
}

template <typename A>
void resize_columns(const typename A::Sample* from, int64_t row_samples,
                    const Taps<typename A::Weight>& taps, typename A::Sample* to) {
  std::vector<typename A::Weight> sums(static_cast<size_t>(row_samples));
  for (size_t y = 0; y < taps.ranges.size(); ++y) {
    const auto [first, count] = taps.ranges[y];
    std::fill(sums.begin(), sums.end(), A::kStart);
    for (int64_t i = 0; i < count; ++i) {
      const auto share = taps.weights_of(static_cast<int64_t>(y))[i];
      const auto* row = from + (first + i) * row_samples;
      for (size_t x = 0; x < sums.size(); ++x) sums[x] += row[x] * share;
    }
    for (const auto sum : sums) *to++ = A::finish(sum);
  }
}

template <typename A>
using Samples = std::vector<typename A::Sample>;

template <typename A>
Samples<A> with_width(std::span<const typename A::Sample> source, int64_t width, int64_t height,
                      int64_t channels, int64_t new_width, const ResizeOptions& options) {
  if (new_width == width) return Samples<A>(source.begin(), source.end());
  Samples<A> result(static_cast<size_t>(new_width * height * channels));
  const auto taps = make_taps<typename A::Weight>(width, new_width, options);
  switch (channels) {
    case 1:
      resize_rows<A, 1>(source.data(), width, height, taps, result.data());
      break;
    case 3:
      resize_rows<A, 3>(source.data(), width, height, taps, result.data());
      break;
    case 4:
      resize_rows<A, 4>(source.data(), width, height, taps, result.data());
      break;
    default:
      break;  // resize_floats takes such pictures apart
  }
  return result;
}

template <typename A>
Samples<A> with_height(Samples<A> source, int64_t row_samples, int64_t height, int64_t new_height,
                       const ResizeOptions& options) {
  if (new_height == height) return source;
  Samples<A> result(static_cast<size_t>(new_height * row_samples));
  resize_columns<A>(source.data(), row_samples,
                    make_taps<typename A::Weight>(height, new_height, options), result.data());
  return result;
}

/// Rows first unless columns shrink by more than twice as many pixels: the rule of Pillow 13 (found
/// by comparison; before, rows always came first), which shows in the rounding. Nothing between is
/// larger than both pictures.
template <typename A>
Samples<A> resample(std::span<const typename A::Sample> source, int64_t width, int64_t height,
                    int64_t channels, int64_t new_width, int64_t new_height,
                    const ResizeOptions& options) {
  if (new_height < height && height - new_height > 2 * (width - new_width)) {
    const auto low = with_height<A>(Samples<A>(source.begin(), source.end()), width * channels,
                                    height, new_height, options);
    return with_width<A>(low, width, new_height, channels, new_width, options);
  }
  return with_height<A>(with_width<A>(source, width, height, channels, new_width, options),
                        new_width * channels, height, new_height, options);
}

template <typename T>
std::vector<T> resize_nearest(std::span<const T> source, int64_t width, int64_t height,
                              int64_t channels, int64_t new_width, int64_t new_height) {
  // Steps are summed up, as Pillow does (src/libImaging/Geometry.c, ImagingScaleAffine): it decides
  // ties.
  auto places = [](int64_t in_size, int64_t out_size) {
    std::vector<int64_t> from(static_cast<size_t>(out_size));
    const double step = static_cast<double>(in_size) / static_cast<double>(out_size);
    double position = step * 0.5;
    for (int64_t& place : from) {
      place = std::min(static_cast<int64_t>(position), in_size - 1);
      position += step;
    }
    return from;
  };
  const std::vector<int64_t> columns = places(width, new_width), rows = places(height, new_height);
  std::vector<T> result(static_cast<size_t>(new_width * new_height * channels));
  T* to = result.data();
  for (int64_t row : rows)
    for (int64_t column : columns)
      to = std::copy_n(source.data() + (row * width + column) * channels, channels, to);
  return result;
}

// Colours are weighted by their alpha, or transparent pixels would bleed into the edges. As
// Pillow's RGBa mode.
void premultiply(std::span<uint8_t> rgba) {
  for (size_t i = 0; i < rgba.size(); i += 4)
    for (size_t c = 0; c < 3; ++c) {
      const unsigned product = unsigned{rgba[i + c]} * rgba[i + 3] + 128;
      rgba[i + c] = static_cast<uint8_t>(((product >> 8) + product) >> 8);
    }
}
void unpremultiply(std::span<uint8_t> rgba) {
  for (size_t i = 0; i < rgba.size(); i += 4) {
    const unsigned alpha = rgba[i + 3];
    if (alpha == 0 || alpha == 255) continue;
    for (size_t c = 0; c < 3; ++c)
      rgba[i + c] = static_cast<uint8_t>(std::min(255u, 255u * rgba[i + c] / alpha));
  }
}

std::vector<uint8_t> resize_samples(std::vector<uint8_t> samples, const Image& image, int64_t width,
                                    int64_t height, const ResizeOptions& options) {
  if (image.has_alpha()) premultiply(samples);
  auto result = resample<ByteArithmetic>(samples, image.width, image.height, image.channels, width,
                                         height, options);
  if (image.has_alpha()) unpremultiply(result);
  return result;
}

std::vector<uint16_t> resize_samples(const std::vector<uint16_t>& samples, const Image& image,
                                     int64_t width, int64_t height, const ResizeOptions& options) {
  std::vector<float> values(samples.begin(), samples.end());
  if (image.has_alpha())
    for (size_t i = 0; i < values.size(); ++i)
      if (i % 4 != 3) values[i] *= values[i | 3] / 65535.0f;
  values = resample<FloatArithmetic>(values, image.width, image.height, image.channels, width,
                                     height, options);
  std::vector<uint16_t> result(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const float alpha = image.has_alpha() && i % 4 != 3 ? values[i | 3] / 65535.0f : 1.0f;
    const float value = alpha > 0 ? values[i] / alpha : 0.0f;
    result[i] = static_cast<uint16_t>(std::lrint(std::clamp(value, 0.0f, 65535.0f)));
  }
  return result;
}

Status check_target(int64_t width, int64_t height, const ResizeOptions& options) {
  SHIPWAY_RETURN_IF_ERROR(check_size(width, height, options.max_pixels).with_context("resizing"));
  if (!std::isfinite(options.cubic_coefficient) || std::fabs(options.cubic_coefficient) > 1)
    return Status::invalid_argument("cubic_coefficient is {}, expected -1 to 1",
                                    options.cubic_coefficient);
  return Status::ok();
}

}  // namespace

Result<Image> resize(const Image& image, int64_t width, int64_t height,
                     const ResizeOptions& options) {
  return without_throwing([&]() -> Result<Image> {
    SHIPWAY_RETURN_IF_ERROR(check_image(image));
    SHIPWAY_RETURN_IF_ERROR(check_target(width, height, options));
    Image result{
        .width = width, .height = height, .channels = image.channels, .order = image.order};
    if (width == image.width && height == image.height) return image;
    std::visit(
        [&](const auto& samples) {
          if (options.filter == ResizeFilter::kNearest) {
            result.pixels = resize_nearest(std::span(samples), image.width, image.height,
                                           image.channels, width, height);
          } else {
            result.pixels = resize_samples(samples, image, width, height, options);
          }
        },
        image.pixels);
    return result;
  });
}

Result<std::vector<float>> resize_floats(std::span<const float> hwc, int64_t width, int64_t height,
                                         int64_t channels, int64_t new_width, int64_t new_height,
                                         const ResizeOptions& options) {
  using Floats = std::vector<float>;
  return without_throwing([&]() -> Result<Floats> {
    const int64_t sizes[] = {width, height, channels};
    const auto count = checked_product(sizes);
    if (width < 1 || height < 1 || channels < 1 || !count ||
        static_cast<uint64_t>(*count) != hwc.size())
      return Status::invalid_argument("{} x {} pixels and {} channels do not make {} values", width,
                                      height, channels, hwc.size());
    SHIPWAY_RETURN_IF_ERROR(check_target(new_width, new_height, options));
    const int64_t new_sizes[] = {new_width, std::max(height, new_height), channels};
    if (const auto needed = checked_product(new_sizes); !needed || *needed > INT64_MAX / 64)
      throw std::bad_alloc();
    if (options.filter == ResizeFilter::kNearest)
      return resize_nearest(hwc, width, height, channels, new_width, new_height);
    if (channels == 1 || channels == 3 || channels == 4)
      return resample<FloatArithmetic>(hwc, width, height, channels, new_width, new_height,
                                       options);
    Floats result(static_cast<size_t>(new_width * new_height * channels));
    Floats plane(static_cast<size_t>(width * height));
    const auto step = static_cast<size_t>(channels);
    for (size_t channel = 0; channel < step; ++channel) {
      for (size_t i = 0; i < plane.size(); ++i) plane[i] = hwc[i * step + channel];
      const Floats resized =
          resample<FloatArithmetic>(plane, width, height, 1, new_width, new_height, options);
      for (size_t i = 0; i < resized.size(); ++i) result[i * step + channel] = resized[i];
    }
    return result;
  });
}

}  // namespace shipway
