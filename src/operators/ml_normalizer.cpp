// Normalizer: divides each row by its largest value, its sum or its length.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_normalizer(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, DType::kFloat32, *dims)
       : context.set_output_dtype(0, DType::kFloat32);
  return Status::ok();
}

/// Each row divided by its largest magnitude, the sum of magnitudes or its length; a row of zeros
/// stays.
Status evaluate_normalizer(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  const std::string& norm = context.string_attribute("norm");
  if (norm != "MAX" && norm != "L1" && norm != "L2")
    return Status::invalid_model("attribute 'norm' is {}, expected MAX, L1 or L2", quoted(norm));
  if (x.rank() != 1 && x.rank() != 2)
    return Status::invalid_argument("input 0 has shape {}, expected [samples, features]",
                                    to_string(x.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  const auto width = static_cast<size_t>(x.shape().back());
  for (size_t row = 0; row < values.size(); row += width) {
    double size = 0;
    for (size_t i = row; i < row + width; ++i) {
      const double magnitude = std::fabs(values[i]);
      if (norm == "MAX")
        size = std::max(size, magnitude);
      else
        size += norm == "L1" ? magnitude : magnitude * magnitude;
    }
    if (norm == "L2") size = std::sqrt(size);
    for (size_t i = row; size != 0 && i < row + width; ++i) values[i] /= size;
  }
  return write_output(context, 0, DType::kFloat32, x.shape(), values);
}

}  // namespace

const Operator& normalizer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Normalizer",
      .summary = "Divides each row by its largest value, its sum or its length.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: float)",
                    .types = "T: float int32 int64 double",
                    .attributes = "norm: string = 'MAX'"}},
      .infer = infer_normalizer,
      .evaluate = evaluate_normalizer,
  };
  return definition;
}

}  // namespace shipway
