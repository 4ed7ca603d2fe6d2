// DictVectorizer: turns a map into a row of values in the order of a vocabulary.
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_dict_vectorizer(InferContext& context) {
  const size_t words = context.strings_attribute("string_vocabulary").size();
  const size_t count = words > 0 ? words : context.ints_attribute("int64_vocabulary").size();
  const Type& map = context.input_type(0);
  const DType dtype = map.kind() == TypeKind::kMap && map.element().is_tensor()
                          ? map.element().dtype()
                          : DType::kUndefined;
  context.set_output(0, dtype, {static_cast<int64_t>(count)});
  return Status::ok();
}

/// The value of each word of the vocabulary; zero or an empty string where the map has none.
template <typename Key>
Status vectorize(EvaluateContext& context, const std::map<Key, RuntimeValue>& entries,
                 std::span<const Key> vocabulary) {
  if (vocabulary.empty())
    return Status::invalid_model("there is no vocabulary for the keys of input 0");
  DType dtype = DType::kUndefined;
  for (const auto& [key, value] : entries) {
    if (!value.tensor() || value.tensor()->element_count() != 1)
      return Status::invalid_argument("a value of input 0 is no single element");
    dtype = value.tensor()->dtype();
  }
  if (dtype == DType::kUndefined)
    return Status::invalid_argument(
        "input 0 is an empty map, which does not say the dtype of its values");
  return visit_compute_type(dtype, [&](auto type) -> Status {
    using T = decltype(type);
    std::vector<T> results;
    for (const Key& key : vocabulary) {
      const auto found = entries.find(key);
      results.push_back(T{});
      if (found == entries.end()) continue;
      SHIPWAY_ASSIGN_OR_RETURN(std::vector<T> value, read_elements<T>(*found->second.tensor()));
      results.back() = std::move(value[0]);
    }
    return write_output(context, 0, dtype, {static_cast<int64_t>(vocabulary.size())}, results);
  });
}

Status evaluate_dict_vectorizer(EvaluateContext& context) {
  const Map* map = context.input_value(0).map();
  if (!map)
    return Status::invalid_argument("input 0 is {}, expected a map",
                                    to_string(context.input_value(0)));
  if (const auto* entries = std::get_if<std::map<int64_t, RuntimeValue>>(&map->entries))
    return vectorize<int64_t>(context, *entries, context.ints_attribute("int64_vocabulary"));
  return vectorize<std::string>(context,
                                std::get<std::map<std::string, RuntimeValue>>(map->entries),
                                context.strings_attribute("string_vocabulary"));
}

}  // namespace

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
      .infer = infer_dict_vectorizer,
      .evaluate = evaluate_dict_vectorizer,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
