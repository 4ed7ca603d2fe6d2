// OneHotEncoder: one column per known category, one where it occurs.
#include <unordered_map>

#include "operators/loops.h"

namespace shipway {
namespace {

size_t category_count(const AttributeReader& attributes) {
  const size_t ints = attributes.ints_attribute("cats_int64s").size();
  return ints > 0 ? ints : attributes.strings_attribute("cats_strings").size();
}

Status infer_one_hot_encoder(InferContext& context) {
  context.set_output_dtype(0, DType::kFloat32);
  if (!context.input_dims(0)) return Status::ok();
  Dims dims = *context.input_dims(0);
  dims.push_back(static_cast<int64_t>(category_count(context)));
  context.set_output(0, DType::kFloat32, std::move(dims));
  return Status::ok();
}

template <typename T, typename Given>
Status encode(EvaluateContext& context, std::span<const Given> categories) {
  const Tensor& x = context.input(0);
  if (categories.empty())
    return Status::invalid_model("no categories of the kind of input 0 ({}) are given",
                                 to_string(x.dtype()));
  std::unordered_map<T, size_t> place;
  for (size_t i = 0; i < categories.size(); ++i) place[categories[i]] = i;
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(x));
  Shape shape = x.shape();
  shape.push_back(static_cast<int64_t>(categories.size()));
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kFloat64, shape).status());
  std::vector<double> results(values.size() * categories.size(), 0.0);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto found = place.find(values[i]);
    if (found != place.end())
      results[i * categories.size() + found->second] = 1;
    else if (context.int_attribute("zeros") == 0)
      return Status::invalid_argument("element {} of input 0 is none of the categories", i);
  }
  return write_output(context, 0, DType::kFloat32, shape, results);
}

Status evaluate_one_hot_encoder(EvaluateContext& context) {
  if (context.input(0).dtype() == DType::kString)
    return encode<std::string>(context, context.strings_attribute("cats_strings"));
  return encode<int64_t>(context, context.ints_attribute("cats_int64s"));
}

}  // namespace

const Operator& one_hot_encoder_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "OneHotEncoder",
      .summary = "One column per known category, one where it occurs.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: float)",
                    .types = "T: float int32 int64 string double",
                    .attributes = "cats_int64s: ints?; cats_strings: strings?; zeros: int = 1"}},
      .infer = infer_one_hot_encoder,
      .evaluate = evaluate_one_hot_encoder,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
