// RMSNormalization: divides by the root mean square over the trailing axes, then scales.
//
// y = x / sqrt(mean(x * x) + epsilon) * scale, over the axes from `axis` on
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/moments.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Status infer_rms_normalization(InferContext& context) {
  const Dims* x = context.input_dims(0);
  context.set_output_dtype(0, context.input_dtype(1));
  if (!x) return Status::ok();
  SHIPWAY_RETURN_IF_ERROR(normalize_axis(context.int_attribute("axis"), x->size()).status());
  context.set_output(0, context.input_dtype(1), *x);
  return Status::ok();
}

Status evaluate_rms_normalization(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), input.rank()));
  int64_t groups = 1;
  for (size_t i = 0; i < static_cast<size_t>(axis); ++i) groups *= input.shape()[i];
  const int64_t size = groups == 0 ? 0 : input.element_count() / groups;
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scale,
                           read_repeating(context, 1, input.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(
      RealOutput<double> y,
      RealOutput<double>::allocate(context, 0, context.input(1).dtype(), input.shape()));
  const auto epsilon = static_cast<double>(context.float_attribute("epsilon"));
  size_t s = 0;
  for (int64_t group = 0; group < groups; ++group) {
    const std::span<const double> values(x.data() + group * size, static_cast<size_t>(size));
    double squares = 0;
    for (double value : values) squares += value * value;
    const double root = std::sqrt(squares / static_cast<double>(size) + epsilon);
    double* out = y.data() + group * size;
    for (double value : values) {
      *out++ = value / root * scale[s];
      if (++s == scale.size()) s = 0;
    }
  }
  return y.finish(context);
}

// In operators of opset 22: y = x / sqrt(mean(x * x) + epsilon) * scale, in the dtype that
// stash_type says.
Status expand_rms_normalization(NodeRewrite& rewrite) {
  const ValueId input = rewrite.node().input(0), scale = rewrite.node().input(1);
  const DType dtype = rewrite.input_type(0).dtype(), out = rewrite.input_type(1).dtype();
  if (dtype == DType::kUndefined || out == DType::kUndefined)
    return Status::unsupported("the dtype of input 0 or 1 is not known before the run");
  const DType wide =
      dtype == DType::kFloat64 ? dtype : static_cast<DType>(rewrite.int_attribute("stash_type"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, trailing_axes(rewrite));
  const auto cast = [&](ValueId value, DType from, DType to) {
    return from == to ? value : rewrite.insert("Cast", {value}, {{"to", static_cast<int64_t>(to)}});
  };
  const auto epsilon = static_cast<double>(rewrite.float_attribute("epsilon"));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor small, from_doubles(wide, {}, std::span(&epsilon, 1)));
  const ValueId x = cast(input, dtype, wide);
  const ValueId square =
      rewrite.insert("ReduceMean", {rewrite.insert("Mul", {x, x}), rewrite.add_ints("axes", axes)},
                     {{"keepdims", int64_t{1}}});
  const ValueId root = rewrite.insert(
      "Sqrt", {rewrite.insert("Add", {square, rewrite.add_constant("epsilon", std::move(small))})});
  rewrite.replace("Mul", {cast(rewrite.insert("Div", {x, root}), wide, out), scale});
  return Status::ok();
}

}  // namespace

const Operator& rms_normalization_operator() {
  static const Operator definition{
      .name = "RMSNormalization",
      .summary = "Divides by the root mean square over the trailing axes, then scales.",
      .versions = {{.since = 23,
                    .signature = "(X: T, scale: V) -> (Y: V)",
                    .types = "T: floats bfloat16; V: floats bfloat16",
                    .attributes = "axis: int = -1; epsilon: float = 1e-05; stash_type: int = 1",
                    .downgrade = expand_rms_normalization}},
      .infer = infer_rms_normalization,
      .evaluate = evaluate_rms_normalization,
  };
  return definition;
}

}  // namespace shipway
