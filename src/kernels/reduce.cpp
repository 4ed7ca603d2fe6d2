// Reductions of [kept0][reduced0][kept1][reduced1] to [kept0][kept1]: along contiguous rows, or row
// upon row where the kept dim is the inner one. Partial sums of at most kRowChunk elements are
// fp32, their total is double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/problems.h"
#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/sizes.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kFloatsOfPart = 16384;  // tuned
constexpr int64_t kColumns = 256;         // tuned
constexpr int64_t kRowsOfPartial = 256;   // tuned
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct State {
  ReduceDims dims;
  bool by_columns = false;
  int64_t column_parts = 1, outputs_of_part = 1;
};

double start_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kMax:
      return -kInfinity;
    case ReduceKind::kMin:
      return kInfinity;
    case ReduceKind::kProd:
      return 1;
    default:
      return 0;
  }
}

double combine(ReduceKind kind, double total, double partial) {
  switch (kind) {
    case ReduceKind::kMax:
      return partial > total || std::isnan(partial) ? partial : total;
    case ReduceKind::kMin:
      return partial < total || std::isnan(partial) ? partial : total;
    case ReduceKind::kProd:
      return total * partial;
    default:
      return total + partial;
  }
}

/// The output, from the total of `count` elements; `shift` was subtracted from the exponents.
float finish(ReduceKind kind, double total, int64_t count, float shift) {
  switch (kind) {
    case ReduceKind::kMean:
      return static_cast<float>(total / static_cast<double>(count));
    case ReduceKind::kL2:
      return static_cast<float>(std::sqrt(total));
    case ReduceKind::kLogSum:
      return static_cast<float>(std::log(total));
    case ReduceKind::kLogSumExp:
      return static_cast<float>(std::log(total) + static_cast<double>(shift));
    default:
      return static_cast<float>(total);
  }
}

/// What is subtracted before e^x so that nothing overflows; an infinite maximum would turn the
/// differences into NaN.
float exponent_shift(float largest) { return std::isinf(largest) ? 0.0f : largest; }

float reduce_rows(const RowFunctions& rows, ReduceKind kind, const float* x, const ReduceDims& d) {
  const int64_t stride = d.kept1 * d.reduced1;
  const auto total_of = [&](ReduceKind how, auto function) {
    double total = start_of(how);
    for (int64_t r = 0; r < d.reduced0; ++r)
      for (int64_t i = 0; i < d.reduced1; i += kRowChunk)
        total = combine(
            how, total,
            static_cast<double>(function(x + r * stride + i, std::min(kRowChunk, d.reduced1 - i))));
    return total;
  };
  float shift = 0;
  double total = 0;
  switch (kind) {
    case ReduceKind::kMax:
      total = total_of(kind, rows.maximum);
      break;
    case ReduceKind::kMin:
      total = total_of(kind, rows.minimum);
      break;
    case ReduceKind::kProd:
      total = total_of(kind, rows.product);
      break;
    case ReduceKind::kL1:
      total = total_of(kind, rows.sum_abs);
      break;
    case ReduceKind::kL2:
    case ReduceKind::kSumSquare:
      total = total_of(kind, rows.sum_square);
      break;
    case ReduceKind::kLogSumExp:
      shift = exponent_shift(static_cast<float>(total_of(ReduceKind::kMax, rows.maximum)));
      total = total_of(
          kind, [&](const float* p, int64_t n) { return rows.exp_sum(p, shift, nullptr, n); });
      break;
    default:
      total = total_of(kind, rows.sum);
  }
  return finish(kind, total, d.reduced0 * d.reduced1, shift);
}

