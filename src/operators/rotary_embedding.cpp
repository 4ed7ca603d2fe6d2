// RotaryEmbedding: rotates pairs of features by an angle that grows with the position.
#include "operators/operator.h"

namespace shipway {

const Operator& rotary_embedding_operator() {
  static const Operator definition{
      .name = "RotaryEmbedding",
      .summary = "Rotates pairs of features by an angle that grows with the position.",
      .versions = {{.since = 23,
                    .signature = "(X: T, cos_cache: T, sin_cache: T, position_ids?: M) -> (Y: T)",
                    .types = "T: float float16 bfloat16; M: int64",
                    .attributes =
                        "interleaved: int = 0; num_heads: int?; rotary_embedding_dim: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
