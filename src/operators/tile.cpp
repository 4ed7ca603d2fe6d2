// Tile: repeats a tensor along its axes.
#include "operators/operator.h"

namespace shipway {

const Operator& tile_operator() {
  static const Operator definition{
      .name = "Tile",
      .summary = "Repeats a tensor along its axes.",
      .versions = {{.since = 1,
                    .signature = "(input: T, tiles: T, axis: T) -> (output: T)",
                    .types = "T: floats; T1: int64"},
                   {.since = 6,
                    .signature = "(input: T, repeats: T1) -> (output: T)",
                    .types = "T: all_ir3; T1: int64"},
                   {.since = 13,
                    .signature = "(input: T, repeats: T1) -> (output: T)",
                    .types = "T: all_ir4; T1: int64"}},
  };
  return definition;
}

}  // namespace shipway
