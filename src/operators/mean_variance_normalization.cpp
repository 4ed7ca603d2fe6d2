// MeanVarianceNormalization: subtracts the mean and divides by the standard deviation over given
// axes.
//
// y = (x - mean) / (sqrt(variance) + 1e-9), statistics over `axes`
#include <cmath>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_mean_variance_normalization(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (const Dims* x = context.input_dims(0))
    return normalize_axes(context.ints_attribute("axes"), x->size(), "attribute 'axes'").status();
  return Status::ok();
}

Status evaluate_mean_variance_normalization(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(
      const std::vector<int64_t> axes,
      normalize_axes(context.ints_attribute("axes"), input.rank(), "attribute 'axes'"));
  Shape reduced = input.shape();
  for (int64_t axis : axes) reduced[static_cast<size_t>(axis)] = 1;
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t groups, element_count(reduced));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, input.dtype(), input.shape()));
  if (y.size() == 0) return y.finish(context);
  const double count = static_cast<double>(input.element_count() / groups);
  std::vector<double> means(static_cast<size_t>(groups)), variances(means.size());
  const auto for_each = [&](auto&& visit) {  // element k and the number of its group
    int64_t k = 0;
    for (StridedWalk walk(input.shape(), {broadcast_strides(reduced, input.shape())}); !walk.done();
         walk.next())
      visit(k++, static_cast<size_t>(walk.offset(0)));
  };
  for_each([&](int64_t k, size_t group) { means[group] += x[k] / count; });
  for_each([&](int64_t k, size_t group) {
    variances[group] += (x[k] - means[group]) * (x[k] - means[group]) / count;
  });
  for_each([&](int64_t k, size_t group) {
    y.data()[k] = (x[k] - means[group]) / (std::sqrt(variances[group]) + 1e-9);
  });
  return y.finish(context);
}

Status expand_mean_variance_normalization(NodeRewrite& rewrite) {
  const std::span<const int64_t> axes = rewrite.ints_attribute("axes");
  const std::vector<Attribute> reduction{{"axes", std::vector<int64_t>(axes.begin(), axes.end())},
                                         {"keepdims", int64_t{1}}};
  const ValueId x = rewrite.node().input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId epsilon, scalar_like_input(rewrite, "epsilon", 1e-9));
  const ValueId centred = rewrite.insert("Sub", {x, rewrite.insert("ReduceMean", {x}, reduction)});
  const ValueId variance =
      rewrite.insert("ReduceMean", {rewrite.insert("Mul", {centred, centred})}, reduction);
  const ValueId deviation = rewrite.insert("Sqrt", {variance});
  rewrite.replace("Div", {centred, rewrite.insert("Add", {deviation, epsilon})});
  return Status::ok();
}

}  // namespace

const Operator& mean_variance_normalization_operator() {
  static const Operator definition{
      .name = "MeanVarianceNormalization",
      .summary = "Subtracts the mean and divides by the standard deviation over given axes.",
      .versions = {{.since = 9,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "axes: ints = [0, 2, 3]",
                    .downgrade = expand_mean_variance_normalization},
                   {.since = 13,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axes: ints = [0, 2, 3]"}},
      .infer = infer_mean_variance_normalization,
      .evaluate = evaluate_mean_variance_normalization,
  };
  return definition;
}

}  // namespace shipway
