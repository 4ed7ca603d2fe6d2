// Cases and plain loops of pooling, Resize, strided copies and reorders.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/testing/row_cases.h"

namespace shipway::kernels::testing {

inline std::vector<KernelCase> pool_cases() {
  std::vector<KernelCase> cases;
  struct Shape {
    int64_t batch, channels;
    Spatial in, kernel, strides, dilations, pads, pads_end;
  };
  const Shape shapes[] = {
      {1, 1, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}},
      {2, 19, {1, 9, 11}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 16, {1, 8, 40}, {1, 2, 2}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}},
      {1, 5, {1, 7, 37}, {1, 3, 5}, {1, 1, 1}, {1, 1, 1}, {0, 1, 2}, {0, 1, 2}},
      {1, 3, {1, 9, 13}, {1, 2, 3}, {1, 1, 2}, {1, 2, 2}, {0, 1, 1}, {0, 0, 2}},
      {1, 4, {5, 6, 7}, {2, 3, 3}, {2, 1, 2}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},
      {1, 7, {1, 1, 50}, {1, 1, 4}, {1, 1, 3}, {1, 1, 1}, {0, 0, 0}, {0, 0, 1}},
      {1, 2, {1, 1, 902}, {1, 1, 3}, {1, 1, 300}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}},
      {0, 7, {1, 4, 4}, {1, 2, 2}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}},
  };
  for (int block : {0, 4, 8, 16})
    for (int kind = 0; kind < 3; ++kind) {
      PoolProblem problem{.kind = static_cast<PoolKind>(kind),
                          .layout = block ? Layout::blocked(block) : Layout::plain()};
      const std::string suffix = "_" + std::to_string(kind) + "_block" + std::to_string(block);
      for (const Shape& shape : shapes) {
        problem.global = false;
        problem.kernel = shape.kernel;
        problem.strides = shape.strides;
        problem.dilations = shape.dilations;
        PoolDims d{shape.batch, shape.channels, shape.in, {}, shape.pads, shape.pads_end};
        for (size_t i = 0; i < 3; ++i)
          d.out[i] = (shape.in[i] + shape.pads[i] + shape.pads_end[i] -
                      (shape.kernel[i] - 1) * shape.dilations[i] - 1) /
                         shape.strides[i] +
                     1;
        cases.push_back(
            {shape_name({shape.channels, shape.in[1], shape.in[2]}) + suffix, problem, d});
        if (shape.in[2] >
            30) {  // ceil_mode: a last window that begins inside and ends beyond the pads
          ++d.out[2];
          cases.push_back(
              {shape_name({shape.channels, shape.in[1], shape.in[2]}) + suffix + "_ceil", problem,
               d});
        }
      }
      problem.global = true;
      for (const auto& [channels, height, width] :
           std::initializer_list<std::array<int64_t, 3>>{{5, 7, 7}, {33, 1, 1}, {16, 60, 80}})
        cases.push_back({"global_" + shape_name({channels, height, width}) + suffix, problem,
                         PoolDims{2, channels, {1, height, width}, {1, 1, 1}, {}, {}}});
    }
  return cases;
}

inline Instance pool_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& p = std::get<PoolProblem>(kernel_case.problem);
  const auto& d = std::get<PoolDims>(kernel_case.dims);
  const auto volume = [](const Spatial& s) { return s[0] * s[1] * s[2]; };
  Instance instance;
  instance.inputs = {input_operand(random.values(d.batch * d.channels * volume(d.in)))};
  instance.inputs[0].channels = Operand::Channels{d.batch, d.channels, volume(d.in)};
  instance.outputs = {output_operand(
      std::vector<double>(static_cast<size_t>(d.batch * d.channels * volume(d.out))))};
  instance.outputs[0].channels = Operand::Channels{d.batch, d.channels, volume(d.out)};
  instance.tolerance = 2e-6;
  if (!expect) return instance;
  const Spatial kernel = p.global ? d.in : p.kernel, ones{1, 1, 1};
  const Spatial &strides = p.global ? ones : p.strides, &dilations = p.global ? ones : p.dilations;
  size_t at = 0;
  for (int64_t plane = 0; plane < d.batch * d.channels; ++plane)
    for (int64_t z = 0; z < d.out[0]; ++z)
      for (int64_t v = 0; v < d.out[1]; ++v)
        for (int64_t u = 0; u < d.out[2]; ++u) {
          double largest = -INFINITY, sum = 0;
          int64_t inside = 0, padded = 0;
          for (int64_t tap = 0; tap < volume(kernel); ++tap) {
            const Spatial k{tap / (kernel[1] * kernel[2]), tap / kernel[2] % kernel[1],
                            tap % kernel[2]},
                o{z, v, u};
            Spatial i{};
            bool in = true, in_pads = true;
            for (size_t axis = 0; axis < 3; ++axis) {
              i[axis] = o[axis] * strides[axis] - d.pads[axis] + k[axis] * dilations[axis];
              in &= i[axis] >= 0 && i[axis] < d.in[axis];
              in_pads &= i[axis] >= -d.pads[axis] && i[axis] < d.in[axis] + d.pads_end[axis];
            }
            padded += in_pads;
            if (!in) continue;
            ++inside;
            const double x = instance.inputs[0].values[static_cast<size_t>(
                plane * volume(d.in) + (i[0] * d.in[1] + i[1]) * d.in[2] + i[2])];
            largest = std::max(largest, x);
            sum += x;
          }
          instance.outputs[0].expected[at++] = p.kind == PoolKind::kMax ? largest
                                               : p.kind == PoolKind::kAverage
                                                   ? sum / static_cast<double>(inside)
                                                   : sum / static_cast<double>(padded);
        }
  return instance;
}

