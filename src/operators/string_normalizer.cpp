// StringNormalizer: changes case and drops stop words of a list of strings.
#include "operators/operator.h"

namespace shipway {

const Operator& string_normalizer_operator() {
  static const Operator definition{
      .name = "StringNormalizer",
      .summary = "Changes case and drops stop words of a list of strings.",
      .versions =
          {{.since = 10,
            .signature = "(X: string) -> (Y: string)",
            .attributes =
                "case_change_action: string = 'NONE'; is_case_sensitive: int = 0; locale: string?; "
                "stopwords: strings?"}},
  };
  return definition;
}

}  // namespace shipway
