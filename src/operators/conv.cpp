// Conv: slides learned filters over the spatial axes.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "auto_pad: string = 'NOTSET'; dilations: ints?; group: int = 1; "
    "kernel_shape: ints?; pads: ints?; strides: ints?";

}  // namespace

const Operator& conv_operator() {
  static const Operator definition{
      .name = "Conv",
      .summary = "Slides learned filters over the spatial axes.",
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