inline std::vector<KernelCase> resize_cases() {
  std::vector<KernelCase> cases;
  struct Shape {
    int64_t outer, inner;
    Spatial in, out;
  };
  const Shape shapes[] = {{1, 1, {1, 1, 1}, {1, 1, 1}},    {3, 1, {1, 5, 7}, {1, 15, 21}},
                          {2, 1, {1, 8, 9}, {1, 5, 4}},    {2, 16, {1, 4, 5}, {1, 8, 10}},
                          {1, 3, {1, 4, 20}, {1, 4, 33}},  {1, 1, {3, 4, 5}, {6, 3, 5}},
                          {1, 1, {1, 1, 40}, {1, 1, 100}}, {1, 8, {1, 30, 1}, {1, 70, 1}},
                          {0, 1, {1, 4, 4}, {1, 8, 8}}};
  for (int mode = 0; mode < 3; ++mode)
    for (int coordinates = 0; coordinates <= static_cast<int>(CoordinateMode::kTfCropAndResize);
         ++coordinates)
      for (int variant = 0; variant < (mode == 0 ? 4 : 3); ++variant)
        for (const Shape& shape : shapes) {
          ResizeProblem problem{.mode = static_cast<ResizeMode>(mode),
                                .coordinates = static_cast<CoordinateMode>(coordinates),
                                .extrapolation = 7};
          if (mode == 0) problem.nearest = static_cast<NearestMode>(variant);
          problem.exclude_outside = mode == 2 && variant == 1;
          problem.antialias = mode != 0 && variant == 2;
          ResizeDims d{
              .outer = shape.outer, .inner = shape.inner, .in = shape.in, .out = shape.out};
          for (size_t i = 0; i < 3; ++i) {
            d.scales[i] = static_cast<float>(shape.out[i]) / static_cast<float>(shape.in[i]);
            if (problem.coordinates == CoordinateMode::kTfCropAndResize)
              d.roi_begin[i] = 0.2f, d.roi_end[i] = 1.1f;
          }
          cases.push_back({std::to_string(mode) + "_" + std::to_string(coordinates) + "_" +
                               std::to_string(variant) + "_" +
                               shape_name({shape.in[0], shape.in[1], shape.in[2], shape.out[0],
                                           shape.out[1], shape.out[2]}),
                           problem, d});
        }
  return cases;
}

