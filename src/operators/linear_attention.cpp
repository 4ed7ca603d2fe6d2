// LinearAttention: attention kept as a running state, whose cost grows linearly with the length.
#include "operators/operator.h"

namespace shipway {

const Operator& linear_attention_operator() {
  static const Operator definition{
      .name = "LinearAttention",
      .summary = "Attention kept as a running state, whose cost grows linearly with the length.",
      .versions =
          {{.since = 27,
            .signature =
                "(query: T, key: T, value: T, past_state?: S, decay?: T, beta?: T) -> (output: T, "
                "present_state: S)",
            .types = "T: float float16 bfloat16; S: float float16 bfloat16",
            .attributes =
                "chunk_size: int = 64; kv_num_heads: int!; q_num_heads: int!; scale: float = 0.0; "
                "update_rule: string = 'gated_delta'"}},
  };
  return definition;
}

}  // namespace shipway
