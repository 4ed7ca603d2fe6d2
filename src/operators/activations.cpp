// Activations: functions of one number that stand between the layers of a network.
#include <algorithm>
#include <cmath>

#include "operators/broadcast_upgrade.h"
#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

/// y = f(x) in double.
template <double (*f)(double)>
Status evaluate_real(EvaluateContext& context) {
  return map_elements<double>(context, context.input(0).dtype(), [](double x) { return f(x); });
}
/// y = f(x, alpha) in double, with the attribute `alpha`.
template <double (*f)(double, double)>
Status evaluate_with_alpha(EvaluateContext& context) {
  const double alpha = context.float_attribute("alpha");
  return map_elements<double>(context, context.input(0).dtype(),
                              [alpha](double x) { return f(x, alpha); });
}

// Comparisons are written so that NaN goes through.
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double softsign(double x) { return x / (1 + std::fabs(x)); }
double mish(double x) { return x * std::tanh(softplus(x)); }
double hard_swish(double x) {
  const double line = x / 6 + 0.5;
  return x * (line < 0 ? 0 : line > 1 ? 1 : line);
}
double celu(double x, double alpha) { return x < 0 ? alpha * std::expm1(x / alpha) : x; }
double elu(double x, double alpha) { return x < 0 ? alpha * std::expm1(x) : x; }
double leaky_relu(double x, double alpha) { return x < 0 ? alpha * x : x; }
double swish(double x, double alpha) { return x * sigmoid(alpha * x); }
double thresholded_relu(double x, double alpha) { return x <= alpha ? 0 : x; }

Status evaluate_celu(EvaluateContext& context) {
  if (context.float_attribute("alpha") == 0)
    return Status::invalid_model("attribute 'alpha' is 0, expected another number");
  return evaluate_with_alpha<celu>(context);
}

Status evaluate_gelu(EvaluateContext& context) {
  const std::string& approximate = context.string_attribute("approximate");
  const DType dtype = context.input(0).dtype();
  if (approximate == "none") {
    constexpr double kSqrtHalf = 0.70710678118654752440;
    return map_elements<double>(context, dtype,
                                [](double x) { return 0.5 * x * (1 + std::erf(x * kSqrtHalf)); });
  }
  if (approximate != "tanh")
    return Status::invalid_model("attribute 'approximate' is '{}', expected 'none' or 'tanh'",
                                 approximate);
  constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
  return map_elements<double>(context, dtype, [](double x) {
    return 0.5 * x * (1 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
  });
}

Status evaluate_hard_sigmoid(EvaluateContext& context) {
  const double alpha = context.float_attribute("alpha"), beta = context.float_attribute("beta");
  return map_elements<double>(context, context.input(0).dtype(), [=](double x) {
    const double line = alpha * x + beta;
    return line < 0 ? 0 : line > 1 ? 1 : line;
  });
}

Status evaluate_selu(EvaluateContext& context) {
  const double alpha = context.float_attribute("alpha"), gamma = context.float_attribute("gamma");
  return map_elements<double>(context, context.input(0).dtype(), [=](double x) {
    return x > 0 ? gamma * x : gamma * alpha * std::expm1(x);
  });
}

Status evaluate_relu(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  if (kind_of(dtype) == DTypeKind::kFloat)
    return map_elements<double>(context, dtype, [](double x) { return x < 0 ? 0 : x; });
  return map_elements<int64_t>(context, dtype, [](int64_t x) { return std::max<int64_t>(x, 0); });
}

Status infer_relu(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (std::optional<Contents> contents = context.input_contents(0)) {
    for (Dim& dim : *contents) dim = context.dims().max(dim, 0);
    context.set_output_contents(0, std::move(*contents));
  }
  return Status::ok();
}

/// x < -lambd: x + bias; x > lambd: x - bias; else 0. Integers too: computed in double, truncated.
Status evaluate_shrink(EvaluateContext& context) {
  const double bias = context.float_attribute("bias"), lambd = context.float_attribute("lambd");
  return map_elements<double>(context, context.input(0).dtype(), [=](double x) {
    return x < -lambd ? x + bias : x > lambd ? x - bias : 0;
  });
}

Status evaluate_prelu(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape,
                           broadcast_shapes(context.input(0).shape(), context.input(1).shape()));
  if (shape != context.input(0).shape())
    return Status::invalid_argument("input 1 ('slope') has shape {}, which does not fit into {}",
                                    to_string(context.input(1).shape()),
                                    to_string(context.input(0).shape()));
  switch (kind_of(dtype)) {
    case DTypeKind::kFloat:
      return zip_elements<double>(context, dtype,
                                  [](double x, double slope) { return x < 0 ? slope * x : x; });
    case DTypeKind::kSigned:
      return zip_elements<int64_t>(context, dtype, [](int64_t x, int64_t slope) {
        return x < 0 ? static_cast<int64_t>(static_cast<uint64_t>(slope) * static_cast<uint64_t>(x))
                     : x;
      });
    default:
      return zip_elements<uint64_t>(context, dtype, [](uint64_t x, uint64_t) { return x; });
  }
}

