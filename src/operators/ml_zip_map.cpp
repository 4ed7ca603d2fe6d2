// ZipMap: turns each row of scores into a map from class to score.
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_zip_map(InferContext& context) {
  const DType key =
      context.strings_attribute("classlabels_strings").empty() ? DType::kInt64 : DType::kString;
  context.set_output(0, Type::sequence(Type::map(key, Type::tensor(DType::kFloat32))));
  return Status::ok();
}

template <typename Key>
Status zip(EvaluateContext& context, std::span<const Key> keys) {
  const Tensor& x = context.input(0);
  if ((x.rank() != 1 && x.rank() != 2) || x.shape().back() != static_cast<int64_t>(keys.size()))
    return Status::invalid_argument(
        "input 0 has shape {}, expected one column for each of {} labels", to_string(x.shape()),
        keys.size());
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(x));
  Sequence rows;
  const size_t count = x.rank() == 1 ? 1 : static_cast<size_t>(x.dim(0));
  for (size_t row = 0; row < count; ++row) {
    std::map<Key, RuntimeValue> entries;
    for (size_t k = 0; k < keys.size(); ++k)
      entries[keys[k]] = Tensor::scalar(static_cast<float>(values[row * keys.size() + k]));
    rows.push_back(RuntimeValue(Map{std::move(entries)}));
  }
  context.set_output(0, RuntimeValue(std::move(rows)));
  return Status::ok();
}

Status evaluate_zip_map(EvaluateContext& context) {
  const std::span<const std::string> strings = context.strings_attribute("classlabels_strings");
  if (!strings.empty()) return zip<std::string>(context, strings);
  return zip<int64_t>(context, context.ints_attribute("classlabels_int64s"));
}

}  // namespace

const Operator& zip_map_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "ZipMap",
      .summary = "Turns each row of scores into a map from class to score.",
      .versions = {{.since = 1,
                    .signature = "(X: float) -> (Z: T)",
                    .types = "T: seq(map(int64,float)) seq(map(string,float))",
                    .attributes = "classlabels_int64s: ints?; classlabels_strings: strings?"}},
      .infer = infer_zip_map,
      .evaluate = evaluate_zip_map,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