/// The taps of one output position along one axis, written from the ONNX specification: index
/// (unclamped) and weight.
inline std::vector<std::pair<int64_t, double>> reference_taps(const ResizeProblem& p,
                                                              const ResizeDims& d, size_t axis,
                                                              int64_t o, bool& outside) {
  // Nearest compares coordinates with ties, so it has to compute them in fp32 as the operator does.
  const auto coordinate = [&](auto zero) {
    using T = decltype(zero);
    const T scale = static_cast<T>(d.scales[axis]), in = static_cast<T>(d.in[axis]),
            out = static_cast<T>(d.out[axis]), at = static_cast<T>(o), half = T(0.5);
    switch (p.coordinates) {
      case CoordinateMode::kHalfPixel:
        return (at + half) / scale - half;
      case CoordinateMode::kHalfPixelSymmetric:
        return in / 2 * (1 - out / (scale * in)) + (at + half) / scale - half;
      case CoordinateMode::kPytorchHalfPixel:
        return out > 1 ? (at + half) / scale - half : zero;
      case CoordinateMode::kAlignCorners:
        return out == 1 ? zero : at * (in - 1) / (out - 1);
      case CoordinateMode::kAsymmetric:
        return at / scale;
      case CoordinateMode::kTfHalfPixelForNn:
        return (at + half) / scale;
      case CoordinateMode::kTfCropAndResize:
        break;
    }
    const T begin = static_cast<T>(d.roi_begin[axis]), end = static_cast<T>(d.roi_end[axis]);
    return out > 1 ? begin * (in - 1) + at * (end - begin) * (in - 1) / (out - 1)
                   : half * (begin + end) * (in - 1);
  };
  const double x =
      p.mode == ResizeMode::kNearest ? static_cast<double>(coordinate(0.0f)) : coordinate(0.0);
  const double scale = d.scales[axis];
  if (p.coordinates == CoordinateMode::kTfCropAndResize &&
      (x < 0 || x > static_cast<double>(d.in[axis] - 1)))
    outside = true;
  if (p.mode == ResizeMode::kNearest) {
    const double rounded = p.nearest == NearestMode::kFloor              ? std::floor(x)
                           : p.nearest == NearestMode::kCeil             ? std::ceil(x)
                           : p.nearest == NearestMode::kRoundPreferFloor ? std::ceil(x - 0.5)
                                                                         : std::floor(x + 0.5);
    return {{static_cast<int64_t>(rounded), 1.0}};
  }
  const double stretch = p.antialias && scale < 1 ? scale : 1;
  const auto kernel = [&](double t) {
    t = std::fabs(t);
    if (p.mode == ResizeMode::kLinear) return t < 1 ? 1 - t : 0.0;
    const double a = p.cubic_a;
    return t <= 1  ? (a + 2) * t * t * t - (a + 3) * t * t + 1
           : t < 2 ? a * t * t * t - 5 * a * t * t + 8 * a * t - 4 * a
                   : 0.0;
  };
  std::vector<std::pair<int64_t, double>> taps;
  double sum = 0;
  for (int64_t i = static_cast<int64_t>(std::floor(x)) - 40;
       i <= static_cast<int64_t>(std::floor(x)) + 40; ++i) {
    double weight = kernel((static_cast<double>(i) - x) * stretch);
    if (p.exclude_outside && (i < 0 || i >= d.in[axis])) weight = 0;
    if (weight == 0) continue;
    taps.push_back({i, weight});
    sum += weight;
  }
  for (auto& tap : taps) tap.second /= sum;
  return taps;
}

inline Instance resize_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& p = std::get<ResizeProblem>(kernel_case.problem);
  const auto& d = std::get<ResizeDims>(kernel_case.dims);
  const auto volume = [](const Spatial& s) { return s[0] * s[1] * s[2]; };
  Instance instance;
  instance.inputs = {input_operand(random.values(d.outer * volume(d.in) * d.inner))};
  instance.outputs = {
      output_operand(std::vector<double>(static_cast<size_t>(d.outer * volume(d.out) * d.inner)))};
  instance.tolerance = 2e-6;
  if (!expect) return instance;
  size_t at = 0;
  for (int64_t outer = 0; outer < d.outer; ++outer)
    for (int64_t z = 0; z < d.out[0]; ++z)
      for (int64_t v = 0; v < d.out[1]; ++v)
        for (int64_t u = 0; u < d.out[2]; ++u)
          for (int64_t j = 0; j < d.inner; ++j) {
            bool outside = false;
            double sum = 0;
            const auto clamped = [&](int64_t i, size_t axis) {
              return std::clamp<int64_t>(i, 0, d.in[axis] - 1);
            };
            for (const auto& [iz, wz] : reference_taps(p, d, 0, z, outside))
              for (const auto& [iv, wv] : reference_taps(p, d, 1, v, outside))
                for (const auto& [iu, wu] : reference_taps(p, d, 2, u, outside)) {
                  const int64_t pixel =
                      ((outer * d.in[0] + clamped(iz, 0)) * d.in[1] + clamped(iv, 1)) * d.in[2] +
                      clamped(iu, 2);
                  sum += wz * wv * wu *
                         instance.inputs[0].values[static_cast<size_t>(pixel * d.inner + j)];
                }
            instance.outputs[0].expected[at++] =
                outside ? static_cast<double>(p.extrapolation) : sum;
          }
  return instance;
}

/// `order` lists source axes as Transpose's perm; the destination is contiguous.
inline KernelCase transpose_case(const std::vector<int64_t>& sizes,
                                 const std::vector<size_t>& order) {
  StridedCopyDims d;
  d.rank = static_cast<int32_t>(sizes.size());
  std::vector<int64_t> strides(sizes.size());
  for (int64_t i = d.rank - 1, stride = 1; i >= 0; --i) {
    strides[static_cast<size_t>(i)] = stride;
    stride *= sizes[static_cast<size_t>(i)];
  }
  std::string name = "transpose";
  for (size_t i = 0; i < order.size(); ++i) {
    d.sizes[i] = sizes[order[i]];
    d.source_strides[i] = strides[order[i]];
    name += "_" + std::to_string(d.sizes[i]);
  }
  for (int64_t i = d.rank - 1, stride = 1; i >= 0; --i) {
    d.destination_strides[static_cast<size_t>(i)] = stride;
    stride *= d.sizes[static_cast<size_t>(i)];
  }
  return {name, StridedCopyProblem{4}, d};
}

