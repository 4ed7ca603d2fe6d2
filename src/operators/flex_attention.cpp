// FlexAttention: attention whose scores and probabilities a subgraph may change.
#include "operators/operator.h"

namespace shipway {

const Operator& flex_attention_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview",
      .name = "FlexAttention",
      .summary = "Attention whose scores and probabilities a subgraph may change.",
      .versions =
          {{.since = 1,
            .signature = "(Q: T1, K: T1, V: T1) -> (Y: T1)",
            .types = "T1: floats bfloat16",
            .attributes =
                "prob_mod: graph?; scale: float?; score_mod: graph?; softmax_precision: int?",
            .experimental = true}},
  };
  return definition;
}

}  // namespace shipway
