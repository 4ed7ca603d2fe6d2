// RegexFullMatch: true where a whole string matches a regular expression.
#include "operators/operator.h"

namespace shipway {

const Operator& regex_full_match_operator() {
  static const Operator definition{
      .name = "RegexFullMatch",
      .summary = "True where a whole string matches a regular expression.",
      .versions = {{.since = 20,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: string; T2: bool",
                    .attributes = "pattern: string?"}},
  };
  return definition;
}

}  // namespace shipway
