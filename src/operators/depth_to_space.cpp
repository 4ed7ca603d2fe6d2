// DepthToSpace: turns blocks of channels into finer pixels.
#include "operators/operator.h"
#include "operators/space_blocks.h"

namespace shipway {

const Operator& depth_to_space_operator() {
  static const Operator definition{
      .name = "DepthToSpace",
      .summary = "Turns blocks of channels into finer pixels.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "blocksize: int!"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "blocksize: int!; mode: string = 'DCR'"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "blocksize: int!; mode: string = 'DCR'"},
                   {.since = 28,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "blocksize: int!; mode: string = 'DCR'"}},
      .infer = infer_depth_to_space,
      .evaluate = evaluate_depth_to_space,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
