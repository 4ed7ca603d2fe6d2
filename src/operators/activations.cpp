// Activations: functions of one number that stand between the layers of a network.
#include "operators/operator.h"

namespace shipway {

const Operator& celu_operator() {
  static const Operator definition{
      .name = "Celu",
      .summary = "Exponential linear unit whose slope is continuous for every alpha.",
      .versions = {{.since = 12,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: float",
                    .attributes = "alpha: float = 1.0"},
                   {.since = 28,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0"}},
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
                    .attributes = "alpha: float = 1.0; consumed_inputs: ints?"},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 1.0"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0"}},
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
                    .attributes = "approximate: string = 'none'"}},
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
                    .attributes = "alpha: float = 0.2; beta: float = 0.5; consumed_inputs: ints?"},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 0.2; beta: float = 0.5"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 0.2; beta: float = 0.5"}},
  };
  return definition;
}

const Operator& hard_swish_operator() {
  static const Operator definition{
      .name = "HardSwish",
      .summary = "Swish with the sigmoid replaced by a clipped line.",
      .versions = {{.since = 14, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
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
                    .attributes = "alpha: float = 0.01; consumed_inputs: ints?"},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 0.01"},
                   {.since = 16,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 0.01"}},
  };
  return definition;
}

const Operator& mish_operator() {
  static const Operator definition{
      .name = "Mish",
      .summary = "x times tanh of softplus of x.",
      .versions = {{.since = 18, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T, slope: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 7, .signature = "(X: T, slope: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 9,
                    .signature = "(X: T, slope: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 16,
                    .signature = "(X: T, slope: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64 bfloat16"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"},
                   {.since = 14,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: ints floats bfloat16"}},
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
                        "alpha: float = 1.6732; consumed_inputs: ints?; gamma: float = 1.0507"},
                   {.since = 6,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "alpha: float = 1.6732632; gamma: float = 1.050701"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.6732632; gamma: float = 1.050701"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 13, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
  };
  return definition;
}

const Operator& softplus_operator() {
  static const Operator definition{
      .name = "Softplus",
      .summary = "A smooth ramp: log(1 + exp(x)).",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
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
                    .attributes = "alpha: float = 1.0"}},
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
                    .attributes = "consumed_inputs: ints?"},
                   {.since = 6, .signature = "(input: T) -> (output: T)", .types = "T: floats"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16"}},
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
                    .attributes = "alpha: float = 1.0"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0"}},
  };
  return definition;
}

}  // namespace shipway