inline std::vector<KernelCase> strided_copy_cases() {
  std::vector<KernelCase> cases{transpose_case({}, {}),
                                transpose_case({5}, {0}),
                                transpose_case({3, 5}, {1, 0}),
                                transpose_case({130, 71}, {1, 0}),
                                transpose_case({2, 7, 3, 16}, {0, 2, 1, 3}),
                                transpose_case({2, 7, 3, 16}, {0, 2, 3, 1}),
                                transpose_case({4, 5, 6}, {2, 1, 0}),
                                transpose_case({4, 5, 6}, {2, 0, 1}),
                                transpose_case({4, 0, 6}, {2, 0, 1}),
                                transpose_case({2, 3, 4, 5, 6}, {4, 2, 0, 3, 1}),
                                transpose_case({1, 300, 3, 200}, {0, 2, 3, 1})};
  StridedCopyDims expand{.rank = 3,
                         .sizes = {4, 5, 6},
                         .source_strides = {0, 1, 0},
                         .destination_strides = {30, 6, 1}};
  cases.push_back({"expand", StridedCopyProblem{4}, expand});
  StridedCopyDims piece{
      .rank = 2, .sizes = {5, 7}, .source_strides = {7, 1}, .destination_strides = {7, 1}};
  cases.push_back({"contiguous", StridedCopyProblem{4}, piece});
  StridedCopyDims every_other{
      .rank = 2, .sizes = {5, 4}, .source_strides = {16, 2}, .destination_strides = {4, 1}};
  cases.push_back({"slice_with_step", StridedCopyProblem{4}, every_other});
  return cases;
}

inline Instance strided_copy_instance(const KernelCase& kernel_case, Random& random, bool) {
  const auto& d = std::get<StridedCopyDims>(kernel_case.dims);
  int64_t source = 1, destination = 1, elements = 1;
  for (size_t i = 0; i < static_cast<size_t>(d.rank); ++i) {
    source += (d.sizes[i] - 1) * d.source_strides[i];
    destination += (d.sizes[i] - 1) * d.destination_strides[i];
    elements *= d.sizes[i];
  }
  if (elements == 0) source = destination = 0;
  Instance instance;
  instance.tolerance = 0;
  instance.inputs = {input_operand(random.values(source))};
  instance.outputs = {output_operand(std::vector<double>(static_cast<size_t>(destination)))};
  for (int64_t e = 0; e < elements; ++e) {
    int64_t from = 0, to = 0, rest = e;
    for (int i = d.rank - 1; i >= 0; --i) {
      const auto axis = static_cast<size_t>(i);
      from += rest % d.sizes[axis] * d.source_strides[axis];
      to += rest % d.sizes[axis] * d.destination_strides[axis];
      rest /= d.sizes[axis];
    }
    instance.outputs[0].expected[static_cast<size_t>(to)] =
        instance.inputs[0].values[static_cast<size_t>(from)];
  }
  return instance;
}

inline std::vector<KernelCase> reorder_cases() {
  std::vector<KernelCase> cases;
  for (int block : {4, 8, 16})
    for (const auto& [batch, channels, spatial] : std::initializer_list<std::array<int64_t, 3>>{
             {1, 1, 1}, {2, 16, 49}, {1, 19, 7}, {1, 32, 2500}, {3, 3, 5}, {0, 5, 5}, {1, 5, 0}}) {
      const ReorderDims d{batch, channels, spatial};
      const std::string name = std::to_string(block) + "_" + shape_name({batch, channels, spatial});
      cases.push_back({"to_" + name, ReorderProblem{Layout::plain(), Layout::blocked(block)}, d});
      cases.push_back({"from_" + name, ReorderProblem{Layout::blocked(block), Layout::plain()}, d});
    }
  return cases;
}

inline Instance reorder_instance(const KernelCase& kernel_case, Random& random, bool) {
  const auto& d = std::get<ReorderDims>(kernel_case.dims);
  Instance instance;
  instance.tolerance = 0;
  instance.inputs = {input_operand(random.values(d.batch * d.channels * d.spatial))};
  const std::vector<float>& values = instance.inputs[0].values;
  instance.outputs = {output_operand(std::vector<double>(values.begin(), values.end()))};
  instance.inputs[0].channels = instance.outputs[0].channels =
      Operand::Channels{d.batch, d.channels, d.spatial};
  return instance;
}

}  // namespace shipway::kernels::testing
