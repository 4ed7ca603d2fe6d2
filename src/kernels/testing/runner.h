// Runs one plan on one instance: buffers of the exact size (so that a sanitizer sees a read past
// the end), values in the plan's layouts, weights packed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "kernels/testing/kernel_case.h"

namespace shipway::kernels::testing {

/// Bytes on the heap: exactly `size` of them (for kernels), or aligned to 64 (for scratch and
/// packed weights). A sanitizer sees a step past the end; elsewhere NaNs stand there, which a sum
/// that reads them shows, and which must be there still afterwards.
class Buffer {
 public:
  explicit Buffer(size_t size, size_t alignment = 4)
      : size_(size), bytes_(new std::byte[size + kGuard + (alignment > 16 ? alignment : 0)]) {
    const auto address = reinterpret_cast<uintptr_t>(bytes_.get());
    offset_ = alignment > 16 ? (alignment - address % alignment) % alignment : 0;
    std::memset(data() + size_, 0xff, kGuard);
  }
  std::byte* data() { return bytes_.get() + offset_; }
  const std::byte* data() const { return bytes_.get() + offset_; }
  size_t size() const { return size_; }
  bool is_intact() const {
    return std::all_of(data() + size_, data() + size_ + kGuard,
                       [](std::byte byte) { return byte == std::byte{0xff}; });
  }

 private:
#if defined(__SANITIZE_ADDRESS__) || defined(__has_feature)
  static constexpr size_t kGuard = 0;
#else
  static constexpr size_t kGuard = 256;
#endif
  size_t size_, offset_ = 0;
  std::unique_ptr<std::byte[]> bytes_;
};

/// Position of [n][c][s] in `layout`.
inline size_t layout_index(Layout layout, const Operand::Channels& shape, int64_t n, int64_t c,
                           int64_t s) {
  if (!layout.is_blocked())
    return static_cast<size_t>((n * shape.channels + c) * shape.spatial + s);
  const int64_t blocks = (shape.channels + layout.block - 1) / layout.block;
  return static_cast<size_t>(((n * blocks + c / layout.block) * shape.spatial + s) * layout.block +
                             c % layout.block);
}

class PreparedRun {
 public:
  /// `alignment` of inputs and outputs: 4 gives buffers whose end is the end of the allocation (for
  /// the suite), 64 what an engine's arena gives (for benchmarks).
  PreparedRun(const KernelPlan& plan, const BoundKernel& bound, const Instance& instance,
              size_t alignment = 4)
      : bound_(bound),
        alignment_(alignment),
        scratch_(static_cast<size_t>(bound.scratch_bytes), 64) {
    for (size_t i = 0; i < instance.inputs.size(); ++i) {
      const Operand& operand = instance.inputs[i];
      if (!operand.present) {
        inputs_.push_back(nullptr);
        continue;
      }
      if (i == 1 && plan.weights.kind != PackKind::kNone) {
        Buffer& packed = own(static_cast<size_t>(packed_size(plan.weights)), 64);
        std::memset(packed.data(), 0xff, packed.size());  // NaN: pack must write everything
        pack(plan.weights, operand.values.data(), packed.data());
        inputs_.push_back(packed.data());
        continue;
      }
      const Layout layout = i == 0 ? plan.input : plan.output;
      inputs_.push_back(
          to_memory(operand, operand.values, operand.channels ? layout : Layout::plain()).data());
    }
    for (const Operand& operand : instance.outputs) {
      const Layout layout = operand.channels ? plan.output : Layout::plain();
      Buffer& buffer = own(
          operand.expected.size() == 0 ? 0 : memory_size(operand, operand.expected.size(), layout),
          alignment_);
      std::memset(buffer.data(), 0xff, buffer.size());
      outputs_.push_back(buffer.data());
      output_buffers_.push_back(&buffer);
    }
  }
  void run(Range part) { bound_.run(bound_, Views{inputs_, outputs_}, part, scratch_.data()); }
  /// Makes all outputs NaN again.
  void forget_outputs() {
    for (size_t j = 0; j < outputs_.size(); ++j)
      std::memset(outputs_[j], 0xff, output_buffers_[j]->size());
  }
  const Buffer& output(size_t j) const { return *output_buffers_[j]; }
  /// Nothing was written past the end of scratch, an input or an output.
  bool is_intact() const {
    return scratch_.is_intact() &&
           std::all_of(buffers_.begin(), buffers_.end(),
                       [](const auto& buffer) { return buffer->is_intact(); });
  }

