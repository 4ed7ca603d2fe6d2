// BatchNormalization: shifts and scales every channel by statistics of the batch or by stored ones.
// y = (x - mean) / sqrt(variance + epsilon) * scale + B
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/moments.h"
#include "operators/shape_rules.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(X: T, scale: T, B: T, mean: T, var: T) -> (Y: T, mean?: T, var?: T, "
    "saved_mean?: T, saved_var?: T)";
constexpr std::string_view kAttributes =
    "epsilon: float = 1e-05; momentum: float = 0.9; training_mode: int = 0";

Status infer_batch_normalization(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (context.int_attribute("training_mode") == 0 &&
      (context.has_output(1) || context.has_output(2)))
    return Status::invalid_model("outputs 1 and 2 exist in training mode only");
  const Dims* x = context.input_dims(0);
  Dim channels = x && x->size() > 1 ? (*x)[1] : x ? Dim(1) : Dim();
  for (size_t i = 1; i < 5; ++i) {
    const Dims* dims = context.input_dims(i);
    if (!dims) continue;
    if (dims->size() != 1)
      return Status::invalid_model("input {} has rank {}, expected 1", i, dims->size());
    if (channels.is_constant() && (*dims)[0].is_constant() && channels != (*dims)[0])
      return Status::invalid_model("input {} has {} elements, expected one for each of {} channels",
                                   i, (*dims)[0].value(), channels.value());
    if (!channels.is_constant()) channels = (*dims)[0];
  }
  context.set_output(1, context.input_dtype(3), {channels});
  context.set_output(2, context.input_dtype(3), {channels});
  return Status::ok();
}

/// Mean and variance of every channel over the other axes.
template <typename T>
std::vector<Moments> channel_moments(const Reals<T>& x, int64_t batch, int64_t channels,
                                     int64_t size) {
  std::vector<Moments> moments(static_cast<size_t>(channels));
  const auto count = static_cast<double>(batch * size);
  const auto sum = [&](int64_t c, auto&& term) {
    double total = 0;
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t i = 0; i < size; ++i)
        total += term(static_cast<double>(x[(n * channels + c) * size + i]));
    return total;
  };
  for (int64_t c = 0; c < channels; ++c) {
    Moments& m = moments[static_cast<size_t>(c)];
    m.mean = sum(c, [](double value) { return value; }) / count;
    m.variance = sum(c, [&](double value) { return (value - m.mean) * (value - m.mean); }) / count;
  }
  return moments;
}

template <typename T>
Status batch_normalize(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  const int64_t batch = input.rank() > 0 ? input.dim(0) : 1;
  const int64_t channels = input.rank() > 1 ? input.dim(1) : 1;
  const int64_t size = input.element_count() / std::max<int64_t>(1, batch * channels);
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> scale, read_per_channel(context, 1, channels));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> bias, read_per_channel(context, 2, channels));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> mean, read_per_channel(context, 3, channels));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> variance, read_per_channel(context, 4, channels));
  if (context.int_attribute("training_mode") != 0) {
    const auto momentum = static_cast<double>(context.float_attribute("momentum"));
    const std::vector<Moments> found = channel_moments(x, batch, channels, size);
    std::vector<double> running_mean(found.size()), running_variance(found.size());
    for (size_t c = 0; c < found.size(); ++c) {
      running_mean[c] = mean[c] * momentum + found[c].mean * (1 - momentum);
      running_variance[c] = variance[c] * momentum + found[c].variance * (1 - momentum);
      mean[c] = found[c].mean;
      variance[c] = found[c].variance;
    }
    const DType dtype = context.input(3).dtype();
    if (context.has_output(1))
      SHIPWAY_RETURN_IF_ERROR(write_output(context, 1, dtype, {channels}, running_mean));
    if (context.has_output(2))
      SHIPWAY_RETURN_IF_ERROR(write_output(context, 2, dtype, {channels}, running_variance));
  }
  const auto epsilon = static_cast<double>(context.float_attribute("epsilon"));
  for (size_t c = 0; c < scale.size(); ++c) scale[c] /= std::sqrt(variance[c] + epsilon);
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), input.shape()));
  for (int64_t plane = 0; plane < batch * channels; ++plane) {
    const auto c = static_cast<size_t>(plane % channels);
    for (int64_t i = plane * size; i < (plane + 1) * size; ++i)
      y.data()[i] = static_cast<T>((static_cast<double>(x[i]) - mean[c]) * scale[c] + bias[c]);
  }
  return y.finish(context);
}

Status evaluate_batch_normalization(EvaluateContext& context) {
  return visit_real_type(context.input(0).dtype(),
                         [&](auto type) { return batch_normalize<decltype(type)>(context); });
}

