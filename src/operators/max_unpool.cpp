// MaxUnpool: puts pooled maxima back at the positions they came from, zeros elsewhere.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(X: T1, I: T2, output_shape?: T2) -> (output: T1)";
constexpr std::string_view kAttributes = "kernel_shape: ints!; pads: ints?; strides: ints?";

}  // namespace

const Operator& max_unpool_operator() {
  static const Operator definition{
      .name = "MaxUnpool",
      .summary = "Puts pooled maxima back at the positions they came from, zeros elsewhere.",
      .versions = {{.since = 9,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes = kAttributes},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T1: floats bfloat16; T2: int64",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
