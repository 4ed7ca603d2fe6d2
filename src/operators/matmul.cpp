// MatMul: matrix product over the last two axes; the leading ones broadcast.
#include "operators/operator.h"

namespace shipway {

const Operator& matmul_operator() {
  static const Operator definition{
      .name = "MatMul",
      .summary = "Matrix product over the last two axes; the leading ones broadcast.",
      .versions = {{.since = 1, .signature = "(A: T, B: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 9,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64 bfloat16"}},
  };
  return definition;
}

}  // namespace shipway
