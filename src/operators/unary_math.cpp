// Functions of one number, applied to every element: signs, roundings, roots, powers, angles.
#include "operators/operator.h"

namespace shipway {

const Operator& abs_operator() {
  static const Operator definition{
      .name = "Abs",
      .summary = "Drops the sign of every element.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: numeric"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: numeric bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: ints floats"},
                   {.since = 13,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: ints floats bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
  };
  return definition;
}

const Operator& round_operator() {
  static const Operator definition{
      .name = "Round",
      .summary = "Rounds to the nearest whole number, halves to the even one.",
      .versions = {{.since = 11, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
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
  };
  return definition;
}

}  // namespace shipway
