// StringConcat: joins strings element by element, broadcasting.
#include "operators/operator.h"

namespace shipway {

const Operator& string_concat_operator() {
  static const Operator definition{
      .name = "StringConcat",
      .summary = "Joins strings element by element, broadcasting.",
      .versions = {{.since = 20, .signature = "(X: T, Y: T) -> (Z: T)", .types = "T: string"}},
  };
  return definition;
}

}  // namespace shipway
