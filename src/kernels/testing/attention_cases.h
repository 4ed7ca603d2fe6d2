// Cases and plain loops of attention.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/testing/kernel_case.h"

namespace shipway::kernels::testing {

struct AttentionShape {
  int64_t batch, heads, kv_heads, queries, keys, size, value_size;
  bool causal = false;
  int64_t offset = 0;
  bool masked = false, mask_of_heads = false;
};

/// `side_by_side`: heads lie beside each other in a row [batch][sequence][heads * size], else
/// [batch][heads][sequence][size].
inline KernelCase attention_case(const AttentionShape& s, bool side_by_side, float scale = 0) {
  AttentionDims d{.batch = s.batch,
                  .heads = s.heads,
                  .kv_heads = s.kv_heads,
                  .queries = s.queries,
                  .keys = s.keys,
                  .size = s.size,
                  .value_size = s.value_size,
                  .causal = s.causal,
                  .offset = s.offset};
  const auto strides = [&](int64_t heads, int64_t rows, int64_t size) {
    return side_by_side ? HeadStrides{rows * heads * size, size, heads * size}
                        : HeadStrides{heads * rows * size, rows * size, size};
  };
  d.q = strides(s.heads, s.queries, s.size);
  d.k = strides(s.kv_heads, s.keys, s.size);
  d.v = strides(s.kv_heads, s.keys, s.value_size);
  d.y = strides(s.heads, s.queries, s.value_size);
  if (s.masked) {
    d.mask_row = s.keys;
    d.mask_head = s.mask_of_heads ? s.queries * s.keys : 0;
    d.mask_batch = s.queries * s.keys * (s.mask_of_heads ? s.heads : 1);
  }
  std::string name = side_by_side ? "side_by_side" : "apart";
  for (int64_t n : {s.batch, s.heads, s.kv_heads, s.queries, s.keys, s.size, s.value_size})
    name += "_" + std::to_string(n);
  return {
      name + (s.causal ? "_causal" + std::to_string(s.offset) : "") + (s.masked ? "_masked" : ""),
      AttentionProblem{scale}, d};
}

inline std::vector<KernelCase> attention_cases() {
  std::vector<KernelCase> cases;
  const AttentionShape shapes[] = {
      {1, 1, 1, 1, 1, 1, 1},
      {1, 2, 2, 7, 9, 16, 16},
      {2, 3, 3, 33, 47, 24, 40},
      {1, 4, 2, 20, 70, 8, 16},            // grouped heads
      {1, 2, 1, 61, 61, 32, 32, true},     // causal
      {1, 2, 2, 5, 40, 16, 48, true, 35},  // causal behind a cache
      {1, 2, 2, 9, 6, 16, 16, true, -4},   // the first queries see nothing
      {2, 2, 2, 19, 23, 16, 17, false, 0, true},
      {2, 2, 2, 30, 90, 16, 16, true, 60, true, true},
      {1, 12, 12, 1, 77, 64, 64},  // a decode step
      {2, 4, 2, 3, 130, 32, 64, true, 127, true},
      {1, 2, 2, 4, 33, 16, 20},     // few queries, values of no whole vectors
      {1, 1, 1, 150, 900, 16, 32},  // several blocks of queries and chunks of keys
      {1, 2, 2, 3, 5000, 16, 16},   // longer than a chunk of a row
      {1, 1, 1, 3, 0, 16, 16},      // no keys
      {0, 2, 2, 3, 5, 16, 16},
  };
  for (const AttentionShape& shape : shapes)
    for (bool side_by_side : {false, true}) cases.push_back(attention_case(shape, side_by_side));
  cases.push_back(attention_case({1, 2, 2, 9, 12, 16, 16}, true, 0.3f));
  return cases;
}

inline Instance attention_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& d = std::get<AttentionDims>(kernel_case.dims);
  const float given = std::get<AttentionProblem>(kernel_case.problem).scale;
  const double scale = given != 0 ? given : 1 / std::sqrt(static_cast<double>(d.size));
  Instance instance;
  const bool masked = d.mask_row != 0;
  instance.inputs = {input_operand(random.values(d.batch * d.heads * d.queries * d.size, -3, 3)),
                     input_operand(random.values(d.batch * d.kv_heads * d.keys * d.size, -3, 3)),
                     input_operand(random.values(d.batch * d.kv_heads * d.keys * d.value_size))};
  instance.inputs.push_back(masked ? input_operand(random.values(d.batch * d.mask_batch, -2, 2))
                                   : absent_operand());
  // Some keys are hidden, and one query sees none.
  std::vector<float>& mask = instance.inputs[3].values;
  for (size_t i = 0; i < mask.size(); ++i)
    if (i % 5 == 3 || static_cast<int64_t>(i) / d.keys == 1)
      mask[i] = -std::numeric_limits<float>::infinity();
  instance.outputs = {output_operand(
      std::vector<double>(static_cast<size_t>(d.batch * d.heads * d.queries * d.value_size)))};
  instance.tolerance = 1e-5;
  instance.magnitude = 1;
  if (!expect) return instance;
  const auto at = [](const HeadStrides& s, int64_t n, int64_t h, int64_t row) {
    return n * s.batch + h * s.head + row * s.row;
  };
  const std::vector<float>&q = instance.inputs[0].values, &k = instance.inputs[1].values,
        &v = instance.inputs[2].values;
  const int64_t group = d.heads / d.kv_heads;
  std::vector<double> weights(static_cast<size_t>(d.keys));
  for (int64_t n = 0; n < d.batch; ++n)
    for (int64_t h = 0; h < d.heads; ++h)
      for (int64_t i = 0; i < d.queries; ++i) {
        double largest = -INFINITY, sum = 0;
        for (int64_t j = 0; j < d.keys; ++j) {
          double score = 0;
          for (int64_t c = 0; c < d.size; ++c)
            score += static_cast<double>(q[static_cast<size_t>(at(d.q, n, h, i) + c)]) *
                     k[static_cast<size_t>(at(d.k, n, h / group, j) + c)];
          score *= scale;
          if (masked)
            score +=
                mask[static_cast<size_t>(n * d.mask_batch + h * d.mask_head + i * d.mask_row + j)];
          if (d.causal && j > i + d.offset) score = -INFINITY;
          weights[static_cast<size_t>(j)] = score;
          largest = std::max(largest, score);
        }
        for (double& weight : weights) {
          weight = largest == -INFINITY ? 0 : std::exp(weight - largest);
          sum += weight;
        }
        for (int64_t c = 0; c < d.value_size; ++c) {
          double y = 0;
          for (int64_t j = 0; j < d.keys; ++j)
            y += weights[static_cast<size_t>(j)] *
                 v[static_cast<size_t>(at(d.v, n, h / group, j) + c)];
          instance.outputs[0].expected[static_cast<size_t>(at(d.y, n, h, i) + c)] =
              sum == 0 ? 0 : y / sum;
        }
      }
  return instance;
}

}  // namespace shipway::kernels::testing
