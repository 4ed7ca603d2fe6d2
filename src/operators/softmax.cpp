// Softmax and its relatives LogSoftmax and Hardmax.
#include <algorithm>
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/rounding.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

Status infer_softmax(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (const Dims* dims = context.input_dims(0))
    return normalize_axis(context.int_attribute("axis"), static_cast<int64_t>(dims->size()))
        .status();
  return Status::ok();
}

/// Calls line(first element, count, distance) for every line of the input along the attribute
/// `axis`; lines are changed in place and become output 0.
template <typename Line>
Status evaluate_lines(EvaluateContext& context, Line&& line) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), x.rank()));
  const auto [outer, size, inner] = Lines::along(x.shape(), axis);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  if (!values.empty()) {
    for (int64_t o = 0; o < outer; ++o) {
      if (o % 1024 == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
      for (int64_t i = 0; i < inner; ++i) line(values.data() + o * size * inner + i, size, inner);
    }
  }
  return write_output(context, 0, x.dtype(), x.shape(), values);
}

double largest(const double* x, int64_t count, int64_t step) {
  double best = x[0];
  for (int64_t i = 1; i < count; ++i) best = std::max(best, x[i * step]);
  return best;
}

/// The maximum is subtracted first, so that exp cannot overflow. ONNX defines it by a function of
/// several operators: ReduceMax, Sub, Exp, ReduceSum, Div.
Status evaluate_softmax(EvaluateContext& context) {
  const Rounding round(context.input(0).dtype());
  return evaluate_lines(context, [&](double* x, int64_t count, int64_t step) {
    const double shift = largest(x, count, step);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      x[i * step] = round(std::exp(round(x[i * step] - shift)));
      sum = round.keeps_sums() ? round(sum + x[i * step]) : sum + x[i * step];
    }
    sum = round(sum);
    for (int64_t i = 0; i < count; ++i) x[i * step] /= sum;
  });
}

Status evaluate_log_softmax(EvaluateContext& context) {
  return evaluate_lines(context, [](double* x, int64_t count, int64_t step) {
    const double shift = largest(x, count, step);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += std::exp(x[i * step] - shift);
    const double log_sum = std::log(sum);
    for (int64_t i = 0; i < count; ++i) x[i * step] = x[i * step] - shift - log_sum;
  });
}

Status evaluate_hardmax(EvaluateContext& context) {
  return evaluate_lines(context, [](double* x, int64_t count, int64_t step) {
    int64_t best = 0;
    for (int64_t i = 1; i < count; ++i)
      if (x[i * step] > x[best * step]) best = i;
    for (int64_t i = 0; i < count; ++i) x[i * step] = i == best ? 1 : 0;
  });
}

/// Before version 13 the input counted as a matrix of rows, from `axis` on. Where that is not just
/// the last axis: Reshape(f(Flatten(x, axis), axis = -1), Shape(x)).
Status upgrade_softmax_11(NodeRewrite& rewrite) {
  const int64_t axis = rewrite.int_attribute("axis");
  const Dims* dims = rewrite.input_type(0).dims();
  if (axis == -1 || (dims && axis == static_cast<int64_t>(dims->size()) - 1)) {
    rewrite.set_attribute({"axis", int64_t{-1}});
    return Status::ok();
  }
  const ValueId x = rewrite.node().input(0);
  const ValueId rows = rewrite.insert("Flatten", {x}, {{"axis", axis}});
  const ValueId y = rewrite.insert(rewrite.node().op_type(), {rows}, {{"axis", int64_t{-1}}});
  const ValueId shape = rewrite.insert("Shape", {x});
  rewrite.replace("Reshape", {y, shape});
  return Status::ok();
}

// Over the last axis both versions mean the same; another one goes last for the time being.
Status downgrade_softmax_13(NodeRewrite& rewrite) {
  const int64_t axis = rewrite.int_attribute("axis");
  if (axis == -1) {
    rewrite.set_attribute({"axis", axis});
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t counted, normalize_axis(axis, rank));
  if (counted == rank - 1) return Status::ok();
  std::vector<int64_t> swap;
  for (int64_t i = 0; i < rank; ++i) swap.push_back(i);
  std::swap(swap[static_cast<size_t>(counted)], swap.back());
  const ValueId turned = rewrite.insert("Transpose", {rewrite.node().input(0)}, {{"perm", swap}});
  const ValueId y = rewrite.insert(rewrite.node().op_type(), {turned}, {{"axis", int64_t{-1}}});
  rewrite.replace("Transpose", {y}, {{"perm", swap}});
  return Status::ok();
}

}  // namespace

const Operator& hardmax_operator() {
  static const Operator definition{
      .name = "Hardmax",
      .summary = "One at the first maximum along an axis, zero elsewhere.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1",
                    .upgrade = upgrade_softmax_11,
                    .downgrade = axis_from_front},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1",
                    .downgrade = downgrade_softmax_13}},
      .infer = infer_softmax,
      .evaluate = evaluate_hardmax,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& log_softmax_operator() {
  static const Operator definition{
      .name = "LogSoftmax",
      .summary = "Logarithm of Softmax, computed without overflow.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1",
                    .upgrade = upgrade_softmax_11,
                    .downgrade = axis_from_front},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1",
                    .downgrade = downgrade_softmax_13}},
      .infer = infer_softmax,
      .evaluate = evaluate_log_softmax,
  };
  return definition;
}

const Operator& softmax_operator() {
  static const Operator definition{
      .name = "Softmax",
      .summary = "Exponentials divided by their sum along an axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1",
                    .upgrade = upgrade_softmax_11,
                    .downgrade = axis_from_front},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1",
                    .downgrade = downgrade_softmax_13}},
      .infer = infer_softmax,
      .evaluate = evaluate_softmax,
  };
  return definition;
}

}  // namespace shipway
