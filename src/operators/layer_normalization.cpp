// LayerNormalization: normalises the trailing axes to mean 0 and variance 1, then scales and
// shifts.
//
// y = (x - mean) / sqrt(variance + epsilon) * scale + B, over the axes from `axis` on
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/moments.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Status infer_layer_normalization(InferContext& context) {
  context.set_output(0, context.input_type(0));
  const int64_t stash = context.int_attribute("stash_type");
  if (!is_valid_dtype(stash))
    return Status::invalid_model("attribute 'stash_type' is {}, expected the number of a dtype",
                                 stash);
  const Dims* x = context.input_dims(0);
  if (!x) {
    for (size_t i = 1; i < 3; ++i) context.set_output_dtype(i, static_cast<DType>(stash));
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), x->size()));
  Dims reduced = *x;
  for (size_t i = static_cast<size_t>(axis); i < reduced.size(); ++i) reduced[i] = 1;
  for (size_t i = 1; i < 3; ++i) context.set_output(i, static_cast<DType>(stash), reduced);
  return Status::ok();
}

template <typename T>
Status layer_normalize(EvaluateContext& context, int64_t axis) {
  const Tensor& input = context.input(0);
  Shape reduced = input.shape();
  int64_t groups = 1;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (i < static_cast<size_t>(axis))
      groups *= reduced[i];
    else
      reduced[i] = 1;
  }
  const int64_t size = groups == 0 ? 0 : input.element_count() / groups;
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scale,
                           read_repeating(context, 1, input.shape()));
  std::vector<double> bias{0.0};
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(bias, read_repeating(context, 2, input.shape()));
  }
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), input.shape()));
  const auto epsilon = static_cast<double>(context.float_attribute("epsilon"));
  std::vector<double> means, inverses;
  size_t s = 0, b = 0;  // positions in scale and bias, which repeat
  for (int64_t group = 0; group < groups; ++group) {
    const std::span<const T> values(x.data() + group * size, static_cast<size_t>(size));
    const Moments moments = moments_of(values);
    means.push_back(moments.mean);
    inverses.push_back(1 / std::sqrt(moments.variance + epsilon));
    T* out = y.data() + group * size;
    for (T value : values) {
      *out++ = static_cast<T>(
          (static_cast<double>(value) - moments.mean) * inverses.back() * scale[s] + bias[b]);
      if (++s == scale.size()) s = 0;
      if (++b == bias.size()) b = 0;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(y.finish(context));
  const auto stash = static_cast<DType>(context.int_attribute("stash_type"));
  if (context.has_output(1))
    SHIPWAY_RETURN_IF_ERROR(write_output(context, 1, stash, reduced, means));
  if (context.has_output(2))
    SHIPWAY_RETURN_IF_ERROR(write_output(context, 2, stash, reduced, inverses));
  return Status::ok();
}

Status evaluate_layer_normalization(EvaluateContext& context) {
  if (const int64_t stash = context.int_attribute("stash_type");
      !is_valid_dtype(stash) || kind_of(static_cast<DType>(stash)) != DTypeKind::kFloat)
    return Status::invalid_model(
        "attribute 'stash_type' is {}, expected the number of a float dtype", stash);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), context.input(0).rank()));
  return visit_real_type(context.input(0).dtype(),
                         [&](auto type) { return layer_normalize<decltype(type)>(context, axis); });
}

// In operators of opset 16: y = (x - mean) * inverse * scale + B, in the dtype that stash_type
// says.
Status expand_layer_normalization(NodeRewrite& rewrite) {
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  const DType dtype = rewrite.input_type(0).dtype();
  const auto stash = static_cast<DType>(rewrite.int_attribute("stash_type"));
  if (dtype == DType::kUndefined)
    return Status::unsupported("the dtype of input 0 is not known before the run");
  // Statistics of a double in float would lose what double was for; the reference keeps it.
  const DType wide = dtype == DType::kFloat64 ? dtype : stash;
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, trailing_axes(rewrite));
  const auto cast = [&](ValueId value, DType from, DType to) {
    return from == to ? value : rewrite.insert("Cast", {value}, {{"to", static_cast<int64_t>(to)}});
  };
  const std::vector<Attribute> reduction{{"axes", axes}, {"keepdims", int64_t{1}}};
  const auto epsilon = static_cast<double>(rewrite.float_attribute("epsilon"));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor small, from_doubles(wide, {}, std::span(&epsilon, 1)));
  const ValueId x = cast(inputs[0], dtype, wide);
  const ValueId mean = rewrite.insert("ReduceMean", {x}, reduction);
  const ValueId centred = rewrite.insert("Sub", {x, mean});
  const ValueId variance =
      rewrite.insert("ReduceMean", {rewrite.insert("Mul", {centred, centred})}, reduction);
  const ValueId deviation = rewrite.insert(
      "Sqrt",
      {rewrite.insert("Add", {variance, rewrite.add_constant("epsilon", std::move(small))})});
  const ValueId inverse = rewrite.insert("Reciprocal", {deviation});
  const ValueId normal = cast(rewrite.insert("Mul", {centred, inverse}), wide, dtype);
  const std::vector<ValueId> y{rewrite.node().output(0)};
  const auto hand_out = [&](size_t i, ValueId value) {
    if (!rewrite.node().output(i).is_valid()) return;
    rewrite.replace("Cast", {value}, {{"to", static_cast<int64_t>(stash)}}, "",
                    std::vector<ValueId>{rewrite.node().output(i)});
  };
  hand_out(1, mean);
  hand_out(2, inverse);
  if (rewrite.node().input(2).is_valid()) {
    rewrite.replace("Add", {rewrite.insert("Mul", {normal, inputs[1]}), inputs[2]}, {}, "", y);
  } else {
    rewrite.replace("Mul", {normal, inputs[1]}, {}, "", y);
  }
  return Status::ok();
}

}  // namespace

const Operator& layer_normalization_operator() {
  static const Operator definition{
      .name = "LayerNormalization",
      .summary = "Normalises the trailing axes to mean 0 and variance 1, then scales and shifts.",
      .versions = {{.since = 17,
                    .signature = "(X: T, Scale: T, B?: T) -> (Y: T, Mean?: U, InvStdDev?: U)",
                    .types = "T: floats bfloat16; U: float bfloat16",
                    .attributes = "axis: int = -1; epsilon: float = 1e-05; stash_type: int = 1",
                    .downgrade = expand_layer_normalization}},
      .infer = infer_layer_normalization,
      .evaluate = evaluate_layer_normalization,
  };
  return definition;
}

}  // namespace shipway
