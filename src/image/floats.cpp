// Pictures to floats and tensors, and back.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/checked.h"
#include "image/codec.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

constexpr size_t kMaxChannels = 4;

/// Of one channel: t = sample * scale + offset, and sample = (t - offset) / scale.
struct Line {
  double scale, offset;
};

double per_channel(const std::vector<float>& values, size_t channel, double otherwise) {
  if (values.empty()) return otherwise;
  return static_cast<double>(values[values.size() == 1 ? 0 : channel]);
}

Result<std::array<Line, kMaxChannels>> make_lines(const FloatOptions& options, int64_t channels,
                                                  SampleDepth depth) {
  if (channels != 1 && channels != 3 && channels != 4)
    return Status::invalid_argument("a picture has 1, 3 or 4 channels, not {}", channels);
  for (const auto* values : {&options.mean, &options.std})
    if (values->size() > 1 && values->size() != static_cast<size_t>(channels))
      return Status::invalid_argument(
          "{} has {} values, expected none, 1 or {} (one for each channel)",
          values == &options.mean ? "mean" : "std", values->size(), channels);
  const double largest = depth == SampleDepth::k8 ? 255 : 65535;
  const double range = (options.range == ValueRange::k0To255 ? 255 : 1) / largest;
  std::array<Line, kMaxChannels> lines{};
  for (size_t channel = 0; channel < static_cast<size_t>(channels); ++channel) {
    const double mean = per_channel(options.mean, channel, 0),
                 std = per_channel(options.std, channel, 1);
    if (!std::isfinite(mean) || !std::isfinite(std) || std == 0)
      return Status::invalid_argument("mean {} and std {} of channel {} cannot be used", mean, std,
                                      channel);
    lines[channel] = {range / std, -mean / std};
  }
  return lines;
}

/// Where sample (pixel, channel) stands among the floats.
struct Places {
  size_t pixel_step, channel_step;
};
Places places_of(TensorLayout layout, int64_t pixels, int64_t channels) {
  if (layout == TensorLayout::kNchw) return {1, static_cast<size_t>(pixels)};
  return {static_cast<size_t>(channels), 1};
}

template <typename T>
void write_floats(std::span<const T> samples, const Image& image, const FloatOptions& options,
                  const std::array<Line, kMaxChannels>& lines, std::span<float> out) {
  const auto channels = static_cast<size_t>(image.channels);
  const size_t pixels = samples.size() / channels;
  const Places places = places_of(options.layout, image.width * image.height, image.channels);
  for (size_t channel = 0; channel < channels; ++channel) {
    const Line line = lines[channel];
    float* to = out.data() + channel * places.channel_step;
    const T* from = samples.data() + channel;
    for (size_t i = 0; i < pixels; ++i)
      to[i * places.pixel_step] = static_cast<float>(from[i * channels] * line.scale + line.offset);
  }
}

template <typename T>
void write_samples(std::span<const float> values, const Image& image, const FloatOptions& options,
                   const std::array<Line, kMaxChannels>& lines, std::span<T> samples) {
  constexpr double kMost = std::numeric_limits<T>::max();
  const auto channels = static_cast<size_t>(image.channels);
  const size_t pixels = samples.size() / channels;
  const Places places = places_of(options.layout, image.width * image.height, image.channels);
  for (size_t channel = 0; channel < channels; ++channel) {
    const Line line = lines[channel];
    const float* from = values.data() + channel * places.channel_step;
    T* to = samples.data() + channel;
    for (size_t i = 0; i < pixels; ++i) {
      const double sample =
          (static_cast<double>(from[i * places.pixel_step]) - line.offset) / line.scale;
      // The comparison is false for NaN, which becomes 0.
      const double clipped = sample > 0 ? std::min(sample, kMost) : 0.0;
      to[i * channels] = static_cast<T>(std::lrint(clipped));
    }
  }
}

