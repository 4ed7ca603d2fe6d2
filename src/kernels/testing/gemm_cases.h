// Cases and plain loops of matrix products.
#pragma once

#include "kernels/testing/epilogue_cases.h"

namespace shipway::kernels::testing {

/// Contiguous operands; `batch` products, A and B each with or without the batch dim.
inline KernelCase gemm_case(GemmProblem problem, int64_t m, int64_t n, int64_t k, int64_t batch = 1,
                            bool broadcast_b = false) {
  GemmDims dims;
  dims.m = m;
  dims.n = n;
  dims.k = k;
  dims.a_row_stride = problem.transpose_a ? m : k;
  dims.b_row_stride = problem.transpose_b ? k : n;
  dims.c_row_stride = n;
  if (batch != 1) {
    dims.batch_rank = 1;
    dims.batch_sizes[0] = batch;
    dims.a_batch_strides[0] = m * k;
    dims.b_batch_strides[0] = problem.packed_b || broadcast_b ? 0 : n * k;
    dims.c_batch_strides[0] = m * n;
  }
  if (problem.packed_b) problem.n = n, problem.k = k;
  const std::string flags = std::string(problem.packed_b ? "p" : "a") +
                            (problem.transpose_a ? "t" : "n") + (problem.transpose_b ? "t" : "n");
  return {flags + "_" + std::to_string(batch) + "x" + std::to_string(m) + "x" + std::to_string(n) +
              "x" + std::to_string(k),
          problem, dims};
}

inline std::vector<KernelCase> gemm_cases() {
  std::vector<KernelCase> cases;
  const int64_t sizes[][3] = {
      {1, 1, 1},     {1, 16, 3},    {1, 300, 70},  {2, 130, 33},  {3, 128, 400}, {4, 31, 17},
      {5, 33, 16},   {6, 16, 9},    {7, 17, 5},    {13, 8, 40},   {14, 32, 64},  {15, 65, 31},
      {29, 47, 129}, {49, 100, 80}, {170, 40, 20}, {1, 1, 900},   {3, 5, 800},   {20, 24, 1024},
      {0, 5, 3},     {5, 0, 3},     {4, 6, 0},     {200, 70, 500}};
  for (const auto& size : sizes)
    for (int flags = 0; flags < 8; ++flags) {
      GemmProblem problem;
      problem.transpose_a = flags & 1;
      problem.transpose_b = flags & 2;
      problem.packed_b = flags & 4;
      problem.epilogue.has_bias = flags & 1;
      cases.push_back(gemm_case(problem, size[0], size[1], size[2]));
    }
  for (const NamedEpilogue& named : epilogue_cases())
    for (bool packed : {false, true}) {
      GemmProblem problem{.packed_b = packed, .alpha = 0.5f, .beta = 2, .epilogue = named.epilogue};
      for (const auto& [m, n] : {std::pair<int64_t, int64_t>{1, 150}, {9, 45}, {30, 64}, {3, 7}}) {
        cases.push_back(gemm_case(problem, m, n, 21));
        cases.back().name += std::string("_") + named.name;
      }
    }
  for (bool transpose : {false, true}) {
    GemmProblem problem;
    problem.transpose_b = transpose;
    cases.push_back(gemm_case(problem, 9, 20, 11, 6));
    cases.push_back(gemm_case(problem, 1, 40, 11, 3));
    cases.push_back(gemm_case(problem, 9, 20, 11, 6, true));
    cases.push_back(gemm_case(problem, 40, 70, 65, 5));
    problem.packed_b = true;
    cases.push_back(gemm_case(problem, 9, 20, 11, 6));
  }
  // Attention over heads that lie side by side: [batch][tokens][heads][width].
  GemmProblem scores{.transpose_b = true, .alpha = 0.125f};
  GemmDims dims;
  dims.m = 19;
  dims.n = 23;
  dims.k = 16;
  dims.a_row_stride = dims.b_row_stride = 3 * 16;
  dims.c_row_stride = 23;
  dims.batch_rank = 2;
  dims.batch_sizes = {2, 3};
  dims.a_batch_strides = {19 * 48, 16};
  dims.b_batch_strides = {23 * 48, 16};
  dims.c_batch_strides = {3 * 19 * 23, 19 * 23};
  cases.push_back({"heads", scores, dims});
  return cases;
}

inline Instance gemm_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& problem = std::get<GemmProblem>(kernel_case.problem);
  const auto& d = std::get<GemmDims>(kernel_case.dims);
  int64_t batch = 1;
  for (size_t i = 0; i < static_cast<size_t>(d.batch_rank); ++i) batch *= d.batch_sizes[i];
  const auto extent = [&](const std::array<int64_t, 4>& strides, int64_t rows, int64_t row_stride,
                          int64_t columns) -> int64_t {
    if (rows == 0 || columns == 0 || batch == 0) return 0;
    int64_t last = (rows - 1) * row_stride + columns;
    for (size_t i = 0; i < static_cast<size_t>(d.batch_rank); ++i)
      last += (d.batch_sizes[i] - 1) * strides[i];
    return last;
  };
  const int64_t a_size = problem.transpose_a ? extent(d.a_batch_strides, d.k, d.a_row_stride, d.m)
                                             : extent(d.a_batch_strides, d.m, d.a_row_stride, d.k);
  const int64_t b_size = problem.transpose_b ? extent(d.b_batch_strides, d.n, d.b_row_stride, d.k)
                                             : extent(d.b_batch_strides, d.k, d.b_row_stride, d.n);
  const int64_t c_size = extent(d.c_batch_strides, d.m, d.c_row_stride, d.n);
  Instance instance;
  instance.inputs = {input_operand(random.values(a_size)), input_operand(random.values(b_size))};
  add_epilogue_operands(instance, problem.epilogue, d.n, c_size, std::nullopt, random);
  instance.outputs = {output_operand(std::vector<double>(static_cast<size_t>(c_size)))};
  // A sum of k rounded products; 2^-24 for each, and the magnitude of the terms.
  instance.tolerance = 3e-7 * std::sqrt(static_cast<double>(d.k) + 10);
  instance.magnitude = 1 + std::sqrt(static_cast<double>(d.k));
  if (!expect) return instance;
  const std::vector<float>&a = instance.inputs[0].values, &b = instance.inputs[1].values;
  for (int64_t index = 0; index < batch; ++index) {
    int64_t a_at = 0, b_at = 0, c_at = 0, rest = index;
    for (int i = d.batch_rank - 1; i >= 0; --i) {
      const auto j = static_cast<size_t>(i);
      const int64_t at = rest % d.batch_sizes[j];
      rest /= d.batch_sizes[j];
      a_at += at * d.a_batch_strides[j];
      b_at += at * d.b_batch_strides[j];
      c_at += at * d.c_batch_strides[j];
    }
    for (int64_t i = 0; i < d.m; ++i)
      for (int64_t j = 0; j < d.n; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < d.k; ++k)
          sum +=
              static_cast<double>(
                  a[static_cast<size_t>(a_at + (problem.transpose_a ? k * d.a_row_stride + i
                                                                    : i * d.a_row_stride + k))]) *
              b[static_cast<size_t>(
                  b_at + (problem.transpose_b ? j * d.b_row_stride + k : k * d.b_row_stride + j))];
        sum *= problem.alpha;
        if (problem.epilogue.has_bias)
          sum += problem.beta * instance.inputs[2].values[static_cast<size_t>(j)];
        const int64_t at = c_at + i * d.c_row_stride + j;
        instance.outputs[0].expected[static_cast<size_t>(at)] =
            apply_reference(instance, problem.epilogue, sum, j, at);
      }
  }
  return instance;
}

}  // namespace shipway::kernels::testing
