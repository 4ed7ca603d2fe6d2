// DeformConv: convolution whose taps are moved by learned offsets.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "dilations: ints?; group: int = 1; kernel_shape: ints?; offset_group: int = 1; "
    "pads: ints?; strides: ints?";

}  // namespace

const Operator& deform_conv_operator() {
  static const Operator definition{
      .name = "DeformConv",
      .summary = "Convolution whose taps are moved by learned offsets.",
      .versions = {{.since = 19,
                    .signature = "(X: T, W: T, offset: T, B?: T, mask?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = "(X: T, W: T, offset: T, B?: T, mask?: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
