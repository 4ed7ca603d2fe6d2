// Einsum: sums products of elements as an equation of index letters says.
#include "operators/operator.h"

namespace shipway {

const Operator& einsum_operator() {
  static const Operator definition{
      .name = "Einsum",
      .summary = "Sums products of elements as an equation of index letters says.",
      .versions = {{.since = 12,
                    .signature = "(Inputs...: T) -> (Output: T)",
                    .types = "T: numeric",
                    .attributes = "equation: string!"},
                   {.since = 28,
                    .signature = "(Inputs...: T) -> (Output: T)",
                    .types = "T: numeric bfloat16",
                    .attributes = "equation: string!"}},
  };
  return definition;
}

}  // namespace shipway
