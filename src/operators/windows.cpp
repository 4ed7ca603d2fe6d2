#include "operators/windows.h"

#include <algorithm>

#include "base/text.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

// Keeps every product of two of these, and sums of a few, inside int64.
constexpr int64_t kMaxWindow = int64_t{1} << 30;

Result<Shape> read_sizes(const AttributeReader& attributes, std::string_view name, size_t rank,
                         int64_t smallest, int64_t fallback) {
  const std::span<const int64_t> values = attributes.schema().attribute(name)
                                              ? attributes.ints_attribute(name)
                                              : std::span<const int64_t>();
  if (values.empty()) return Shape(rank, fallback);
  if (values.size() != rank)
    return Status::invalid_model(
        "attribute '{}' has {} values, expected {}: one for each spatial axis", name, values.size(),
        rank);
  for (int64_t value : values)
    if (value < smallest || value > kMaxWindow)
      return Status::invalid_model("attribute '{}' has the value {}, expected {} to {}", name,
                                   value, smallest, kMaxWindow);
  return Shape(values);
}

Result<Windows::AutoPad> read_auto_pad(const AttributeReader& attributes) {
  if (!attributes.schema().attribute("auto_pad")) return Windows::AutoPad::kNotSet;
  const std::string& name = attributes.string_attribute("auto_pad");
  if (name == "NOTSET" || name.empty()) return Windows::AutoPad::kNotSet;
  if (name == "SAME_UPPER") return Windows::AutoPad::kSameUpper;
  if (name == "SAME_LOWER") return Windows::AutoPad::kSameLower;
  if (name == "VALID") return Windows::AutoPad::kValid;
  return Status::invalid_model(
      "attribute 'auto_pad' is {}, expected NOTSET, SAME_UPPER, SAME_LOWER or VALID", quoted(name));
}

int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

int64_t Windows::taps() const {
  int64_t taps = 1;
  for (int64_t size : kernel) taps *= size;
  return taps;
}

Dim Windows::output_dim(DimTable& dims, size_t axis, Dim size) const {
  if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower)
    return dims.floordiv(dims.add(size, strides[axis] - 1), strides[axis]);  // rounded up
  return window_count(dims, size, kernel[axis], strides[axis], dilations[axis], pads_begin[axis],
                      pads_end[axis], ceil);
}

Result<Shape> Windows::place_on(std::span<const int64_t> input) {
  DimTable dims;
  Shape output(rank());
  for (size_t i = 0; i < rank(); ++i) {
    output[i] = output_dim(dims, i, input[i]).value();
    if (output[i] < 0 || (output[i] == 0 && input[i] > 0))
      return Status::invalid_argument(
          "a window spans {} elements along spatial axis {}, but the input has {} and pads of {} "
          "and {}",
          extent(i), i, input[i], pads_begin[i], pads_end[i]);
    if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower) {
      const int64_t pads =
          std::max<int64_t>(0, (output[i] - 1) * strides[i] + extent(i) - input[i]);
      pads_begin[i] = auto_pad == AutoPad::kSameUpper ? pads / 2 : pads - pads / 2;
      pads_end[i] = pads - pads_begin[i];
    }
  }
  return output;
}

bool Windows::is_pointwise() const {
  for (size_t i = 0; i < rank(); ++i)
    if (kernel[i] != 1 || strides[i] != 1 || pads_begin[i] != 0 || pads_end[i] != 0) return false;
  return true;
}

