// GroupNormalization: normalises groups of channels of each sample.
#include <array>
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/moments.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Status infer_group_normalization(InferContext& context) {
  context.set_output(0, context.input_type(0));
  const Dims* x = context.input_dims(0);
  const int64_t groups = context.int_attribute("num_groups");
  if (groups < 1)
    return Status::invalid_model("attribute 'num_groups' is {}, expected at least 1", groups);
  if (x && x->size() < 2)
    return Status::invalid_model("input 'X' has rank {}, expected at least 2", x->size());
  if (x && (*x)[1].is_constant() && (*x)[1].value() % groups != 0)
    return Status::invalid_model("attribute 'num_groups' is {}, which does not divide {} channels",
                                 groups, (*x)[1].value());
  return Status::ok();
}

template <typename T>
Status group_normalize(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  const int64_t groups = context.int_attribute("num_groups");
  if (input.rank() < 2 || groups < 1 || input.dim(1) % groups != 0)
    return Status::invalid_argument("input 'X' is [{}], expected channels that {} groups divide",
                                    to_string(input.shape()), groups);
  const int64_t channels = input.dim(1), planes = input.dim(0) * channels;
  const int64_t size = planes == 0 ? 0 : input.element_count() / planes;
  const int64_t group_size = channels / groups * size;
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scale, read_per_channel(context, 1, channels));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> bias, read_per_channel(context, 2, channels));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), input.shape()));
  const auto epsilon = static_cast<double>(context.float_attribute("epsilon"));
  for (int64_t start = 0; start < input.element_count(); start += group_size) {
    const std::span<const T> values(x.data() + start, static_cast<size_t>(group_size));
    const Moments moments = moments_of(values);
    const double factor = 1 / std::sqrt(moments.variance + epsilon);
    for (int64_t i = start; i < start + group_size; ++i) {
      const auto c = static_cast<size_t>(i / size % channels);
      y.data()[i] =
          static_cast<T>((static_cast<double>(x[i]) - moments.mean) * factor * scale[c] + bias[c]);
    }
  }
  return y.finish(context);
}

Status evaluate_group_normalization(EvaluateContext& context) {
  return visit_real_type(context.input(0).dtype(),
                         [&](auto type) { return group_normalize<decltype(type)>(context); });
}

// Version 18 had one scale and bias for each group: repeat it for every channel of the group, whose
// number is the channels of X divided by the groups.
Status upgrade_18(NodeRewrite& rewrite) {
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  const int64_t groups = rewrite.int_attribute("num_groups");
  if (groups < 1)
    return Status::invalid_model("attribute 'num_groups' is {}, expected at least 1", groups);
  const auto ints = [&](int64_t value) { return rewrite.add_ints("group", std::array{value}); };
  const ValueId channels =
      rewrite.insert("Shape", {inputs[0]}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
  const ValueId per_group = rewrite.insert("Div", {channels, ints(groups)});
  const ValueId table = rewrite.insert("Concat", {ints(groups), per_group}, {{"axis", int64_t{0}}});
  for (size_t i = 1; i < 3; ++i) {
    const ValueId column = rewrite.insert("Unsqueeze", {inputs[i], ints(1)});
    const ValueId repeated = rewrite.insert("Expand", {column, table});
    rewrite.set_input(i, rewrite.insert("Reshape", {repeated, ints(-1)}));
  }
  return Status::ok();
}

// In operators of opset 20: each group of a sample becomes a row, which is normalised; scale and
// bias belong to the channels.
Status expand_group_normalization(NodeRewrite& rewrite) {
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  const DType dtype = rewrite.input_type(0).dtype();
  if (dtype == DType::kUndefined)
    return Status::unsupported("the dtype of input 0 is not known before the run");
  const DType wide =
      dtype == DType::kFloat64 ? dtype : static_cast<DType>(rewrite.int_attribute("stash_type"));
  const auto cast = [&](ValueId value, DType from, DType to) {
    return from == to ? value : rewrite.insert("Cast", {value}, {{"to", static_cast<int64_t>(to)}});
  };
  const auto ints = [&](const char* hint, std::vector<int64_t> values) {
    return rewrite.add_ints(hint, values);
  };
  const auto epsilon = static_cast<double>(rewrite.float_attribute("epsilon"));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor small, from_doubles(wide, {}, std::span(&epsilon, 1)));
  const ValueId groups = ints("groups", {0, rewrite.int_attribute("num_groups"), -1});
  const ValueId x = rewrite.insert("Reshape", {cast(inputs[0], dtype, wide), groups});
  const ValueId axes = ints("axes", {2});
  const std::vector<Attribute> keep{{"keepdims", int64_t{1}}};
  const ValueId centred = rewrite.insert("Sub", {x, rewrite.insert("ReduceMean", {x, axes}, keep)});
  const ValueId variance =
      rewrite.insert("ReduceMean", {rewrite.insert("Mul", {centred, centred}), axes}, keep);
  const ValueId deviation = rewrite.insert(
      "Sqrt",
      {rewrite.insert("Add", {variance, rewrite.add_constant("epsilon", std::move(small))})});
  const ValueId normal = rewrite.insert("Div", {centred, deviation});
  const ValueId shape = rewrite.insert("Shape", {inputs[0]});
  const ValueId restored = rewrite.insert("Reshape", {cast(normal, wide, dtype), shape});
  std::vector<int64_t> channels(static_cast<size_t>(rank - 1), 1);
  channels[0] = -1;
  const ValueId channel_shape = rewrite.add_ints("channels", channels);
  const ValueId scale = rewrite.insert("Reshape", {inputs[1], channel_shape});
  const ValueId bias = rewrite.insert("Reshape", {inputs[2], channel_shape});
  rewrite.replace("Add", {rewrite.insert("Mul", {restored, scale}), bias});
  return Status::ok();
}

}  // namespace

const Operator& group_normalization_operator() {
  static const Operator definition{
      .name = "GroupNormalization",
      .summary = "Normalises groups of channels of each sample.",
      .versions = {{.since = 18,
                    .signature = "(X: T, scale: T, bias: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "epsilon: float = 1e-05; num_groups: int!",
                    .deprecated = true,
                    .upgrade = upgrade_18},
                   {.since = 21,
                    .signature = "(X: T, scale: T, bias: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "epsilon: float = 1e-05; num_groups: int!; stash_type: int = 1",
                    .downgrade = expand_group_normalization}},
      .infer = infer_group_normalization,
      .evaluate = evaluate_group_normalization,
  };
  return definition;
}

}  // namespace shipway