// Until version 7, `spatial` = 0 kept statistics for every element of a sample.
Status upgrade_7(NodeRewrite& rewrite) {
  if (!rewrite.has_attribute("spatial")) return Status::ok();
  if (rewrite.int_attribute("spatial") != 0) {
    rewrite.remove_attribute("spatial");
    return Status::ok();
  }
  if (rewrite.node().outputs().size() > 1)
    return Status::unsupported("training with attribute 'spatial' = 0 has no newer form");
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  const DType dtype = rewrite.input_type(4).dtype();
  const auto epsilon = static_cast<double>(rewrite.float_attribute("epsilon"));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor constant,
                           from_doubles(dtype == DType::kUndefined ? DType::kFloat32 : dtype, {},
                                        std::span(&epsilon, 1)));
  const ValueId deviation = rewrite.insert(
      "Sqrt",
      {rewrite.insert("Add", {inputs[4], rewrite.add_constant("epsilon", std::move(constant))})});
  const ValueId centred = rewrite.insert("Sub", {inputs[0], inputs[3]});
  const ValueId scaled =
      rewrite.insert("Mul", {rewrite.insert("Div", {centred, deviation}), inputs[1]});
  rewrite.replace("Add", {scaled, inputs[2]});
  return Status::ok();
}

// Until version 6, `is_test` said what the number of outputs says too: one output, no training.
Status upgrade_6(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("is_test")) rewrite.remove_attribute("is_test");
  return Status::ok();
}

// Until version 14, more than one output meant training, and the statistics of the batch were
// outputs of their own.
Status upgrade_9(NodeRewrite& rewrite) {
  const std::span<const ValueId> outputs = rewrite.node().outputs();
  bool trains = false;
  for (size_t i = 1; i < outputs.size(); ++i) {
    if (!outputs[i].is_valid()) continue;
    trains = true;
    const Value& value = rewrite.model().value(outputs[i]);
    if (i > 2 && (!value.uses().empty() || value.output_count() > 0))
      return Status::unsupported("output {} ('{}', statistics of the batch) has no newer form", i,
                                 value.name());
  }
  if (!trains) return Status::ok();
  std::vector<Attribute> attributes(rewrite.node().attributes().begin(),
                                    rewrite.node().attributes().end());
  attributes.push_back({"training_mode", int64_t{1}});
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  rewrite.replace(
      "BatchNormalization", {inputs.begin(), inputs.end()}, std::move(attributes), "",
      std::vector<ValueId>(outputs.begin(), outputs.begin() + std::min<size_t>(3, outputs.size())));
  return Status::ok();
}

// Training had other outputs before version 14.
Status downgrade_14(NodeRewrite& rewrite) {
  if (rewrite.int_attribute("training_mode") != 0)
    return Status::unsupported("attribute 'training_mode' (1) came with opset 14");
  if (rewrite.has_attribute("training_mode")) rewrite.remove_attribute("training_mode");
  return Status::ok();
}
// Until version 6 `is_test` said that it is not training.
Status downgrade_7(NodeRewrite& rewrite) {
  rewrite.set_attribute({"is_test", int64_t{1}});
  return Status::ok();
}
Status downgrade_6(NodeRewrite& rewrite) {
  rewrite.set_attribute({"consumed_inputs", std::vector<int64_t>{0, 0, 0, 1, 1}});
  return Status::ok();
}

}  // namespace

const Operator& batch_normalization_operator() {
  static const Operator definition{
      .name = "BatchNormalization",
      .summary = "Shifts and scales every channel by statistics of the batch or by stored ones.",
      .versions =
          {{.since = 1,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "consumed_inputs: ints!; epsilon: float = 1e-05; is_test: int = 0; "
                          "momentum: float = 0.9; spatial: int = 1",
            .upgrade = drop_consumed_inputs},
           {.since = 6,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "epsilon: float = 1e-05; is_test: int = 0; momentum: float = 0.9; "
                          "spatial: int = 1",
            .upgrade = upgrade_6,
            .downgrade = downgrade_6},
           {.since = 7,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "epsilon: float = 1e-05; momentum: float = 0.9; spatial: int = 1",
            .upgrade = upgrade_7,
            .downgrade = downgrade_7},
           {.since = 9,
            .signature = kSignature,
            .types = "T: floats",
            .attributes = "epsilon: float = 1e-05; momentum: float = 0.9",
            .upgrade = upgrade_9},
           {.since = 14,
            .signature =
                "(X: T, scale: T, B: T, input_mean: U, input_var: U) -> (Y: T, running_mean?: U, "
                "running_var?: U)",
            .types = "T: floats bfloat16; U: floats bfloat16",
            .attributes = kAttributes,
            .downgrade = downgrade_14},
           {.since = 15,
            .signature = "(X: T, scale: T1, B: T1, input_mean: T2, input_var: T2) -> (Y: T, "
                         "running_mean?: T2, running_var?: T2)",
            .types = "T: floats bfloat16; T1: floats bfloat16; T2: floats bfloat16",
            .attributes = kAttributes}},
      .infer = infer_batch_normalization,
      .evaluate = evaluate_batch_normalization,
  };
  return definition;
}

}  // namespace shipway
