// Det: determinant of each square matrix.
#include "operators/operator.h"

namespace shipway {

const Operator& det_operator() {
  static const Operator definition{
      .name = "Det",
      .summary = "Determinant of each square matrix.",
      .versions = {{.since = 11, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
  };
  return definition;
}

}  // namespace shipway
