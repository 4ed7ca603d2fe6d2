// SequenceMap: runs a subgraph on every element of a sequence.
#include "operators/operator.h"

namespace shipway {

const Operator& sequence_map_operator() {
  static const Operator definition{
      .name = "SequenceMap",
      .summary = "Runs a subgraph on every element of a sequence.",
      .versions = {{.since = 17,
                    .signature =
                        "(input_sequence: S, additional_inputs...{0}~: V) -> (out_sequence...~: S)",
                    .types = "S: seq(all_ir3); V: all_ir3 seq(all_ir3)",
                    .attributes = "body: graph!"}},
  };
  return definition;
}

}  // namespace shipway
