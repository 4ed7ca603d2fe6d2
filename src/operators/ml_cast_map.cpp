// CastMap: turns a map into a tensor, dense or with gaps filled.
#include <charconv>

#include "base/text.h"
#include "operators/loops.h"

namespace shipway {
namespace {

Result<DType> target_of(const AttributeReader& attributes) {
  const std::string& to = attributes.string_attribute("cast_to");
  if (to == "TO_FLOAT") return DType::kFloat32;
  if (to == "TO_INT64") return DType::kInt64;
  if (to == "TO_STRING") return DType::kString;
  return Status::invalid_model(
      "attribute 'cast_to' is {}, expected TO_FLOAT, TO_INT64 or TO_STRING", quoted(to));
}

Status infer_cast_map(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, target_of(context));
  const bool sparse = context.string_attribute("map_form") == "SPARSE";
  context.set_output(0, dtype, {1, sparse ? Dim(context.int_attribute("max_map")) : Dim()});
  return Status::ok();
}

/// One value of the map, converted, at its place.
Status put(const Tensor& value, DType dtype, size_t at, std::vector<double>& numbers,
           std::vector<std::string>& strings) {
  const bool is_text = value.dtype() == DType::kString;
  if (dtype == DType::kString) {
    strings[at] = is_text ? value.strings()[0] : element_to_string(value, 0);
    return Status::ok();
  }
  if (!is_text) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> number, to_doubles(value));
    numbers[at] = number[0];
    return Status::ok();
  }
  const std::string& text = value.strings()[0];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[at]);
  if (error != std::errc() || end != text.data() + text.size())
    return Status::invalid_argument("text {} is no number", quoted(text));
  return Status::ok();
}

/// Values in the order of their keys, one row; in sparse form each at its key.
Status evaluate_cast_map(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, target_of(context));
  const Map* map = context.input_value(0).map();
  const auto* entries = map ? std::get_if<std::map<int64_t, RuntimeValue>>(&map->entries) : nullptr;
  if (!entries)
    return Status::invalid_argument("input 0 is {}, expected a map from int64",
                                    to_string(context.input_value(0)));
  const bool sparse = context.string_attribute("map_form") == "SPARSE";
  const int64_t length =
      sparse ? context.int_attribute("max_map") : static_cast<int64_t>(entries->size());
  if (length < 0)
    return Status::invalid_model("attribute 'max_map' is {}, expected no negative number", length);
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kFloat64, {length}).status());
  std::vector<double> numbers(static_cast<size_t>(length), 0.0);
  std::vector<std::string> strings(dtype == DType::kString ? static_cast<size_t>(length) : 0);
  int64_t next = 0;
  for (const auto& [key, value] : *entries) {
    const int64_t place = sparse ? key : next++;
    if (place < 0 || place >= length)
      return Status::invalid_argument("input 0 has the key {}, expected 0 to {}", key, length - 1);
    const auto at = static_cast<size_t>(place);
    const Tensor* tensor = value.tensor();
    if (!tensor || tensor->element_count() != 1)
      return Status::invalid_argument("a value of input 0 is no single element");
    SHIPWAY_RETURN_IF_ERROR(put(*tensor, dtype, at, numbers, strings));
  }
  const Shape shape{1, length};
  return dtype == DType::kString ? write_output(context, 0, dtype, shape, strings)
                                 : write_output(context, 0, dtype, shape, numbers);
}

}  // namespace

const Operator& cast_map_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "CastMap",
      .summary = "Turns a map into a tensor, dense or with gaps filled.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: map(int64,float) map(int64,string); T2: float int64 string",
            .attributes =
                "cast_to: string = 'TO_FLOAT'; map_form: string = 'DENSE'; max_map: int = 1"}},
      .infer = infer_cast_map,
      .evaluate = evaluate_cast_map,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
