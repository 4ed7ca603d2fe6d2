// Cases and plain loops of softmax, normalisations and reductions.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/testing/kernel_case.h"

namespace shipway::kernels::testing {

inline std::string shape_name(std::initializer_list<int64_t> sizes) {
  std::string name;
  for (int64_t size : sizes) name += (name.empty() ? "" : "x") + std::to_string(size);
  return name;
}

inline std::vector<KernelCase> softmax_cases() {
  std::vector<KernelCase> cases;
  for (bool logarithm : {false, true})
    for (const SoftmaxDims& d :
         {SoftmaxDims{1, 1, 1}, SoftmaxDims{5, 7, 1}, SoftmaxDims{3, 64, 1},
          SoftmaxDims{2, 1000, 1}, SoftmaxDims{40, 513, 1}, SoftmaxDims{2, 9001, 1},
          SoftmaxDims{2, 5, 3}, SoftmaxDims{3, 21, 300}, SoftmaxDims{0, 4, 1}, SoftmaxDims{4, 0, 1},
          SoftmaxDims{2, 3, 17}})
      cases.push_back({shape_name({d.outer, d.width, d.inner}) + (logarithm ? "_log" : ""),
                       SoftmaxProblem{logarithm}, d});
  return cases;
}

inline Instance softmax_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const bool logarithm = std::get<SoftmaxProblem>(kernel_case.problem).logarithm;
  const auto& d = std::get<SoftmaxDims>(kernel_case.dims);
  const int64_t size = d.outer * d.width * d.inner;
  Instance instance;
  instance.inputs = {input_operand(random.values(size, -30, 100))};  // e^100 overflows
  instance.outputs = {output_operand(std::vector<double>(static_cast<size_t>(size)))};
  instance.tolerance = logarithm ? 1e-6 : 3e-6;
  instance.magnitude = logarithm ? 10 : 1e-30;
  if (!expect) return instance;
  for (int64_t o = 0; o < d.outer; ++o)
    for (int64_t i = 0; i < d.inner; ++i) {
      const auto at = [&](int64_t w) {
        return static_cast<size_t>((o * d.width + w) * d.inner + i);
      };
      double largest = -INFINITY, sum = 0;
      for (int64_t w = 0; w < d.width; ++w)
        largest = std::max<double>(largest, instance.inputs[0].values[at(w)]);
      for (int64_t w = 0; w < d.width; ++w)
        sum += std::exp(instance.inputs[0].values[at(w)] - largest);
      for (int64_t w = 0; w < d.width; ++w) {
        const double x = instance.inputs[0].values[at(w)] - largest;
        instance.outputs[0].expected[at(w)] = logarithm ? x - std::log(sum) : std::exp(x) / sum;
      }
    }
  return instance;
}

inline std::vector<KernelCase> norm_cases() {
  std::vector<KernelCase> cases;
  for (NormKind kind : {NormKind::kLayer, NormKind::kRms})
    for (bool residual : {false, true})
      for (const auto& [batch, width] : std::initializer_list<std::pair<int64_t, int64_t>>{
               {1, 1}, {3, 5}, {7, 16}, {20, 768}, {2, 5000}, {0, 4}, {100, 33}})
        cases.push_back({shape_name({static_cast<int64_t>(kind), residual, batch, width}),
                         NormProblem{.kind = kind, .has_residual = residual},
                         NormDims{batch, 1, width}});
  for (int64_t groups : {0, 1, 3})
    for (const NormDims& d :
         {NormDims{2, 6, 1}, NormDims{2, 6, 35}, NormDims{1, 3, 5001}, NormDims{1, 9, 0}})
      cases.push_back(
          {"groups" + std::to_string(groups) + "_" + shape_name({d.batch, d.channels, d.width}),
           NormProblem{.kind = NormKind::kGroup, .groups = groups}, d});
  cases.push_back({"batch", NormProblem{.kind = NormKind::kBatch}, NormDims{2, 5, 37}});
  return cases;
}

