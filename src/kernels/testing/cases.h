// Every case of every kind, for the shared suite and the benchmarks.
#pragma once

#include "kernels/testing/attention_cases.h"
#include "kernels/testing/conv_cases.h"
#include "kernels/testing/elementwise_cases.h"
#include "kernels/testing/gemm_cases.h"
#include "kernels/testing/image_cases.h"
#include "kernels/testing/recurrent_cases.h"
#include "kernels/testing/row_cases.h"

namespace shipway::kernels::testing {

inline std::vector<KernelCase> cases_of(KernelKind kind) {
  switch (kind) {
    case KernelKind::kElementwise:
      return elementwise_cases();
    case KernelKind::kGemm:
      return gemm_cases();
    case KernelKind::kConv:
      return conv_cases();
    case KernelKind::kPool:
      return pool_cases();
    case KernelKind::kSoftmax:
      return softmax_cases();
    case KernelKind::kNorm:
      return norm_cases();
    case KernelKind::kReduce:
      return reduce_cases();
    case KernelKind::kResize:
      return resize_cases();
    case KernelKind::kStridedCopy:
      return strided_copy_cases();
    case KernelKind::kReorder:
      return reorder_cases();
    case KernelKind::kRecurrent:
      return recurrent_cases();
    case KernelKind::kAttention:
      return attention_cases();
  }
  return {};
}

/// `expect` false leaves the expected values zero: enough for a benchmark, and much faster.
inline Instance make_instance(const KernelCase& kernel_case, uint64_t seed, bool expect = true) {
  Random random(seed);
  switch (kind_of(kernel_case.problem)) {
    case KernelKind::kElementwise:
      return elementwise_instance(kernel_case, random, expect);
    case KernelKind::kConv:
      return conv_instance(kernel_case, random, expect);
    case KernelKind::kGemm:
      return gemm_instance(kernel_case, random, expect);
    case KernelKind::kPool:
      return pool_instance(kernel_case, random, expect);
    case KernelKind::kSoftmax:
      return softmax_instance(kernel_case, random, expect);
    case KernelKind::kNorm:
      return norm_instance(kernel_case, random, expect);
    case KernelKind::kReduce:
      return reduce_instance(kernel_case, random, expect);
    case KernelKind::kResize:
      return resize_instance(kernel_case, random, expect);
    case KernelKind::kStridedCopy:
      return strided_copy_instance(kernel_case, random, expect);
    case KernelKind::kReorder:
      return reorder_instance(kernel_case, random, expect);
    case KernelKind::kRecurrent:
      return recurrent_instance(kernel_case, random, expect);
    case KernelKind::kAttention:
      return attention_instance(kernel_case, random, expect);
  }
  return {};
}

}  // namespace shipway::kernels::testing
