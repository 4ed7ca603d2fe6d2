// ConvTranspose: transposed convolution: spreads each input element over a window of the output.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "auto_pad: string = 'NOTSET'; dilations: ints?; group: int = 1; "
    "kernel_shape: ints?; output_padding: ints?; output_shape: ints?; pads: ints?; "
    "strides: ints?";

}  // namespace

const Operator& conv_transpose_operator() {
  static const Operator definition{
      .name = "ConvTranspose",
      .summary = "Transposed convolution: spreads each input element over a window of the output.",
      .versions = {{.since = 1,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 11,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
