// TfIdfVectorizer: counts known n-grams of each sequence, optionally weighted.
#include "operators/operator.h"

namespace shipway {

const Operator& tf_idf_vectorizer_operator() {
  static const Operator definition{
      .name = "TfIdfVectorizer",
      .summary = "Counts known n-grams of each sequence, optionally weighted.",
      .versions =
          {{.since = 9,
            .signature = "(X: T) -> (Y: T1)",
            .types = "T: int32 int64 string; T1: float",
            .attributes =
                "max_gram_length: int!; max_skip_count: int!; min_gram_length: int!; "
                "mode: string!; ngram_counts: ints!; ngram_indexes: ints!; pool_int64s: ints?; "
                "pool_strings: strings?; weights: floats?"}},
  };
  return definition;
}

}  // namespace shipway