Result<Image> floats_to_image_of(std::span<const float> values, int64_t width, int64_t height,
                                 int64_t channels, const FloatOptions& options, SampleDepth depth) {
  const int64_t sizes[] = {width, height, channels};
  const auto count = checked_product(sizes);
  if (width < 1 || height < 1 || !count || static_cast<uint64_t>(*count) != values.size())
    return Status::invalid_argument(
        "{} values do not make a picture of {} x {} pixels and {} channels", values.size(), width,
        height, channels);
  SHIPWAY_ASSIGN_OR_RETURN(const auto lines, make_lines(options, channels, depth));
  SHIPWAY_ASSIGN_OR_RETURN(Image image, Image::allocate(width, height, channels, depth, INT64_MAX));
  image.order = options.order;
  if (depth == SampleDepth::k8) {
    write_samples(values, image, options, lines, image.mutable_samples<uint8_t>());
  } else {
    write_samples(values, image, options, lines, image.mutable_samples<uint16_t>());
  }
  return image;
}

}  // namespace

Status image_to_floats(const Image& image, const FloatOptions& options, std::span<float> out) {
  return without_throwing([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(check_image(image));
    SHIPWAY_ASSIGN_OR_RETURN(const auto lines,
                             make_lines(options, options.channels, image.depth()));
    if (image.channels != options.channels) {
      SHIPWAY_ASSIGN_OR_RETURN(const Image converted, to_channels(image, options.channels));
      return image_to_floats(converted, options, out);
    }
    if (image.channels > 1 && image.order != options.order) {
      SHIPWAY_ASSIGN_OR_RETURN(const Image converted, to_order(image, options.order));
      return image_to_floats(converted, options, out);
    }
    const size_t needed =
        std::visit([](const auto& samples) { return samples.size(); }, image.pixels);
    if (out.size() != needed)
      return Status::invalid_argument(
          "a picture of {} x {} pixels and {} channels needs {} places, {} are given", image.width,
          image.height, image.channels, needed, out.size());
    if (image.depth() == SampleDepth::k8) {
      write_floats(image.samples<uint8_t>(), image, options, lines, out);
    } else {
      write_floats(image.samples<uint16_t>(), image, options, lines, out);
    }
    return Status::ok();
  });
}

Result<Image> floats_to_image(std::span<const float> values, int64_t width, int64_t height,
                              const FloatOptions& options, SampleDepth depth) {
  return without_throwing(
      [&] { return floats_to_image_of(values, width, height, options.channels, options, depth); });
}

Result<Tensor> image_to_tensor(const Image& image, const FloatOptions& options) {
  return without_throwing([&]() -> Result<Tensor> {
    const Shape shape = options.layout == TensorLayout::kNchw
                            ? Shape{1, options.channels, image.height, image.width}
                            : Shape{1, image.height, image.width, options.channels};
    SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(DType::kFloat32, shape));
    SHIPWAY_RETURN_IF_ERROR(image_to_floats(image, options, tensor.mutable_as<float>()));
    return tensor;
  });
}

Result<Image> tensor_to_image(const Tensor& tensor, const FloatOptions& options,
                              SampleDepth depth) {
  return without_throwing([&]() -> Result<Image> {
    Shape shape = tensor.shape();
    if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
    const bool planes_first = options.layout == TensorLayout::kNchw;
    if (shape.size() == 2) shape.insert(planes_first ? shape.begin() : shape.end(), 1);
    if (shape.size() != 3)
      return Status::invalid_argument(
          "a tensor of shape {} is not one picture: {}, or the same without the 1, is expected",
          tensor.shape(),
          planes_first ? "1 x channels x height x width" : "1 x height x width x channels");
    const int64_t channels = shape[planes_first ? 0 : 2], height = shape[planes_first ? 1 : 0],
                  width = shape[planes_first ? 2 : 1];
    SHIPWAY_ASSIGN_OR_RETURN(const Tensor contiguous, tensor.contiguous());
    if (tensor.dtype() == DType::kFloat32)
      return floats_to_image_of(contiguous.as<float>(), width, height, channels, options, depth);
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> numbers, to_doubles(contiguous));
    const std::vector<float> values(numbers.begin(), numbers.end());
    return floats_to_image_of(values, width, height, channels, options, depth);
  });
}

}  // namespace shipway
