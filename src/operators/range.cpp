// Range: numbers from start to limit in equal steps.
#include "operators/operator.h"

namespace shipway {

const Operator& range_operator() {
  static const Operator definition{
      .name = "Range",
      .summary = "Numbers from start to limit in equal steps.",
      .versions = {{.since = 11,
                    .signature = "(start: T, limit: T, delta: T) -> (output: T)",
                    .types = "T: float int16 int32 int64 double"},
                   {.since = 27,
                    .signature = "(start: T, limit: T, delta: T) -> (output: T)",
                    .types = "T: floats int16 int32 int64 bfloat16",
                    .attributes = "stash_type: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
