// DictVectorizer: turns a map into a row of values in the order of a vocabulary.
#include "operators/operator.h"

namespace shipway {

const Operator& dict_vectorizer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "DictVectorizer",
      .summary = "Turns a map into a row of values in the order of a vocabulary.",
      .versions = {{.since = 1,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: map(int64,double) map(int64,float) map(int64,string) "
                             "map(string,double) map(string,float) map(string,int64); "
                             "T2: float int64 string double",
                    .attributes = "int64_vocabulary: ints?; string_vocabulary: strings?"}},
  };
  return definition;
}

}  // namespace shipway
