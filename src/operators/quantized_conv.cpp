// Convolutions of quantised tensors.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "auto_pad: string = 'NOTSET'; dilations: ints?; group: int = 1; "
    "kernel_shape: ints?; pads: ints?; strides: ints?";

}  // namespace

const Operator& conv_integer_operator() {
  static const Operator definition{
      .name = "ConvInteger",
      .summary = "Convolution of 8-bit integers, summed in 32 bits.",
      .versions = {{.since = 10,
                    .signature = "(x: T1, w: T2, x_zero_point?: T1, w_zero_point?: T2) -> (y: T3)",
                    .types = "T1: uint8 int8; T2: uint8 int8; T3: int32",
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& qlinear_conv_operator() {
  static const Operator definition{
      .name = "QLinearConv",
      .summary = "Convolution of quantised tensors with a quantised result.",
      .versions = {{.since = 10,
                    .signature =
                        "(x: T1, x_scale: float, x_zero_point: T1, w: T2, w_scale: float, "
                        "w_zero_point: T2, y_scale: float, y_zero_point: T3, B?: T4) -> (y: T3)",
                    .types = "T1: uint8 int8; T2: uint8 int8; T3: uint8 int8; T4: int32",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
