// Scaler: subtracts an offset and multiplies by a scale per feature.
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_scaler(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, DType::kFloat32, *dims)
       : context.set_output_dtype(0, DType::kFloat32);
  return Status::ok();
}

/// y = (x - offset) * scale, both for all features or one each.
Status evaluate_scaler(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  const auto features = static_cast<size_t>(x.rank() == 0 ? 1 : x.shape().back());
  const std::span<const float> offset = context.floats_attribute("offset"),
                               scale = context.floats_attribute("scale");
  for (const auto& [name, given] : {std::pair("offset", offset), std::pair("scale", scale)})
    if (given.size() > 1 && given.size() != features)
      return Status::invalid_argument(
          "attribute '{}' has {} numbers, expected 1 or one for each of {} features", name,
          given.size(), features);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto of_feature = [&](std::span<const float> given, double otherwise) {
      return given.empty() ? otherwise
                           : static_cast<double>(given[given.size() == 1 ? 0 : i % features]);
    };
    values[i] = (values[i] - of_feature(offset, 0)) * of_feature(scale, 1);
  }
  return write_output(context, 0, DType::kFloat32, x.shape(), values);
}

}  // namespace

const Operator& scaler_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Scaler",
      .summary = "Subtracts an offset and multiplies by a scale per feature.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: float)",
                    .types = "T: float int32 int64 double",
                    .attributes = "offset: floats?; scale: floats?"}},
      .infer = infer_scaler,
      .evaluate = evaluate_scaler,
  };
  return definition;
}

}  // namespace shipway