inline Instance norm_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& p = std::get<NormProblem>(kernel_case.problem);
  const auto& d = std::get<NormDims>(kernel_case.dims);
  const bool by_rows = p.kind == NormKind::kLayer || p.kind == NormKind::kRms;
  const int64_t channels = by_rows ? 1 : d.channels, size = d.batch * channels * d.width,
                parameters = by_rows ? d.width : channels;
  Instance instance;
  instance.inputs = {input_operand(random.values(size, 5, 9)),
                     input_operand(random.values(parameters)),
                     input_operand(random.values(parameters))};
  if (p.has_residual) instance.inputs.push_back(input_operand(random.values(size)));
  if (p.kind == NormKind::kBatch) {
    instance.inputs.push_back(input_operand(random.values(parameters, 6, 8)));
    instance.inputs.push_back(input_operand(random.values(parameters, 0.5f, 2)));
  }
  instance.outputs = {output_operand(std::vector<double>(static_cast<size_t>(size)))};
  if (p.has_residual)
    instance.outputs.push_back(output_operand(std::vector<double>(static_cast<size_t>(size))));
  instance.tolerance =
      3e-5;  // deviations of a width-1 row are rounding errors, divided by sqrt(epsilon)
  if (!expect) return instance;
  const auto value = [&](size_t input, int64_t i) {
    return static_cast<double>(instance.inputs[input].values[static_cast<size_t>(i)]);
  };
  const int64_t groups = by_rows        ? 1
                         : p.groups > 0 ? p.groups
                                        : channels,
                unit = channels / groups * d.width;
  for (int64_t begin = 0; unit > 0 && begin < size; begin += unit) {
    std::vector<double> x;
    double mean = 0, variance = 0, square = 0;
    for (int64_t i = 0; i < unit; ++i) {
      x.push_back(value(0, begin + i) + (p.has_residual ? value(3, begin + i) : 0.0));
      mean += x.back() / static_cast<double>(unit);
      square += x.back() * x.back() / static_cast<double>(unit);
    }
    for (double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(unit);
    for (int64_t i = 0; i < unit; ++i) {
      const int64_t at = begin + i, parameter = by_rows ? i : at / d.width % channels;
      const double v = x[static_cast<size_t>(i)], epsilon = static_cast<double>(p.epsilon);
      double y = 0;
      switch (p.kind) {
        case NormKind::kLayer:
        case NormKind::kGroup:
          y = (v - mean) / std::sqrt(variance + epsilon) * value(1, parameter) +
              value(2, parameter);
          break;
        case NormKind::kRms:
          y = v / std::sqrt(square + epsilon) * value(1, parameter);
          break;
        case NormKind::kBatch:
          y = (v - value(3, parameter)) / std::sqrt(value(4, parameter) + epsilon) *
                  value(1, parameter) +
              value(2, parameter);
          break;
      }
      instance.outputs[0].expected[static_cast<size_t>(at)] = y;
      if (p.has_residual) instance.outputs[1].expected[static_cast<size_t>(at)] = v;
    }
  }
  return instance;
}

inline std::vector<KernelCase> reduce_cases() {
  std::vector<KernelCase> cases;
  for (int kind = 0; kind <= static_cast<int>(ReduceKind::kLogSumExp); ++kind)
    for (const ReduceDims& d :
         {ReduceDims{1, 1, 1, 1}, ReduceDims{5, 7, 1, 1}, ReduceDims{3, 100, 1, 1},
          ReduceDims{2, 9000, 1, 1}, ReduceDims{2, 3, 5, 1}, ReduceDims{1, 700, 300, 1},
          ReduceDims{2, 3, 4, 33}, ReduceDims{3, 1, 4, 1}, ReduceDims{2, 0, 3, 1},
          ReduceDims{0, 5, 1, 1}, ReduceDims{2, 5, 16, 1}, ReduceDims{40, 1, 1, 17}})
      cases.push_back(
          {std::to_string(kind) + "_" + shape_name({d.kept0, d.reduced0, d.kept1, d.reduced1}),
           ReduceProblem{static_cast<ReduceKind>(kind)}, d});
  return cases;
}

inline Instance reduce_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const ReduceKind kind = std::get<ReduceProblem>(kernel_case.problem).kind;
  const auto& d = std::get<ReduceDims>(kernel_case.dims);
  Instance instance;
  const bool positive = kind == ReduceKind::kLogSum;
  const int64_t count = d.reduced0 * d.reduced1;
  // Factors near 1, so that a long product stays in range.
  const bool product = kind == ReduceKind::kProd;
  instance.inputs = {input_operand(random.values(d.kept0 * count * d.kept1,
                                                 product    ? 0.99f
                                                 : positive ? 0.1f
                                                            : -2,
                                                 product ? 1.01f : 2))};
  instance.outputs = {output_operand(std::vector<double>(static_cast<size_t>(d.kept0 * d.kept1)))};
  instance.tolerance = product ? 1e-4 : 2e-6;
  instance.magnitude = 1 + std::sqrt(static_cast<double>(count));
  if (!expect) return instance;
  for (int64_t k0 = 0; k0 < d.kept0; ++k0)
    for (int64_t k1 = 0; k1 < d.kept1; ++k1) {
      double sum = 0, largest = -INFINITY, smallest = INFINITY, prod = 1, absolute = 0, square = 0,
             exponentials = 0;
      for (int64_t r0 = 0; r0 < d.reduced0; ++r0)
        for (int64_t r1 = 0; r1 < d.reduced1; ++r1) {
          const double x = instance.inputs[0].values[static_cast<size_t>(
              ((k0 * d.reduced0 + r0) * d.kept1 + k1) * d.reduced1 + r1)];
          sum += x;
          largest = std::max(largest, x);
          smallest = std::min(smallest, x);
          prod *= x;
          absolute += std::fabs(x);
          square += x * x;
          exponentials += std::exp(x);
        }
      const double results[] = {sum,
                                sum / static_cast<double>(count),
                                largest,
                                smallest,
                                prod,
                                absolute,
                                std::sqrt(square),
                                square,
                                std::log(sum),
                                std::log(exponentials)};
      instance.outputs[0].expected[static_cast<size_t>(k0 * d.kept1 + k1)] =
          results[static_cast<size_t>(kind)];
    }
  return instance;
}

}  // namespace shipway::kernels::testing
