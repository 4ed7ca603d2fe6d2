// SwiGLU: swish of one half times the other half: a gated linear unit.
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

Status infer_swiglu(InferContext& context) {
  const Dims *a = context.input_dims(0), *b = context.input_dims(1);
  if (a && b) {
    bool differ = a->size() != b->size();
    for (size_t i = 0; !differ && i < a->size(); ++i)
      differ = (*a)[i].is_constant() && (*b)[i].is_constant() && (*a)[i] != (*b)[i];
    if (differ)
      return Status::invalid_model(
          "inputs 'A' and 'B' have different shapes; they do not broadcast");
  }
  return infer_type_of_first_input(context);
}

/// y = a / (1 + exp(-alpha a)) * b
Status evaluate_swiglu(EvaluateContext& context) {
  if (context.input(0).shape() != context.input(1).shape())
    return Status::invalid_argument("input 1 ('B') has shape {}, expected {} as 'A' has",
                                    to_string(context.input(1).shape()),
                                    to_string(context.input(0).shape()));
  const double alpha = context.float_attribute("alpha");
  return zip_elements<double>(context, context.input(0).dtype(), [alpha](double a, double b) {
    return a / (1 + std::exp(-alpha * a)) * b;
  });
}

Status expand_swiglu(NodeRewrite& rewrite) {
  const std::vector<Attribute> alpha{{"alpha", rewrite.float_attribute("alpha")}};
  const ValueId gate = rewrite.insert("Swish", {rewrite.node().input(0)}, alpha);
  rewrite.replace("Mul", {gate, rewrite.node().input(1)});
  return Status::ok();
}

}  // namespace

const Operator& swiglu_operator() {
  static const Operator definition{
      .name = "SwiGLU",
      .summary = "Swish of one half times the other half: a gated linear unit.",
      .versions = {{.since = 28,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "alpha: float = 1.0",
                    .downgrade = expand_swiglu}},
      .infer = infer_swiglu,
      .evaluate = evaluate_swiglu,
  };
  return definition;
}

}  // namespace shipway
