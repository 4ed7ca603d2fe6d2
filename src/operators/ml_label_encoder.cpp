// LabelEncoder: maps keys to values, element by element.
#include <cmath>
#include <unordered_map>

#include "operators/find_dtype.h"
#include "operators/loops.h"

namespace shipway {
namespace {

/// The list that one of `<prefix>_tensor`, `_strings`, `_int64s`, `_floats` gives, as a tensor;
/// undefined without any.
Tensor list_attribute(const AttributeReader& attributes, const std::string& prefix) {
  if (const Tensor* tensor = attributes.tensor_attribute(prefix + "_tensor")) return *tensor;
  const auto to_tensor = [](auto values) {
    return Tensor::from({static_cast<int64_t>(values.size())}, values);
  };
  if (const auto values = attributes.strings_attribute(prefix + "_strings"); !values.empty())
    return to_tensor(values);
  if (const auto values = attributes.ints_attribute(prefix + "_int64s"); !values.empty())
    return to_tensor(values);
  if (const auto values = attributes.floats_attribute(prefix + "_floats"); !values.empty())
    return to_tensor(values);
  return {};
}

/// What stands for an unknown key, in the dtype of the values.
Result<Tensor> default_value(const AttributeReader& attributes, DType dtype) {
  if (const Tensor* tensor = attributes.tensor_attribute("default_tensor")) {
    if (tensor->dtype() != dtype || tensor->element_count() != 1)
      return Status::invalid_model("attribute 'default_tensor' is {}[{}], expected one {}",
                                   to_string(tensor->dtype()), to_string(tensor->shape()),
                                   to_string(dtype));
    return *tensor;
  }
  if (dtype == DType::kString)
    return Tensor::from_strings({1}, {attributes.string_attribute("default_string")});
  if (kind_of(dtype) == DTypeKind::kFloat)
    return from_doubles(dtype, {1},
                        std::vector<double>{attributes.float_attribute("default_float")});
  return from_ints(dtype, {1}, std::vector<int64_t>{attributes.int_attribute("default_int64")});
}

Status infer_label_encoder(InferContext& context) {
  const DType dtype = list_attribute(context, "values").dtype();
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, dtype, *dims) : context.set_output_dtype(0, dtype);
  return Status::ok();
}

/// Writes values[place of x in keys] or `otherwise`; the last of equal keys counts, NaN equals NaN.
template <typename T>
Status encode(EvaluateContext& context, const Tensor& keys, const Tensor& values,
              const Tensor& otherwise) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> from, read_elements<T>(keys));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> x, read_elements<T>(context.input(0)));
  std::unordered_map<T, int64_t> place;
  int64_t nan_place = -1;
  const auto is_nan = [](const T& value) {
    if constexpr (std::is_same_v<T, double>)
      return std::isnan(value);
    else
      return value != value;
  };
  for (size_t i = 0; i < from.size(); ++i) {
    if (is_nan(from[i]))
      nan_place = static_cast<int64_t>(i);
    else
      place[from[i]] = static_cast<int64_t>(i);
  }
  return visit_compute_type(values.dtype(), [&](auto type) -> Status {
    using To = decltype(type);
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<To> to, read_elements<To>(values));
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<To> unknown, read_elements<To>(otherwise));
    std::vector<To> results;
    for (const T& key : x) {
      int64_t found = nan_place;
      if (!is_nan(key)) {
        const auto entry = place.find(key);
        found = entry == place.end() ? -1 : entry->second;
      }
      results.push_back(found < 0 ? unknown[0] : to[static_cast<size_t>(found)]);
    }
    return write_output(context, 0, values.dtype(), context.input(0).shape(), results);
  });
}

Status evaluate_label_encoder(EvaluateContext& context) {
  const Tensor keys = list_attribute(context, "keys"), values = list_attribute(context, "values");
  const DType dtype = context.input(0).dtype();
  if (!keys.is_defined() || !values.is_defined() || keys.element_count() != values.element_count())
    return Status::invalid_model(
        "attributes 'keys_*' and 'values_*' need one list each, of the same length");
  if (keys.dtype() != dtype)
    return Status::invalid_argument("input 0 is {}, but the keys are {}", to_string(dtype),
                                    to_string(keys.dtype()));
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor otherwise, default_value(context, values.dtype()));
  if (dtype == DType::kString) return encode<std::string>(context, keys, values, otherwise);
  if (kind_of(dtype) == DTypeKind::kFloat) return encode<double>(context, keys, values, otherwise);
  return encode<int64_t>(context, keys, values, otherwise);
}

/// Version 1 numbers a list of strings, in the direction that the input says.
Status upgrade_label_encoder_1(NodeRewrite& rewrite) {
  const auto given = rewrite.strings_attribute("classes_strings");
  const std::vector<std::string> strings(given.begin(), given.end());
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < strings.size(); ++i) numbers.push_back(static_cast<int64_t>(i));
  const DType dtype = find_dtype(rewrite.model(), rewrite.node().input(0));
  if (dtype != DType::kString && dtype != DType::kInt64)
    return Status::unsupported(
        "whether input 0 holds strings or numbers decides, which the model does not say");
  const bool to_numbers = dtype == DType::kString;
  rewrite.set_attribute({to_numbers ? "keys_strings" : "values_strings", strings});
  rewrite.set_attribute({to_numbers ? "values_int64s" : "keys_int64s", numbers});
  rewrite.remove_attribute("classes_strings");
  return Status::ok();
}

}  // namespace

const Operator& label_encoder_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "LabelEncoder",
      .summary = "Maps keys to values, element by element.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: int64 string; T2: int64 string",
            .attributes = "classes_strings: strings?; default_int64: int = -1; "
                          "default_string: string = '_Unused'",
            .upgrade = upgrade_label_encoder_1},
           {.since = 2,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: float int64 string; T2: float int64 string",
            .attributes =
                "default_float: float = -0.0; default_int64: int = -1; "
                "default_string: string = '_Unused'; keys_floats: floats?; keys_int64s: ints?; "
                "keys_strings: strings?; values_floats: floats?; values_int64s: ints?; "
                "values_strings: strings?"},
           {.since = 4,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: float int16 int32 int64 string double; "
                     "T2: float int16 int32 int64 string double",
            .attributes = "default_float: float = -0.0; default_int64: int = -1; "
                          "default_string: string = '_Unused'; default_tensor: tensor?; "
                          "keys_floats: floats?; keys_int64s: ints?; keys_strings: strings?; "
                          "keys_tensor: tensor?; values_floats: floats?; values_int64s: ints?; "
                          "values_strings: strings?; values_tensor: tensor?"}},
      .infer = infer_label_encoder,
      .evaluate = evaluate_label_encoder,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
