// Adam: one step of the Adam optimiser for each tensor.
#include <cmath>

#include "operators/training_step.h"

namespace shipway {

namespace {

Status infer_adam(InferContext& context) { return infer_trained(context, 2); }

Status evaluate_adam(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const TrainingClock clock, read_clock(context));
  const auto number = [&](const char* name) {
    return static_cast<double>(context.float_attribute(name));
  };
  const double alpha = number("alpha"), beta = number("beta"), epsilon = number("epsilon");
  const double decay = number("norm_coefficient"), shrink = 1 - number("norm_coefficient_post");
  // Both states start at zero: what they lack of their mean is made up for.
  const double rate = clock.step > 0 ? clock.rate * std::sqrt(1 - std::pow(beta, clock.step)) /
                                           (1 - std::pow(alpha, clock.step))
                                     : clock.rate;
  return update_tensors(context, 2, [&](TrainedElement& element) {
    const double gradient = decay * element.x + element.gradient;
    element.states[0] = alpha * element.states[0] + (1 - alpha) * gradient;
    element.states[1] = beta * element.states[1] + (1 - beta) * gradient * gradient;
    element.x -= rate * element.states[0] / (std::sqrt(element.states[1]) + epsilon);
    element.x *= shrink;
  });
}

}  // namespace

const Operator& adam_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview.training",
      .name = "Adam",
      .summary = "One step of the Adam optimiser for each tensor.",
      .versions = {{.since = 1,
                    .signature = "(R: T1, T: T2, inputs...~: T3) -> (outputs...~: T3)",
                    .types = "T1: float double; T2: int64; T3: float double",
                    .attributes =
                        "alpha: float = 0.9; beta: float = 0.999; epsilon: float = 1e-06; "
                        "norm_coefficient: float = 0.0; norm_coefficient_post: float = 0.0"}},
      .infer = infer_adam,
      .evaluate = evaluate_adam,
  };
  return definition;
}

}  // namespace shipway
