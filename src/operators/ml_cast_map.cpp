// CastMap: turns a map into a tensor, dense or with gaps filled.
#include "operators/operator.h"

namespace shipway {

const Operator& cast_map_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "CastMap",
      .summary = "Turns a map into a tensor, dense or with gaps filled.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: map(int64,float) map(int64,string); T2: float int64 string",
            .attributes =
                "cast_to: string = 'TO_FLOAT'; map_form: string = 'DENSE'; max_map: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
