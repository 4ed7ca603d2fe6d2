// CategoryMapper: maps strings to integers or back by two lists.
#include <unordered_map>

#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_category_mapper(InferContext& context) {
  const DType dtype = context.input_dtype(0) == DType::kString  ? DType::kInt64
                      : context.input_dtype(0) == DType::kInt64 ? DType::kString
                                                                : DType::kUndefined;
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, dtype, *dims) : context.set_output_dtype(0, dtype);
  return Status::ok();
}

template <typename From, typename To>
Status map_categories(EvaluateContext& context, std::span<const From> keys,
                      std::span<const To> values, const To& otherwise, DType dtype) {
  if (keys.size() != values.size())
    return Status::invalid_model(
        "attributes 'cats_int64s' and 'cats_strings' have different lengths");
  std::unordered_map<From, To> table;
  for (size_t i = 0; i < keys.size(); ++i) table[keys[i]] = values[i];
  return map_elements<From>(context, dtype, [&](const From& key) {
    const auto found = table.find(key);
    return found == table.end() ? otherwise : found->second;
  });
}

Status evaluate_category_mapper(EvaluateContext& context) {
  const std::span<const int64_t> ints = context.ints_attribute("cats_int64s");
  const std::span<const std::string> strings = context.strings_attribute("cats_strings");
  if (context.input(0).dtype() == DType::kString)
    return map_categories<std::string, int64_t>(
        context, strings, ints, context.int_attribute("default_int64"), DType::kInt64);
  return map_categories<int64_t, std::string>(
      context, ints, strings, context.string_attribute("default_string"), DType::kString);
}

}  // namespace

const Operator& category_mapper_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "CategoryMapper",
      .summary = "Maps strings to integers or back by two lists.",
      .versions = {{.since = 1,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: int64 string; T2: int64 string",
                    .attributes =
                        "cats_int64s: ints?; cats_strings: strings?; default_int64: int = -1; "
                        "default_string: string = '_Unused'"}},
      .infer = infer_category_mapper,
      .evaluate = evaluate_category_mapper,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
