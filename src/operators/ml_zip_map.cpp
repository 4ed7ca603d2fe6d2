// ZipMap: turns each row of scores into a map from class to score.
#include "operators/operator.h"

namespace shipway {

const Operator& zip_map_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "ZipMap",
      .summary = "Turns each row of scores into a map from class to score.",
      .versions = {{.since = 1,
                    .signature = "(X: float) -> (Z: T)",
                    .types = "T: seq(map(int64,float)) seq(map(string,float))",
                    .attributes = "classlabels_int64s: ints?; classlabels_strings: strings?"}},
  };
  return definition;
}

}  // namespace shipway
