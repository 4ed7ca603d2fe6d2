// Adagrad: one step of the Adagrad optimiser for each tensor.
#include <cmath>

#include "operators/training_step.h"

namespace shipway {

namespace {

Status infer_adagrad(InferContext& context) { return infer_trained(context, 1); }

Status evaluate_adagrad(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const TrainingClock clock, read_clock(context));
  const auto number = [&](const char* name) {
    return static_cast<double>(context.float_attribute(name));
  };
  const double rate = clock.rate / (1 + clock.step * number("decay_factor"));
  const double decay = number("norm_coefficient"), epsilon = number("epsilon");
  return update_tensors(context, 1, [&](TrainedElement& element) {
    const double gradient = decay * element.x + element.gradient;
    element.states[0] += gradient * gradient;
    element.x -= rate * gradient / (std::sqrt(element.states[0]) + epsilon);
  });
}

}  // namespace

const Operator& adagrad_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview.training",
      .name = "Adagrad",
      .summary = "One step of the Adagrad optimiser for each tensor.",
      .versions = {{.since = 1,
                    .signature = "(R: T1, T: T2, inputs...~: T3) -> (outputs...~: T3)",
                    .types = "T1: float double; T2: int64; T3: float double",
                    .attributes = "decay_factor: float = 0.0; epsilon: float = 1e-06; "
                                  "norm_coefficient: float = 0.0"}},
      .infer = infer_adagrad,
      .evaluate = evaluate_adagrad,
  };
  return definition;
}

}  // namespace shipway
