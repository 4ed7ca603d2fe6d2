// Imputer: replaces a marked value by a given one per feature.
#include <cmath>

#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// Where an element is the marked value (NaN equals NaN here), that of its feature in `imputed`.
template <typename T, typename Given>
Status impute(EvaluateContext& context, T marked, std::span<const Given> imputed,
              std::string_view attribute) {
  const Tensor& x = context.input(0);
  const auto features = static_cast<size_t>(x.rank() == 0 ? 1 : x.shape().back());
  if (imputed.size() != 1 && imputed.size() != features)
    return Status::invalid_argument(
        "attribute '{}' has {} numbers, expected 1 or one for each of {} features", attribute,
        imputed.size(), features);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<T> values, read_elements<T>(x));
  for (size_t i = 0; i < values.size(); ++i) {
    const bool both_nan = values[i] != values[i] && marked != marked;
    if (values[i] == marked || both_nan)
      values[i] = static_cast<T>(imputed[imputed.size() == 1 ? 0 : i % features]);
  }
  return write_output(context, 0, x.dtype(), x.shape(), values);
}

Status evaluate_imputer(EvaluateContext& context) {
  const std::span<const float> floats = context.floats_attribute("imputed_value_floats");
  const std::span<const int64_t> ints = context.ints_attribute("imputed_value_int64s");
  if (kind_of(context.input(0).dtype()) == DTypeKind::kFloat)
    return impute<double>(context,
                          static_cast<double>(context.float_attribute("replaced_value_float")),
                          floats, "imputed_value_floats");
  return impute<int64_t>(context, context.int_attribute("replaced_value_int64"), ints,
                         "imputed_value_int64s");
}

}  // namespace

const Operator& imputer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Imputer",
      .summary = "Replaces a marked value by a given one per feature.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: float int32 int64 double",
                    .attributes =
                        "imputed_value_floats: floats?; imputed_value_int64s: ints?; "
                        "replaced_value_float: float = 0.0; replaced_value_int64: int = 0"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_imputer,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
