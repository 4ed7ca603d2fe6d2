// LRN: divides each element by the energy of its neighbour channels.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "alpha: float = 1e-04; beta: float = 0.75; bias: float = 1.0; size: int!";

}  // namespace

const Operator& lrn_operator() {
  static const Operator definition{
      .name = "LRN",
      .summary = "Divides each element by the energy of its neighbour channels.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
