// StringNormalizer: changes case and drops stop words of a list of strings.
#include <utf8proc.h>

#include <set>

#include "base/text.h"
#include "operators/operator.h"

namespace shipway {

namespace {

Status infer_string_normalizer(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output_dtype(0, DType::kString);
  } else if (dims->size() == 1) {
    context.set_output(0, DType::kString, {Dim::unknown()});
  } else if (dims->size() == 2 && (!(*dims)[0].is_constant() || (*dims)[0] == Dim(1))) {
    context.set_output(0, DType::kString, {1, Dim::unknown()});
  } else {
    return Status::invalid_model("input 'X' must have shape [C] or [1, C]");
  }
  return Status::ok();
}

/// Every code point through utf8proc's table, which knows no locale. Bytes that are no UTF-8 stay
/// as they are.
std::string map_code_points(const std::string& text, utf8proc_int32_t (*map)(utf8proc_int32_t)) {
  std::string result;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (length < 1) {
      result += text[at++];
      continue;
    }
    utf8proc_uint8_t encoded[4];
    const utf8proc_ssize_t size = utf8proc_encode_char(map(code), encoded);
    result.append(reinterpret_cast<const char*>(encoded), static_cast<size_t>(size));
    at += static_cast<size_t>(length);
  }
  return result;
}
std::string lower(const std::string& text) { return map_code_points(text, utf8proc_tolower); }
std::string upper(const std::string& text) { return map_code_points(text, utf8proc_toupper); }

/// Stop words go first, then case changes. When nothing is left, one empty string is.
Status evaluate_string_normalizer(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() != 1 && (x.rank() != 2 || x.dim(0) != 1))
    return Status::invalid_argument("input 'X' has shape {}, expected [C] or [1, C]",
                                    to_string(x.shape()));
  const std::string& action = context.string_attribute("case_change_action");
  if (action != "NONE" && action != "LOWER" && action != "UPPER")
    return Status::invalid_model(
        "attribute 'case_change_action' is {}, expected NONE, LOWER or UPPER", quoted(action));
  const bool exact = context.int_attribute("is_case_sensitive") != 0;
  std::set<std::string> stop_words;
  for (const std::string& word : context.strings_attribute("stopwords"))
    stop_words.insert(exact ? word : lower(word));
  std::vector<std::string> kept;
  for (const std::string& word : x.strings()) {
    if (stop_words.contains(exact ? word : lower(word))) continue;
    kept.push_back(action == "LOWER" ? lower(word) : action == "UPPER" ? upper(word) : word);
  }
  if (kept.empty()) kept.emplace_back();
  const auto count = static_cast<int64_t>(kept.size());
  context.set_output(
      0, Tensor::from_strings(x.rank() == 2 ? Shape{1, count} : Shape{count}, std::move(kept)));
  return Status::ok();
}

}  // namespace

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
      .infer = infer_string_normalizer,
      .evaluate = evaluate_string_normalizer,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
