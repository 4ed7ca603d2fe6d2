// StringConcat: joins strings element by element, broadcasting.
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status evaluate_string_concat(EvaluateContext& context) {
  return zip_elements<std::string>(
      context, DType::kString, [](const std::string& x, const std::string& y) { return x + y; });
}

}  // namespace

const Operator& string_concat_operator() {
  static const Operator definition{
      .name = "StringConcat",
      .summary = "Joins strings element by element, broadcasting.",
      .versions = {{.since = 20, .signature = "(X: T, Y: T) -> (Z: T)", .types = "T: string"}},
      .infer = infer_broadcast,
      .evaluate = evaluate_string_concat,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
