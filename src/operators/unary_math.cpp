// Functions of one number, applied to every element: signs, roundings, roots, powers, angles.
#include <cmath>

#include "operators/loops.h"
#include "operators/shape_rules.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

/// y = f(x) in double, whatever float the elements are.
template <double (*f)(double)>
Status evaluate_real(EvaluateContext& context) {
  return map_elements<double>(context, context.input(0).dtype(), [](double x) { return f(x); });
}

double reciprocal_of(double x) { return 1 / x; }
/// Halves go to the even neighbour, which is nearbyint's rounding.
double round_of(double x) { return std::nearbyint(x); }

Status evaluate_abs(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  switch (kind_of(dtype)) {
    case DTypeKind::kFloat:
      return evaluate_real<std::fabs>(context);
    case DTypeKind::kSigned:  // as unsigned: the lowest number has no positive one and stays, as in
                              // numpy
      return map_elements<int64_t>(context, dtype, [](int64_t x) {
        return static_cast<int64_t>(x < 0 ? -static_cast<uint64_t>(x) : static_cast<uint64_t>(x));
      });
    default:
      return map_elements<uint64_t>(context, dtype, [](uint64_t x) { return x; });
  }
}

Status evaluate_neg(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  if (kind_of(dtype) == DTypeKind::kFloat)
    return map_elements<double>(context, dtype, [](double x) { return -x; });
  return map_elements<uint64_t>(context, dtype, [](uint64_t x) { return uint64_t{0} - x; });
}

Status infer_neg(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (std::optional<Contents> contents = context.input_contents(0)) {
    for (Dim& dim : *contents) dim = context.dims().sub(0, dim);
    context.set_output_contents(0, std::move(*contents));
  }
  return Status::ok();
}

Status evaluate_sign(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  switch (kind_of(dtype)) {
    case DTypeKind::kFloat:  // NaN stays, as in numpy
      return map_elements<double>(context, dtype, [](double x) {
        return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x;
      });
    case DTypeKind::kSigned:
      return map_elements<int64_t>(context, dtype,
                                   [](int64_t x) { return int64_t{x > 0} - int64_t{x < 0}; });
    default:
      return map_elements<uint64_t>(context, dtype, [](uint64_t x) { return uint64_t{x > 0}; });
  }
}

}  // namespace

const Operator& abs_operator() {
  static const Operator definition{
      .name = "Abs",
      .summary = "Drops the sign of every element.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: numeric"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: numeric bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_abs,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& acos_operator() {
  static const Operator definition{
      .name = "Acos",
      .summary = "Arc cosine of every element, in radians.",
      .versions = {{.since = 7, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::acos>,
  };
  return definition;
}

const Operator& acosh_operator() {
  static const Operator definition{
      .name = "Acosh",
      .summary = "Inverse hyperbolic cosine of every element.",
      .versions = {{.since = 9, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::acosh>,
  };
  return definition;
}

const Operator& asin_operator() {
  static const Operator definition{
      .name = "Asin",
      .summary = "Arc sine of every element, in radians.",
      .versions = {{.since = 7, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::asin>,
  };
  return definition;
}

const Operator& asinh_operator() {
  static const Operator definition{
      .name = "Asinh",
      .summary = "Inverse hyperbolic sine of every element.",
      .versions = {{.since = 9, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::asinh>,
  };
  return definition;
}

const Operator& atan_operator() {
  static const Operator definition{
      .name = "Atan",
      .summary = "Arc tangent of every element, in radians.",
      .versions = {{.since = 7, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::atan>,
  };
  return definition;
}

const Operator& atanh_operator() {
  static const Operator definition{
      .name = "Atanh",
      .summary = "Inverse hyperbolic tangent of every element.",
      .versions = {{.since = 9, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::atanh>,
  };
  return definition;
}

const Operator& ceil_operator() {
  static const Operator definition{
      .name = "Ceil",
      .summary = "Rounds up to whole numbers.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::ceil>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& cos_operator() {
  static const Operator definition{
      .name = "Cos",
      .summary = "Cosine of every element.",
      .versions = {{.since = 7, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::cos>,
  };
  return definition;
}

const Operator& cosh_operator() {
  static const Operator definition{
      .name = "Cosh",
      .summary = "Hyperbolic cosine of every element.",
      .versions = {{.since = 9, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::cosh>,
  };
  return definition;
}

const Operator& erf_operator() {
  static const Operator definition{
      .name = "Erf",
      .summary = "Gauss error function of every element.",
      .versions = {{.since = 9, .signature = "(input: T) -> (output: T)", .types = "T: numeric"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::erf>,
  };
  return definition;
}

const Operator& exp_operator() {
  static const Operator definition{
      .name = "Exp",
      .summary = "e to the power of every element.",
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
      .evaluate = evaluate_real<std::exp>,
  };
  return definition;
}

const Operator& floor_operator() {
  static const Operator definition{
      .name = "Floor",
      .summary = "Rounds down to whole numbers.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::floor>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& log_operator() {
  static const Operator definition{
      .name = "Log",
      .summary = "Natural logarithm of every element.",
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
      .evaluate = evaluate_real<std::log>,
  };
  return definition;
}

const Operator& neg_operator() {
  static const Operator definition{
      .name = "Neg",
      .summary = "Changes the sign of every element.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: ints floats"},
                   {.since = 13,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: ints floats bfloat16"}},
      .infer = infer_neg,
      .evaluate = evaluate_neg,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& reciprocal_operator() {
  static const Operator definition{
      .name = "Reciprocal",
      .summary = "One divided by every element.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<reciprocal_of>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& round_operator() {
  static const Operator definition{
      .name = "Round",
      .summary = "Rounds to the nearest whole number, halves to the even one.",
      .versions = {{.since = 11, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<round_of>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sign_operator() {
  static const Operator definition{
      .name = "Sign",
      .summary = "-1, 0 or 1 by the sign of every element.",
      .versions = {{.since = 9, .signature = "(input: T) -> (output: T)", .types = "T: numeric"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: numeric bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_sign,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sin_operator() {
  static const Operator definition{
      .name = "Sin",
      .summary = "Sine of every element.",
      .versions = {{.since = 7, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::sin>,
  };
  return definition;
}

const Operator& sinh_operator() {
  static const Operator definition{
      .name = "Sinh",
      .summary = "Hyperbolic sine of every element.",
      .versions = {{.since = 9, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::sinh>,
  };
  return definition;
}

const Operator& sqrt_operator() {
  static const Operator definition{
      .name = "Sqrt",
      .summary = "Square root of every element.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::sqrt>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& tan_operator() {
  static const Operator definition{
      .name = "Tan",
      .summary = "Tangent of every element.",
      .versions = {{.since = 7, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 22,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_real<std::tan>,
  };
  return definition;
}

}  // namespace shipway