/// Until opset 6 a slope of one number per channel stood as [C]; broadcasting now starts at the
/// last axis.
Status upgrade_prelu_6(NodeRewrite& rewrite) {
  const Dims* slope = rewrite.input_type(1).dims();
  if (slope && (slope->size() != 1 || (*slope)[0] == Dim(1))) return Status::ok();
  rewrite.set_input(
      1, broadcast_from_axis(rewrite, rewrite.node().input(0), rewrite.node().input(1), 1));
  return Status::ok();
}

/// The defaults got more digits in version 6.
Status upgrade_selu_1(NodeRewrite& rewrite) {
  rewrite.set_attribute({"alpha", rewrite.float_attribute("alpha")});
  rewrite.set_attribute({"gamma", rewrite.float_attribute("gamma")});
  return drop_consumed_inputs(rewrite);
}

// What newer activations are made of, for the opsets before them.
Status expand_gelu(NodeRewrite& rewrite) {
  const ValueId x = rewrite.node().input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId half, scalar_like_input(rewrite, "half", 0.5));
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId one, scalar_like_input(rewrite, "one", 1));
  ValueId inner;
  if (rewrite.string_attribute("approximate") == "tanh") {
    SHIPWAY_ASSIGN_OR_RETURN(const ValueId cube, scalar_like_input(rewrite, "cube", 0.044715));
    SHIPWAY_ASSIGN_OR_RETURN(const ValueId root,
                             scalar_like_input(rewrite, "root", std::sqrt(2 / M_PI)));
    SHIPWAY_ASSIGN_OR_RETURN(const ValueId three, scalar_like_input(rewrite, "three", 3));
    const ValueId scaled = rewrite.insert("Mul", {rewrite.insert("Pow", {x, three}), cube});
    inner =
        rewrite.insert("Tanh", {rewrite.insert("Mul", {rewrite.insert("Add", {x, scaled}), root})});
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(const ValueId root,
                             scalar_like_input(rewrite, "root", std::sqrt(0.5)));
    inner = rewrite.insert("Erf", {rewrite.insert("Mul", {x, root})});
  }
  const ValueId halved = rewrite.insert("Mul", {x, half});
  rewrite.replace("Mul", {halved, rewrite.insert("Add", {inner, one})});
  return Status::ok();
}
Status expand_hard_swish(NodeRewrite& rewrite) {
  const ValueId x = rewrite.node().input(0);
  rewrite.replace("Mul",
                  {x, rewrite.insert("HardSigmoid", {x}, {{"alpha", 1.0f / 6}, {"beta", 0.5f}})});
  return Status::ok();
}
Status expand_mish(NodeRewrite& rewrite) {
  const ValueId x = rewrite.node().input(0);
  rewrite.replace("Mul", {x, rewrite.insert("Tanh", {rewrite.insert("Softplus", {x})})});
  return Status::ok();
}
Status expand_swish(NodeRewrite& rewrite) {
  const ValueId x = rewrite.node().input(0);
  ValueId scaled = x;
  if (rewrite.float_attribute("alpha") != 1) {
    SHIPWAY_ASSIGN_OR_RETURN(
        const ValueId alpha,
        scalar_like_input(rewrite, "alpha", static_cast<double>(rewrite.float_attribute("alpha"))));
    scaled = rewrite.insert("Mul", {x, alpha});
  }
  rewrite.replace("Mul", {x, rewrite.insert("Sigmoid", {scaled})});
  return Status::ok();
}
// alpha * elu(x / alpha)
Status expand_celu(NodeRewrite& rewrite) {
  SHIPWAY_ASSIGN_OR_RETURN(
      const ValueId alpha,
      scalar_like_input(rewrite, "alpha", static_cast<double>(rewrite.float_attribute("alpha"))));
  const ValueId scaled = rewrite.insert("Div", {rewrite.node().input(0), alpha});
  rewrite.replace("Mul", {rewrite.insert("Elu", {scaled}, {{"alpha", 1.0f}}), alpha});
  return Status::ok();
}
Status expand_thresholded_relu(NodeRewrite& rewrite) {
  const ValueId x = rewrite.node().input(0);
  SHIPWAY_ASSIGN_OR_RETURN(
      const ValueId alpha,
      scalar_like_input(rewrite, "alpha", static_cast<double>(rewrite.float_attribute("alpha"))));
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId zero, scalar_like_input(rewrite, "zero", 0));
  rewrite.replace("Where", {rewrite.insert("Greater", {x, alpha}), x, zero});
  return Status::ok();
}
// Before version 9 slopes did not broadcast from the end.
Status downgrade_prelu_7(NodeRewrite& rewrite) {
  const std::optional<Shape> slope = rewrite.input_type(1).constant_shape();
  if (slope && slope->size() == 1 && (*slope)[0] == 1) return Status::ok();
  return Status::unsupported(
      "input 1 ('slope') of more than one element broadcasts from opset 7 on");
}

}  // namespace