Result<Windows> read_windows(const AttributeReader& attributes, size_t rank,
                             std::span<const int64_t> kernel) {
  Windows windows;
  SHIPWAY_ASSIGN_OR_RETURN(windows.auto_pad, read_auto_pad(attributes));
  SHIPWAY_ASSIGN_OR_RETURN(windows.kernel, read_sizes(attributes, "kernel_shape", rank, 1, 1));
  SHIPWAY_ASSIGN_OR_RETURN(windows.strides, read_sizes(attributes, "strides", rank, 1, 1));
  SHIPWAY_ASSIGN_OR_RETURN(windows.dilations, read_sizes(attributes, "dilations", rank, 1, 1));
  if (!kernel.empty()) {
    if (attributes.has_attribute("kernel_shape") &&
        !std::equal(kernel.begin(), kernel.end(), windows.kernel.begin(), windows.kernel.end()))
      return Status::invalid_model("attribute 'kernel_shape' is {}, but the weights have {}",
                                   to_string(windows.kernel), to_string(Shape(kernel)));
    windows.kernel = Shape(kernel);
    for (int64_t size : windows.kernel)
      if (size < 1 || size > kMaxWindow)
        return Status::invalid_model("the weights have spatial sizes {}, expected at least 1 each",
                                     to_string(windows.kernel));
  }
  for (size_t i = 0, taps = 1; i < rank; ++i) {
    taps *= static_cast<size_t>(windows.kernel[i]);
    if (taps > static_cast<size_t>(kMaxWindow))
      return Status::invalid_model("a window of {} elements has more than {}",
                                   to_string(windows.kernel), kMaxWindow);
  }
  windows.pads_begin = windows.pads_end = Shape(rank, 0);
  const std::span<const int64_t> pads = attributes.ints_attribute("pads");
  if (!pads.empty() && windows.auto_pad == Windows::AutoPad::kNotSet) {
    if (pads.size() != 2 * rank)
      return Status::invalid_model(
          "attribute 'pads' has {} values, expected {}: begin and end for each spatial axis",
          pads.size(), 2 * rank);
    for (size_t i = 0; i < pads.size(); ++i) {
      if (pads[i] < 0 || pads[i] > kMaxWindow)
        return Status::invalid_model("attribute 'pads' has the value {}, expected 0 to {}", pads[i],
                                     kMaxWindow);
      (i < rank ? windows.pads_begin[i] : windows.pads_end[i - rank]) = pads[i];
    }
  }
  windows.ceil =
      attributes.schema().attribute("ceil_mode") && attributes.int_attribute("ceil_mode") != 0;
  return windows;
}

WindowRows::WindowRows(const Windows& windows, std::span<const int64_t> input,
                       std::span<const int64_t> output)
    : windows_(windows), input_(input), output_(output) {
  if (windows_.is_pointwise() && input_ == output_) {  // one long row is quicker than many
    int64_t size = 1;
    for (int64_t extent : input) size *= extent;
    windows_ = Windows{
        .kernel = {1}, .strides = {1}, .dilations = {1}, .pads_begin = {0}, .pads_end = {0}};
    input_ = output_ = {size};
  }
  for (int64_t size : input_) input_size_ *= size;
  const size_t last = windows_.rank() - 1;
  for (size_t i = 0; i < last; ++i) row_count_ *= output_[i];
  row_length_ = output_[last];
  stride_ = windows_.strides[last];
  for (int64_t tap = 0; tap < windows_.kernel[last]; ++tap) {
    Column column;
    column.shift = tap * windows_.dilations[last] - windows_.pads_begin[last];
    column.begin = column.shift < 0 ? ceil_divide(-column.shift, stride_) : 0;
    const int64_t room = input_[last] - column.shift;
    column.end = room <= 0 ? 0 : std::min(row_length_, ceil_divide(room, stride_));
    column.begin = std::min(column.begin, column.end);
    columns_.push_back(column);
  }
}

std::span<const WindowRows::Tap> WindowRows::taps_of(int64_t row) {
  const size_t last = windows_.rank() - 1;
  taps_.assign(1, Tap{});
  int64_t rows_below = row_count_;
  for (size_t axis = 0; axis < last; ++axis) {
    rows_below /= output_[axis];
    const int64_t first =
        row / rows_below % output_[axis] * windows_.strides[axis] - windows_.pads_begin[axis];
    std::vector<Tap> finer;
    for (const Tap& tap : taps_) {
      for (int64_t k = 0; k < windows_.kernel[axis]; ++k) {
        const int64_t position = first + k * windows_.dilations[axis];
        if (position < 0 || position >= input_[axis]) continue;
        finer.push_back({tap.tap * windows_.kernel[axis] + k, tap.start * input_[axis] + position});
      }
    }
    taps_ = std::move(finer);
  }
  for (Tap& tap : taps_) {
    tap.tap *= windows_.kernel[last];
    tap.start *= input_[last];
  }
  return taps_;
}

}  // namespace shipway