 private:
  static size_t memory_size(const Operand& operand, size_t values, Layout layout) {
    if (operand.is_bool) return values;
    if (layout.is_blocked())
      return static_cast<size_t>(operand.channels->batch *
                                 stored_channels(layout, operand.channels->channels) *
                                 operand.channels->spatial) *
             4;
    return values * 4;
  }
  Buffer& to_memory(const Operand& operand, const std::vector<float>& values, Layout layout) {
    Buffer& buffer = own(memory_size(operand, values.size(), layout), alignment_);
    std::memset(buffer.data(), 0, buffer.size());
    auto* floats = reinterpret_cast<float*>(buffer.data());
    if (operand.is_bool) {
      for (size_t i = 0; i < values.size(); ++i)
        buffer.data()[i] = std::byte{static_cast<uint8_t>(values[i])};
    } else if (layout.is_blocked()) {
      const auto& shape = *operand.channels;
      size_t i = 0;
      for (int64_t n = 0; n < shape.batch; ++n)
        for (int64_t c = 0; c < shape.channels; ++c)
          for (int64_t s = 0; s < shape.spatial; ++s)
            floats[layout_index(layout, shape, n, c, s)] = values[i++];
    } else if (!values.empty()) {
      std::memcpy(floats, values.data(), values.size() * 4);
    }
    return buffer;
  }
  Buffer& own(size_t size, size_t alignment) {
    buffers_.push_back(std::make_unique<Buffer>(size, alignment));
    return *buffers_.back();
  }

  const BoundKernel& bound_;
  size_t alignment_;
  Buffer scratch_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
  std::vector<const Buffer*> output_buffers_;
};

/// What is wrong with output `j`, or an empty text.
inline std::string compare_output(const PreparedRun& run, const Instance& instance, size_t j,
                                  Layout layout) {
  const Operand& operand = instance.outputs[j];
  const auto* floats = reinterpret_cast<const float*>(run.output(j).data());
  const auto value_at = [&](size_t i) -> double {
    return operand.is_bool ? static_cast<double>(run.output(j).data()[i])
                           : static_cast<double>(floats[i]);
  };
  const auto wrong = [&](size_t i, double expected) -> std::string {
    const double actual = value_at(i);
    if (std::isnan(expected)
            ? std::isnan(actual)
            : actual == expected ||
                  std::fabs(actual - expected) <=
                      instance.tolerance * std::max(std::fabs(expected), instance.magnitude))
      return "";
    return "output " + std::to_string(j) + " at " + std::to_string(i) + ": " +
           format_message("{}, expected {}", {actual, expected});
  };
  if (!operand.channels || !layout.is_blocked()) {
    for (size_t i = 0; i < operand.expected.size(); ++i)
      if (std::string text = wrong(i, operand.expected[i]); !text.empty()) return text;
    return "";
  }
  const auto& shape = *operand.channels;
  size_t i = 0;
  for (int64_t n = 0; n < shape.batch; ++n)
    for (int64_t c = 0; c < stored_channels(layout, shape.channels); ++c)
      for (int64_t s = 0; s < shape.spatial; ++s) {
        const bool tail = c >= shape.channels;
        const std::string text =
            wrong(layout_index(layout, shape, n, c, s), tail ? 0.0 : operand.expected[i]);
        if (!text.empty()) return (tail ? "tail not zero: " : "") + text;
        if (!tail) ++i;
      }
  return "";
}

}  // namespace shipway::kernels::testing
