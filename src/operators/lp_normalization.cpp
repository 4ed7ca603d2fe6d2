// LpNormalization: divides by the 1- or 2-norm along an axis.
//
// y = x / (sum of |x|^p along the axis) ^ (1/p); zeros where that norm is zero
#include <cmath>

#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_lp_normalization(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (const Dims* x = context.input_dims(0))
    return normalize_axis(context.int_attribute("axis"), x->size()).status();
  return Status::ok();
}

Status evaluate_lp_normalization(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), input.rank()));
  const int64_t p = context.int_attribute("p");
  if (p != 1 && p != 2) return Status::invalid_model("attribute 'p' is {}, expected 1 or 2", p);
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, input.dtype(), input.shape()));
  if (y.size() == 0) return y.finish(context);
  const int64_t size = input.dim(static_cast<size_t>(axis));
  int64_t step = 1;
  for (auto i = static_cast<size_t>(axis) + 1; i < input.shape().size(); ++i) step *= input.dim(i);
  for (int64_t line = 0; line < input.element_count() / size; ++line) {
    const int64_t start = line / step * step * size + line % step;
    double sum = 0;
    for (int64_t i = 0; i < size; ++i) {
      const double value = x[start + i * step];
      sum += p == 1 ? std::abs(value) : value * value;
    }
    const double norm = p == 1 ? sum : std::sqrt(sum);
    for (int64_t i = 0; i < size; ++i)
      y.data()[start + i * step] = norm == 0 ? 0 : x[start + i * step] / norm;
  }
  return y.finish(context);
}

}  // namespace

const Operator& lp_normalization_operator() {
  static const Operator definition{
      .name = "LpNormalization",
      .summary = "Divides by the 1- or 2-norm along an axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = -1; p: int = 2"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1; p: int = 2"}},
      .infer = infer_lp_normalization,
      .evaluate = evaluate_lp_normalization,
  };
  return definition;
}

}  // namespace shipway
