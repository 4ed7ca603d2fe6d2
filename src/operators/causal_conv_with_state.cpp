// CausalConvWithState: depthwise convolution over past steps only, handing its last inputs on to
// the next call.
#include "operators/operator.h"

namespace shipway {

const Operator& causal_conv_with_state_operator() {
  static const Operator definition{
      .name = "CausalConvWithState",
      .summary =
          "Depthwise convolution over past steps only, handing its last inputs on to the next "
          "call.",
      .versions =
          {{.since = 27,
            .signature =
                "(input: T, weight: T, bias?: T, past_state?: T) -> (output: T, present_state: T)",
            .types = "T: float float16 bfloat16",
            .attributes = "activation: string = 'none'"}},
  };
  return definition;
}

}  // namespace shipway
