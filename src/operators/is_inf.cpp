// IsInf: true for infinities of the asked-for signs.
#include <cmath>

#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_is_inf(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, DType::kBool, *dims) : context.set_output_dtype(0, DType::kBool);
  return Status::ok();
}

Status evaluate_is_inf(EvaluateContext& context) {
  const bool negative = context.int_attribute("detect_negative") != 0;
  const bool positive = context.int_attribute("detect_positive") != 0;
  return map_elements<double>(context, DType::kBool, [=](double x) {
    return std::isinf(x) && (x < 0 ? negative : positive);
  });
}

}  // namespace

const Operator& is_inf_operator() {
  static const Operator definition{
      .name = "IsInf",
      .summary = "True for infinities of the asked-for signs.",
      .versions = {{.since = 10,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: float double; T2: bool",
                    .attributes = "detect_negative: int = 1; detect_positive: int = 1"},
                   {.since = 20,
                    .signature = "(X: T1) -> (Y: T2)",
                    .types = "T1: floats float8s bfloat16; T2: bool",
                    .attributes = "detect_negative: int = 1; detect_positive: int = 1"}},
      .infer = infer_is_inf,
      .evaluate = evaluate_is_inf,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
