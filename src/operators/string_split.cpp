// StringSplit: splits every string at a delimiter.
#include "operators/operator.h"

namespace shipway {

const Operator& string_split_operator() {
  static const Operator definition{
      .name = "StringSplit",
      .summary = "Splits every string at a delimiter.",
      .versions = {{.since = 20,
                    .signature = "(X: T1) -> (Y: T2, Z: T3)",
                    .types = "T1: string; T2: string; T3: int64",
                    .attributes = "delimiter: string?; maxsplit: int?"}},
  };
  return definition;
}

}  // namespace shipway
