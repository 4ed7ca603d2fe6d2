// Momentum: one step of gradient descent with momentum for each tensor.
#include "base/text.h"
#include "operators/training_step.h"

namespace shipway {

namespace {

Status infer_momentum(InferContext& context) { return infer_trained(context, 1); }

Status evaluate_momentum(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const TrainingClock clock, read_clock(context));
  const auto number = [&](const char* name) {
    return static_cast<double>(context.float_attribute(name));
  };
  const std::string& mode = context.string_attribute("mode");
  if (mode != "standard" && mode != "nesterov")
    return Status::invalid_model("attribute 'mode' is {}, expected standard or nesterov",
                                 quoted(mode));
  const double alpha = number("alpha"), decay = number("norm_coefficient");
  const double beta = clock.step > 0 ? number("beta") : 1;  // the first gradient counts in full
  return update_tensors(context, 1, [&](TrainedElement& element) {
    const double gradient = decay * element.x + element.gradient;
    element.states[0] = alpha * element.states[0] + beta * gradient;
    element.x -= clock.rate *
                 (mode == "standard" ? element.states[0] : gradient + alpha * element.states[0]);
  });
}

}  // namespace

const Operator& momentum_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview.training",
      .name = "Momentum",
      .summary = "One step of gradient descent with momentum for each tensor.",
      .versions = {{.since = 1,
                    .signature = "(R: T1, T: T2, inputs...~: T3) -> (outputs...~: T3)",
                    .types = "T1: float double; T2: int64; T3: float double",
                    .attributes =
                        "alpha: float!; beta: float!; mode: string!; norm_coefficient: float!"}},
      .infer = infer_momentum,
      .evaluate = evaluate_momentum,
  };
  return definition;
}

}  // namespace shipway