/// Columns [0, columns) of rows `stride` apart; reduced1 is 1.
void reduce_columns(const ElementwiseFunction* elementwise, ReduceKind kind, const float* x,
                    int64_t stride, int64_t rows, int64_t columns, float* y, float* scratch) {
  float *partial = scratch, *value = scratch + kColumns, *shift = scratch + 2 * kColumns;
  const auto apply = [&](Opcode op, const float* a, const float* b, const float* c, float* to) {
    elementwise[static_cast<size_t>(op)](a, b, c, 0, 0, to, columns);
  };
  std::fill_n(shift, columns, 0.0f);
  if (kind == ReduceKind::kLogSumExp && rows > 0) {
    std::copy_n(x, columns, shift);
    for (int64_t r = 1; r < rows; ++r) apply(Opcode::kMax, shift, x + r * stride, nullptr, shift);
    for (int64_t i = 0; i < columns; ++i) shift[i] = exponent_shift(shift[i]);
  }
  double totals[kColumns];
  std::fill_n(totals, columns, start_of(kind));
  for (int64_t begin = 0; begin < rows; begin += kRowsOfPartial) {
    for (int64_t r = begin; r < std::min(begin + kRowsOfPartial, rows); ++r) {
      const float* row = x + r * stride;
      Opcode operation = Opcode::kAdd;
      switch (kind) {
        case ReduceKind::kMax:
          operation = Opcode::kMax;
          break;
        case ReduceKind::kMin:
          operation = Opcode::kMin;
          break;
        case ReduceKind::kProd:
          operation = Opcode::kMul;
          break;
        case ReduceKind::kL1:
          apply(Opcode::kAbs, row, nullptr, nullptr, value);
          row = value;
          break;
        case ReduceKind::kL2:
        case ReduceKind::kSumSquare:
          apply(Opcode::kSquare, row, nullptr, nullptr, value);
          row = value;
          break;
        case ReduceKind::kLogSumExp:
          apply(Opcode::kSub, row, shift, nullptr, value);
          apply(Opcode::kExp, value, nullptr, nullptr, value);
          row = value;
          break;
        default:
          break;
      }
      if (r == begin) {
        std::copy_n(row, columns, partial);
      } else {
        apply(operation, partial, row, nullptr, partial);
      }
    }
    for (int64_t i = 0; i < columns; ++i)
      totals[i] = combine(kind, totals[i], static_cast<double>(partial[i]));
  }
  for (int64_t i = 0; i < columns; ++i) y[i] = finish(kind, totals[i], rows, shift[i]);
}

void run_reduce(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  const State& state = bound.state<State>();
  const ReduceDims& d = state.dims;
  const ReduceKind kind = std::get<ReduceProblem>(bound.plan->problem).kind;
  const float* x = views.input(0);
  float* y = views.output(0);
  if (state.by_columns) {
    for (int64_t index = part.begin; index < part.end; ++index) {
      const int64_t kept = index / state.column_parts,
                    column = index % state.column_parts * kColumns;
      reduce_columns(elementwise_functions(bound.plan->isa), kind,
                     x + kept * d.reduced0 * d.kept1 + column, d.kept1, d.reduced0,
                     std::min(kColumns, d.kept1 - column), y + kept * d.kept1 + column,
                     static_cast<float*>(scratch));
    }
    return;
  }
  const int64_t end = std::min(part.end * state.outputs_of_part, d.kept0 * d.kept1);
  for (int64_t output = part.begin * state.outputs_of_part; output < end; ++output) {
    const int64_t kept0 = output / d.kept1, kept1 = output % d.kept1;
    y[output] = reduce_rows(row_functions(bound.plan->isa), kind,
                            x + kept0 * d.reduced0 * d.kept1 * d.reduced1 + kept1 * d.reduced1, d);
  }
}

}  // namespace

Prepared prepare_reduce(const Problem&, Isa) { return {KernelPlan{}, {}}; }

Result<BoundKernel> bind_reduce(const KernelPlan&, const Dims& dims) {
  BoundKernel bound;
  bound.run = run_reduce;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<ReduceDims>(dims);
  ReduceDims& d = state.dims;
  if (d.kept1 == 1) {  // [kept0][reduced0 * reduced1] is contiguous
    d.reduced1 *= d.reduced0;
    d.reduced0 = 1;
  }
  state.by_columns = d.reduced1 == 1 && d.kept1 > 1;
  const double elements = static_cast<double>(d.kept0) * static_cast<double>(d.reduced0) *
                          static_cast<double>(d.kept1) * static_cast<double>(d.reduced1);
  bound.cost.flops = elements;
  bound.cost.bytes = elements * 4;
  bound.cost.nanoseconds = elements * 0.2;  // tuned
  const int64_t outputs = d.kept0 * d.kept1;
  if (outputs <= 0) return bound;
  state.column_parts = parts_of(d.kept1, kColumns);
  state.outputs_of_part = std::clamp<int64_t>(
      kFloatsOfPart / std::max<int64_t>(1, d.reduced0 * d.reduced1), 1, outputs);
  bound.parts =
      state.by_columns ? d.kept0 * state.column_parts : parts_of(outputs, state.outputs_of_part);
  bound.scratch_bytes = 3 * kColumns * static_cast<int64_t>(sizeof(float));
  return bound;
}

}  // namespace shipway::kernels
