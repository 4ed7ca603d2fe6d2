// IsNaN: true where an element is not a number.
#include <cmath>

#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_is_nan(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, DType::kBool, *dims) : context.set_output_dtype(0, DType::kBool);
  return Status::ok();
}

Status evaluate_is_nan(EvaluateContext& context) {
  return map_elements<double>(context, DType::kBool, [](double x) { return std::isnan(x); });
}

}  // namespace

const Operator& is_nan_operator() {
  static const Operator definition{
      .name = "IsNaN",
      .summary = "True where an element is not a number.",
      .versions = {{.since = 9, .signature = "(X: T1) -> (Y: T2)", .types = "T1: floats; T2: bool"},
                   {.since = 13,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: floats bfloat16; T2: bool"},
                   {.since = 20,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: floats float8s bfloat16; T2: bool"}},
      .infer = infer_is_nan,
      .evaluate = evaluate_is_nan,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
