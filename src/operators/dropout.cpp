// Dropout: zeroes random elements while training; hands its input on otherwise.
#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/random_state.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

Status infer_dropout(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (context.has_output(1)) {
    const Dims* dims = context.input_dims(0);
    dims ? context.set_output(1, DType::kBool, *dims) : context.set_output_dtype(1, DType::kBool);
  }
  return Status::ok();
}

Result<double> scalar_or(const EvaluateContext& context, size_t i, double otherwise) {
  if (!context.has_input(i)) return otherwise;
  if (context.input(i).element_count() != 1)
    return Status::invalid_argument("input {} has shape {}, expected a scalar", i,
                                    to_string(context.input(i).shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(context.input(i)));
  return values[0];
}

/// While training: y = x / (1 - ratio) where a random number in [0, 1) is at least ratio, else 0.
Status evaluate_dropout(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const double ratio, scalar_or(context, 1, 0.5));
  SHIPWAY_ASSIGN_OR_RETURN(const double training, scalar_or(context, 2, 0));
  if (!(ratio >= 0 && ratio < 1))
    return Status::invalid_argument("input 1 ('ratio') is {}, expected 0 <= ratio < 1", ratio);
  std::vector<uint64_t> mask;
  if (training == 0 || ratio == 0) {
    context.set_output(0, x);
    mask.assign(context.has_output(1) ? static_cast<size_t>(x.element_count()) : 0, 1);
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
    RandomState random = RandomState::of(context);
    for (double& value : values) {
      mask.push_back(random.uniform() >= ratio ? 1 : 0);
      value = mask.back() != 0 ? value / (1 - ratio) : 0;
    }
    SHIPWAY_RETURN_IF_ERROR(write_output(context, 0, x.dtype(), x.shape(), values));
  }
  return context.has_output(1) ? write_output(context, 1, DType::kBool, x.shape(), mask)
                               : Status::ok();
}

/// From version 7 on an attribute no longer says whether a model is trained: a graph means
/// inference.
Status upgrade_dropout_6(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("is_test")) rewrite.remove_attribute("is_test");
  return Status::ok();
}

bool uses_mask(const NodeRewrite& rewrite) {
  const ValueId mask = rewrite.node().output(1);
  if (!mask.is_valid()) return false;
  const Value& value = rewrite.model().value(mask);
  return !value.uses().empty() || value.output_count() > 0;
}

/// The mask had the dtype of the data, now bool.
Status upgrade_dropout_7(NodeRewrite& rewrite) {
  if (uses_mask(rewrite))
    return Status::unsupported("the mask of version 7 is used, which was of the dtype of the data");
  return Status::ok();
}

Status upgrade_dropout_10(NodeRewrite& rewrite) {
  rewrite.set_input(
      1, rewrite.add_constant("ratio", Tensor::scalar(rewrite.float_attribute("ratio"))));
  if (rewrite.has_attribute("ratio")) rewrite.remove_attribute("ratio");
  return Status::ok();
}

constexpr std::string_view kSignature =
    "(data: T, ratio?: T1, training_mode?: T2) -> (output: T, mask?: T2)";

// Before version 12 no input said "training": outside of it a Dropout hands its input on, and
// what the mask holds was left open (onnxruntime's is all false, where version 12 says all true).
Status downgrade_dropout_12(NodeRewrite& rewrite) {
  if (uses_mask(rewrite))
    return Status::unsupported("output 1 ('mask') is used, which before opset 12 is not filled");
  if (rewrite.node().input(2).is_valid()) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::optional<float> trains,
                             constant_float(rewrite, 2, "training_mode"));
    if (trains.value_or(0) != 0)
      return Status::unsupported("input 2 ('training_mode') came with opset 12");
    rewrite.set_input(2, {});
  }
  const bool constant_ratio = rewrite.input_constant(1) != nullptr;
  if (constant_ratio) {  // the ratio says nothing outside of training, but is kept
    SHIPWAY_ASSIGN_OR_RETURN(const std::optional<float> ratio, constant_float(rewrite, 1, "ratio"));
    if (ratio && *ratio != 0.5f) rewrite.set_attribute({"ratio", *ratio});
  }
  rewrite.set_input(1, {});
  if (rewrite.has_attribute("seed")) rewrite.remove_attribute("seed");
  return Status::ok();
}

// Until version 6 `is_test` said that it is not training.
Status say_is_test(NodeRewrite& rewrite) {
  rewrite.set_attribute({"is_test", int64_t{1}});
  return Status::ok();
}

}  // namespace

const Operator& dropout_operator() {
  static const Operator definition{
      .name = "Dropout",
      .summary = "Zeroes random elements while training; hands its input on otherwise.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (output: T, mask?: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; is_test: int = 0; ratio: float = 0.5",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(data: T) -> (output: T, mask?: T)",
                    .types = "T: floats",
                    .attributes = "is_test: int = 0; ratio: float = 0.5",
                    .upgrade = upgrade_dropout_6},
                   {.since = 7,
                    .signature = "(data: T) -> (output: T, mask?: T)",
                    .types = "T: floats",
                    .attributes = "ratio: float = 0.5",
                    .upgrade = upgrade_dropout_7,
                    .downgrade = say_is_test},
                   {.since = 10,
                    .signature = "(data: T) -> (output: T, mask?: T1)",
                    .types = "T: floats; T1: bool",
                    .attributes = "ratio: float = 0.5",
                    .upgrade = upgrade_dropout_10},
                   {.since = 12,
                    .signature = kSignature,
                    .types = "T: floats; T1: floats; T2: bool",
                    .attributes = "seed: int?",
                    .downgrade = downgrade_dropout_12},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: floats bfloat16; T1: floats; T2: bool",
                    .attributes = "seed: int?"},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T: floats float8s bfloat16; T1: floats float8s bfloat16; T2: bool",
                    .attributes = "seed: int?"}},
      .infer = infer_dropout,
      .evaluate = evaluate_dropout,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
