// Binarizer: one above a threshold, zero otherwise.
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

Status evaluate_binarizer(EvaluateContext& context) {
  const double threshold = context.float_attribute("threshold");
  return map_elements<double>(context, context.input(0).dtype(),
                              [threshold](double x) { return x > threshold ? 1.0 : 0.0; });
}

}  // namespace

const Operator& binarizer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "Binarizer",
      .summary = "One above a threshold, zero otherwise.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: float int32 int64 double",
                    .attributes = "threshold: float = 0.0"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_binarizer,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