const Operator& celu_operator() {
  static const Operator definition{
      .name = "Celu",
      .summary = "Exponential linear unit whose slope is continuous for every alpha.",
      .versions = {{.since = 12,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: float",
                    .attributes = "alpha: float = 1.0",
                    .downgrade = expand_celu},
                   {.since = 28,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_celu,
  };
  return definition;
}

const Operator& elu_operator() {
  static const Operator definition{
      .name = "Elu",
      .summary = "Lets positive values through and bends negative ones towards -alpha.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 1.0; consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 1.0"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_with_alpha<elu>,
  };
  return definition;
}

const Operator& gelu_operator() {
  static const Operator definition{
      .name = "Gelu",
      .summary = "Weights each element by the chance that a normal variable lies below it.",
      .versions = {{.since = 20,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "approximate: string = 'none'",
                    .downgrade = expand_gelu}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_gelu,
  };
  return definition;
}

const Operator& hard_sigmoid_operator() {
  static const Operator definition{
      .name = "HardSigmoid",
      .summary = "A straight line clipped to 0..1, in place of the sigmoid.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 0.2; beta: float = 0.5; consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 0.2; beta: float = 0.5"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 0.2; beta: float = 0.5"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_hard_sigmoid,
  };
  return definition;
}

const Operator& hard_swish_operator() {
  static const Operator definition{
      .name = "HardSwish",
      .summary = "Swish with the sigmoid replaced by a clipped line.",
      .versions = {{.since = 14,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .downgrade = expand_hard_swish},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<hard_swish>,
  };
  return definition;
}

const Operator& leaky_relu_operator() {
  static const Operator definition{
      .name = "LeakyRelu",
      .summary = "Lets a fraction alpha of negative values through.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 0.01; consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 0.01"},
                   {.since = 16,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 0.01"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_with_alpha<leaky_relu>,
  };
  return definition;
}

const Operator& mish_operator() {
  static const Operator definition{
      .name = "Mish",
      .summary = "x times tanh of softplus of x.",
      .versions = {{.since = 18,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .downgrade = expand_mish},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<mish>,
  };
  return definition;
}

const Operator& prelu_operator() {
  static const Operator definition{
      .name = "PRelu",
      .summary = "Multiplies negative values by a learned slope.",
      .versions = {{.since = 1,
                    .signature = "(X: T, slope: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(X: T, slope: T) -> (Y: T)",
                    .types = "T: floats",
                    .upgrade = upgrade_prelu_6},
                   {.since = 7,
                    .signature = "(X: T, slope: T) -> (Y: T)",
                    .types = "T: floats",
                    .downgrade = downgrade_prelu_7},
                   {.since = 9,
                    .signature = "(X: T, slope: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 16,
                    .signature = "(X: T, slope: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64 bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_prelu,
  };
  return definition;
}

const Operator& relu_operator() {
  static const Operator definition{
      .name = "Relu",
      .summary = "Replaces negative values by zero.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"},
                   {.since = 14,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: ints floats bfloat16"}},
      .infer = infer_relu,
      .evaluate = evaluate_relu,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& selu_operator() {
  static const Operator definition{
      .name = "Selu",
      .summary = "Scaled exponential linear unit that keeps mean and variance.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes =
                        "alpha: float = 1.6732; consumed_inputs: ints?; gamma: float = 1.0507",
                    .upgrade = upgrade_selu_1},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 1.6732632; gamma: float = 1.050701"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.6732632; gamma: float = 1.050701"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_selu,
  };
  return definition;
}

const Operator& shrink_operator() {
  static const Operator definition{
      .name = "Shrink",
      .summary = "Zeroes values near zero and moves the others towards it by a bias.",
      .versions = {{.since = 9,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: numeric",
                    .attributes = "bias: float = 0.0; lambd: float = 0.5"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_shrink,
  };
  return definition;
}

const Operator& sigmoid_operator() {
  static const Operator definition{
      .name = "Sigmoid",
      .summary = "Squeezes every element into 0..1 by 1 / (1 + exp(-x)).",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<sigmoid>,
  };
  return definition;
}

const Operator& softplus_operator() {
  static const Operator definition{
      .name = "Softplus",
      .summary = "A smooth ramp: log(1 + exp(x)).",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<softplus>,
  };
  return definition;
}

const Operator& softsign_operator() {
  static const Operator definition{
      .name = "Softsign",
      .summary = "x divided by 1 + |x|.",
      .versions = {{.since = 1, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<softsign>,
  };
  return definition;
}

const Operator& swish_operator() {
  static const Operator definition{
      .name = "Swish",
      .summary = "x times the sigmoid of alpha x.",
      .versions = {{.since = 24,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0",
                    .downgrade = expand_swish}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_with_alpha<swish>,
  };
  return definition;
}

const Operator& tanh_operator() {
  static const Operator definition{
      .name = "Tanh",
      .summary = "Hyperbolic tangent of every element.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::tanh>,
  };
  return definition;
}

const Operator& thresholded_relu_operator() {
  static const Operator definition{
      .name = "ThresholdedRelu",
      .summary = "Keeps values above alpha and zeroes the rest.",
      .versions = {{.since = 10,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 1.0",
                    .downgrade = expand_thresholded_relu},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_with_alpha<thresholded_relu>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
