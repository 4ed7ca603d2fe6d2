// CategoryMapper: maps strings to integers or back by two lists.
#include "operators/operator.h"

namespace shipway {

const Operator& category_mapper_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "CategoryMapper",
      .summary = "Maps strings to integers or back by two lists.",
      .versions = {{.since = 1,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: int64 string; T2: int64 string",
                    .attributes =
                        "cats_int64s: ints?; cats_strings: strings?; default_int64: int = -1; "
                        "default_string: string = '_Unused'"}},
  };
  return definition;
}

}  // namespace shipway
