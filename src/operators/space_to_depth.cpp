// SpaceToDepth: turns blocks of pixels into channels.
#include "operators/operator.h"
#include "operators/space_blocks.h"

namespace shipway {

const Operator& space_to_depth_operator() {
  static const Operator definition{
      .name = "SpaceToDepth",
      .summary = "Turns blocks of pixels into channels.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "blocksize: int!"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "blocksize: int!"},
                   {.since = 28,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "blocksize: int!; mode: string = 'DCR'"}},
      .infer = infer_space_to_depth,
      .evaluate = evaluate_space_to_depth,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
