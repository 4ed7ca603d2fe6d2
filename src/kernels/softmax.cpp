// Softmax and LogSoftmax over one axis. The maximum is subtracted first, because e^89 already
// overflows.
#include <algorithm>
#include <cmath>

#include "kernels/problems.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/sizes.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kFloatsOfPart = 8192;  // tuned
constexpr int64_t kColumns = 256;        // tuned: of an inner dim at a time: three rows of scratch

struct State {
  SoftmaxDims dims;
  int64_t rows_of_part = 1, column_parts = 1;
};

void run_row(const RowFunctions& rows, const ElementwiseFunction* elementwise, const float* x,
             float* y, int64_t width, bool logarithm) {
  float largest = -INFINITY;
  double sum = 0;
  for (int64_t i = 0; i < width; i += kRowChunk) {
    const float chunk = rows.maximum(x + i, std::min(kRowChunk, width - i));
    if (chunk > largest || std::isnan(chunk)) largest = chunk;
  }
  for (int64_t i = 0; i < width; i += kRowChunk)
    sum += static_cast<double>(
        rows.exp_sum(x + i, largest, logarithm ? nullptr : y + i, std::min(kRowChunk, width - i)));
  const auto affine = elementwise[static_cast<size_t>(Opcode::kAffine)];
  if (logarithm) {  // (x - largest) - log(sum): the difference is exact where it matters
    rows.normalize(x, largest, 1.0f, nullptr, nullptr, y, width);
    affine(y, nullptr, nullptr, 1.0f, static_cast<float>(-std::log(sum)), y, width);
  } else {
    affine(y, nullptr, nullptr, static_cast<float>(1 / sum), 0.0f, y, width);
  }
}

/// `columns` neighbouring positions of the inner dim at once; the axis runs with stride `inner`.
void run_columns(const ElementwiseFunction* elementwise, const float* x, float* y, int64_t width,
                 int64_t inner, int64_t columns, bool logarithm, float* scratch) {
  const auto apply = [&](Opcode op, const float* a, const float* b, float* to) {
    elementwise[static_cast<size_t>(op)](a, b, nullptr, 0, 0, to, columns);
  };
  float *largest = scratch, *sum = scratch + kColumns, *value = scratch + 2 * kColumns;
  std::copy_n(x, columns, largest);
  for (int64_t i = 1; i < width; ++i) apply(Opcode::kMax, largest, x + i * inner, largest);
  std::fill_n(sum, columns, 0.0f);
  for (int64_t i = 0; i < width; ++i) {
    apply(Opcode::kSub, x + i * inner, largest, value);
    apply(Opcode::kExp, value, nullptr, value);
    apply(Opcode::kAdd, sum, value, sum);
    if (!logarithm) std::copy_n(value, columns, y + i * inner);
  }
  if (!logarithm) {
    apply(Opcode::kReciprocal, sum, nullptr, sum);
    for (int64_t i = 0; i < width; ++i) apply(Opcode::kMul, y + i * inner, sum, y + i * inner);
    return;
  }
  apply(Opcode::kLog, sum, nullptr, sum);
  for (int64_t i = 0; i < width; ++i) {
    apply(Opcode::kSub, x + i * inner, largest, value);
    apply(Opcode::kSub, value, sum, y + i * inner);
  }
}

void run_softmax(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  const State& state = bound.state<State>();
  const SoftmaxDims& d = state.dims;
  const bool logarithm = std::get<SoftmaxProblem>(bound.plan->problem).logarithm;
  const ElementwiseFunction* elementwise = elementwise_functions(bound.plan->isa);
  const float* x = views.input(0);
  float* y = views.output(0);
  for (int64_t index = part.begin; index < part.end; ++index) {
    if (d.inner == 1) {
      const int64_t end = std::min((index + 1) * state.rows_of_part, d.outer);
      for (int64_t row = index * state.rows_of_part; row < end; ++row)
        run_row(row_functions(bound.plan->isa), elementwise, x + row * d.width, y + row * d.width,
                d.width, logarithm);
      continue;
    }
    const int64_t column = index % state.column_parts * kColumns,
                  offset = index / state.column_parts * d.width * d.inner + column;
    run_columns(elementwise, x + offset, y + offset, d.width, d.inner,
                std::min(kColumns, d.inner - column), logarithm, static_cast<float*>(scratch));
  }
}

}  // namespace

Prepared prepare_softmax(const Problem&, Isa) { return {KernelPlan{}, {}}; }

Result<BoundKernel> bind_softmax(const KernelPlan&, const Dims& dims) {
  BoundKernel bound;
  bound.run = run_softmax;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<SoftmaxDims>(dims);
  const SoftmaxDims& d = state.dims;
  const double elements =
      static_cast<double>(d.outer) * static_cast<double>(d.width) * static_cast<double>(d.inner);
  bound.cost.flops = elements * 8;
  bound.cost.bytes = elements * 8;
  bound.cost.nanoseconds = elements * 0.6;  // tuned
  if (elements <= 0) return bound;
  state.rows_of_part = std::clamp<int64_t>(kFloatsOfPart / d.width, 1, d.outer);
  state.column_parts = parts_of(d.inner, kColumns);
  bound.parts = d.inner == 1 ? parts_of(d.outer, state.rows_of_part) : d.outer * state.column_parts;
  bound.scratch_bytes = 3 * kColumns * static_cast<int64_t>(sizeof(float));
  return bound;
}

}  // namespace shipway::kernels
