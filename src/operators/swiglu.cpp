// SwiGLU: swish of one half times the other half: a gated linear unit.
#include "operators/operator.h"

namespace shipway {

const Operator& swiglu_operator() {
  static const Operator definition{
      .name = "SwiGLU",
      .summary = "Swish of one half times the other half: a gated linear unit.",
      .versions = {{.since = 28,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0"}},
  };
  return definition;
}

}  // namespace shipway
