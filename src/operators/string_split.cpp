// StringSplit: splits every string at a delimiter.
#include <algorithm>
#include <iterator>
#include <limits>

#include "operators/operator.h"

namespace shipway {

namespace {

Status infer_string_split(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output_dtype(0, DType::kString);
    context.set_output_dtype(1, DType::kInt64);
    return Status::ok();
  }
  Dims parts = *dims;
  parts.push_back(Dim::unknown());
  context.set_output(0, DType::kString, std::move(parts));
  context.set_output(1, DType::kInt64, *dims);
  return Status::ok();
}

/// As Python's str.split: without a delimiter, at runs of white space, of which none is kept at
/// either end.
std::vector<std::string> split(std::string_view text, std::string_view delimiter, int64_t most) {
  constexpr std::string_view kSpaces = " \t\n\r\f\v";
  std::vector<std::string> parts;
  if (!delimiter.empty()) {
    for (size_t at = text.find(delimiter); at != std::string_view::npos && most > 0;
         at = text.find(delimiter), --most) {
      parts.emplace_back(text.substr(0, at));
      text.remove_prefix(at + delimiter.size());
    }
    parts.emplace_back(text);
    return parts;
  }
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    if (text.empty()) return parts;
    const size_t end = std::min(text.find_first_of(kSpaces), text.size());
    if (most-- <= 0) {
      parts.emplace_back(text.substr(0, text.find_last_not_of(kSpaces) + 1));
      return parts;
    }
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

/// Shorter lists are filled up with empty strings; output Z tells their lengths.
Status evaluate_string_split(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  const int64_t most = context.has_attribute("maxsplit") ? context.int_attribute("maxsplit")
                                                         : std::numeric_limits<int64_t>::max();
  const std::string& delimiter = context.string_attribute("delimiter");
  std::vector<std::vector<std::string>> lists;
  std::vector<int64_t> lengths;
  size_t longest = 0;
  for (const std::string& text : x.strings()) {
    lists.push_back(split(text, delimiter, most));
    lengths.push_back(static_cast<int64_t>(lists.back().size()));
    longest = std::max(longest, lists.back().size());
  }
  Shape shape = x.shape();
  shape.push_back(static_cast<int64_t>(longest));
  std::vector<std::string> parts;
  for (std::vector<std::string>& list : lists) {
    list.resize(longest);
    std::move(list.begin(), list.end(), std::back_inserter(parts));
  }
  context.set_output(0, Tensor::from_strings(shape, std::move(parts)));
  context.set_output(1, Tensor::from<int64_t>(x.shape(), std::span<const int64_t>(lengths)));
  return Status::ok();
}

}  // namespace

const Operator& string_split_operator() {
  static const Operator definition{
      .name = "StringSplit",
      .summary = "Splits every string at a delimiter.",
      .versions = {{.since = 20,
                    .signature = "(X: T1) -> (Y: T2, Z: T3)",
                    .types = "T1: string; T2: string; T3: int64",
                    .attributes = "delimiter: string?; maxsplit: int?"}},
      .infer = infer_string_split,
      .evaluate = evaluate_string_split,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
