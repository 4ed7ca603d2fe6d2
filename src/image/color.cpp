// Order, number and depth of channels.
#include <algorithm>
#include <array>
#include <utility>

#include "image/codec.h"

namespace shipway {
namespace {

/// Calls `body(source samples, result samples)` with the sample type of both pictures.
template <typename Body>
void for_samples(const Image& source, Image& result, const Body& body) {
  if (source.depth() == SampleDepth::k8) {
    body(source.samples<uint8_t>(), result.mutable_samples<uint8_t>());
  } else {
    body(source.samples<uint16_t>(), result.mutable_samples<uint16_t>());
  }
}

Result<Image> like(const Image& image, int64_t channels) {
  SHIPWAY_RETURN_IF_ERROR(check_image(image));
  SHIPWAY_ASSIGN_OR_RETURN(
      Image result, Image::allocate(image.width, image.height, channels, image.depth(), INT64_MAX));
  result.order = image.order;
  return result;
}

// ITU-R BT.601 in 16 fraction bits, as Pillow's convert("L") has it: the weights sum to 2^16.
template <typename T>
T grey_of(T red, T green, T blue) {
  return static_cast<T>(
      (uint64_t{red} * 19595 + uint64_t{green} * 38470 + uint64_t{blue} * 7471 + 0x8000) >> 16);
}

}  // namespace

Result<Image> to_order(const Image& image, ChannelOrder order) {
  return without_throwing([&]() -> Result<Image> {
    SHIPWAY_RETURN_IF_ERROR(check_image(image));
    Image result = image;
    if (image.order == order) return result;
    result.order = order;
    if (image.channels == 1) return result;
    for_samples(image, result, [&](auto, auto samples) {
      for (size_t i = 0; i < samples.size(); i += static_cast<size_t>(image.channels))
        std::swap(samples[i], samples[i + 2]);
    });
    return result;
  });
}

Result<Image> to_channels(const Image& image, int64_t channels) {
  return without_throwing([&]() -> Result<Image> {
    SHIPWAY_ASSIGN_OR_RETURN(Image result, like(image, channels));
    const size_t red = image.order == ChannelOrder::kRgb ? 0 : 2, blue = 2 - red;
    const auto from_step = static_cast<size_t>(image.channels),
               to_step = static_cast<size_t>(channels);
    for_samples(image, result, [&](auto from, auto to) {
      using T = typename decltype(to)::value_type;
      for (size_t i = 0, o = 0; i < from.size(); i += from_step, o += to_step) {
        if (to_step == 1) {
          to[o] = from_step == 1 ? from[i] : grey_of<T>(from[i + red], from[i + 1], from[i + blue]);
          continue;
        }
        for (size_t channel = 0; channel < 3; ++channel)
          to[o + channel] = from[from_step == 1 ? i : i + channel];
        if (to_step == 4) to[o + 3] = from_step == 4 ? from[i + 3] : std::numeric_limits<T>::max();
      }
    });
    return result;
  });
}

Result<Image> to_depth(const Image& image, SampleDepth depth) {
  return without_throwing([&]() -> Result<Image> {
    SHIPWAY_RETURN_IF_ERROR(check_image(image));
    if (image.depth() == depth) return image;
    SHIPWAY_ASSIGN_OR_RETURN(
        Image result, Image::allocate(image.width, image.height, image.channels, depth, INT64_MAX));
    result.order = image.order;
    if (depth == SampleDepth::k16) {
      std::ranges::transform(image.samples<uint8_t>(), result.mutable_samples<uint16_t>().begin(),
                             [](uint8_t v) { return static_cast<uint16_t>(v * 257); });
    } else {
      std::ranges::transform(image.samples<uint16_t>(), result.mutable_samples<uint8_t>().begin(),
                             [](uint16_t v) { return static_cast<uint8_t>((v + 128) / 257); });
    }
    return result;
  });
}

Result<Image> drop_alpha(const Image& image) {
  return to_channels(image, image.has_alpha() ? 3 : image.channels);
}

Result<Image> composite_over(const Image& image, uint8_t red, uint8_t green, uint8_t blue) {
  return without_throwing([&]() -> Result<Image> {
    if (!image.has_alpha()) return to_channels(image, image.channels);
    SHIPWAY_ASSIGN_OR_RETURN(Image result, like(image, 3));
    std::array<uint64_t, 3> background = {red, green, blue};
    if (image.order == ChannelOrder::kBgr) std::swap(background[0], background[2]);
    for_samples(image, result, [&](auto from, auto to) {
      using T = typename decltype(to)::value_type;
      constexpr uint64_t kMost = std::numeric_limits<T>::max();
      for (size_t i = 0, o = 0; i < from.size(); i += 4, o += 3) {
        const uint64_t alpha = from[i + 3];
        for (size_t channel = 0; channel < 3; ++channel) {
          const uint64_t behind = background[channel] * (kMost / 255);
          to[o + channel] = static_cast<T>(
              (from[i + channel] * alpha + behind * (kMost - alpha) + kMost / 2) / kMost);
        }
      }
    });
    return result;
  });
}

Result<Image> alpha_plane(const Image& image) {
  return without_throwing([&]() -> Result<Image> {
    SHIPWAY_ASSIGN_OR_RETURN(Image result, like(image, 1));
    result.order = ChannelOrder::kRgb;
    for_samples(image, result, [&](auto from, auto to) {
      using T = typename decltype(to)::value_type;
      for (size_t o = 0; o < to.size(); ++o)
        to[o] = image.has_alpha() ? from[o * 4 + 3] : std::numeric_limits<T>::max();
    });
    return result;
  });
}

Result<Image> with_alpha(const Image& image, const Image& alpha) {
  return without_throwing([&]() -> Result<Image> {
    SHIPWAY_RETURN_IF_ERROR(check_image(alpha));
    if (alpha.width != image.width || alpha.height != image.height || alpha.channels != 1)
      return Status::invalid_argument(
          "alpha has {} x {} pixels and {} channels, expected {} x {} and 1", alpha.width,
          alpha.height, alpha.channels, image.width, image.height);
    if (alpha.depth() != image.depth()) {
      SHIPWAY_ASSIGN_OR_RETURN(const Image same_depth, to_depth(alpha, image.depth()));
      return with_alpha(image, same_depth);
    }
    SHIPWAY_ASSIGN_OR_RETURN(Image result, to_channels(image, 4));
    for_samples(alpha, result, [&](auto from, auto to) {
      for (size_t i = 0; i < from.size(); ++i) to[i * 4 + 3] = from[i];
    });
    return result;
  });
}

}  // namespace shipway
