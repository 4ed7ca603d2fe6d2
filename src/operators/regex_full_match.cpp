// RegexFullMatch: true where a whole string matches a regular expression.
#include <re2/re2.h>

#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_regex_full_match(InferContext& context) {
  if (const Dims* dims = context.input_dims(0)) {
    context.set_output(0, DType::kBool, *dims);
  } else {
    context.set_output_dtype(0, DType::kBool);
  }
  return Status::ok();
}

/// ONNX asks for RE2's syntax. RE2 takes linear time and bounded memory whatever the pattern.
Status evaluate_regex_full_match(EvaluateContext& context) {
  const std::string& pattern = context.string_attribute("pattern");
  const re2::RE2 regex(pattern, re2::RE2::Quiet);
  if (!regex.ok())
    return Status::invalid_model("attribute 'pattern' is no regular expression: {}", regex.error());
  return map_elements<std::string>(context, DType::kBool, [&](const std::string& text) -> bool {
    return re2::RE2::FullMatch(text, regex);
  });
}

}  // namespace

const Operator& regex_full_match_operator() {
  static const Operator definition{
      .name = "RegexFullMatch",
      .summary = "True where a whole string matches a regular expression.",
      .versions = {{.since = 20,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: string; T2: bool",
                    .attributes = "pattern: string?"}},
      .infer = infer_regex_full_match,
      .evaluate = evaluate_regex_full_match,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
