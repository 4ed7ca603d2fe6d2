// What the optimisers' operators share: inputs R (learning rate), T (number of steps made), then
// one list after the other: tensors, their gradients, and one or two states of each; outputs are
// the new tensors and states.
#pragma once

#include "operators/loops.h"
#include "operators/reals.h"

namespace shipway {

/// One element and what belongs to it; an update writes x and the states.
struct TrainedElement {
  double x = 0, gradient = 0;
  double states[2] = {0, 0};
};

/// How many tensors the node updates, from its inputs and the states that each has.
inline Result<size_t> trained_tensors(const Node& node, size_t states) {
  const size_t inputs = node.inputs().size() - 2, outputs = node.outputs().size();
  const size_t count = inputs / (2 + states);
  if (node.inputs().size() < 2 || inputs != count * (2 + states) || outputs != count * (1 + states))
    return Status::invalid_model(
        "has {} inputs and {} outputs, expected R, T and {} inputs and {} outputs for each tensor",
        node.inputs().size(), outputs, 2 + states, 1 + states);
  return count;
}

inline Status infer_trained(InferContext& context, size_t states) {
  SHIPWAY_ASSIGN_OR_RETURN(const size_t count, trained_tensors(context.node(), states));
  for (size_t i = 0; i < count; ++i) {
    context.set_output(i, context.input_type(2 + i));
    for (size_t s = 0; s < states; ++s)
      context.set_output((1 + s) * count + i, context.input_type(2 + (2 + s) * count + i));
  }
  return Status::ok();
}

/// Calls update(TrainedElement&) for every element of every tensor.
template <typename Update>
Status update_tensors(EvaluateContext& context, size_t states, Update&& update) {
  SHIPWAY_ASSIGN_OR_RETURN(const size_t count, trained_tensors(context.node(), states));
  for (size_t i = 0; i < count; ++i) {
    std::vector<std::vector<double>> lists;
    const Tensor& x = context.input(2 + i);
    for (size_t list = 0; list < 2 + states; ++list) {
      const Tensor& tensor = context.input(2 + list * count + i);
      if (tensor.shape() != x.shape())
        return Status::invalid_argument("input {} is [{}], expected [{}] as tensor {} is",
                                        2 + list * count + i, to_string(tensor.shape()),
                                        to_string(x.shape()), i);
      SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(tensor));
      lists.push_back(std::move(values));
    }
    for (size_t k = 0; k < lists[0].size(); ++k) {
      TrainedElement element{.x = lists[0][k], .gradient = lists[1][k]};
      for (size_t s = 0; s < states; ++s) element.states[s] = lists[2 + s][k];
      update(element);
      lists[0][k] = element.x;
      for (size_t s = 0; s < states; ++s) lists[2 + s][k] = element.states[s];
    }
    SHIPWAY_RETURN_IF_ERROR(write_output(context, i, x.dtype(), x.shape(), lists[0]));
    for (size_t s = 0; s < states; ++s)
      SHIPWAY_RETURN_IF_ERROR(write_output(context, (1 + s) * count + i,
                                           context.input(2 + (2 + s) * count + i).dtype(),
                                           x.shape(), lists[2 + s]));
  }
  return Status::ok();
}

/// The learning rate and the number of steps made: the first element of R and of T.
struct TrainingClock {
  double rate = 0;
  double step = 0;
};
inline Result<TrainingClock> read_clock(const EvaluateContext& context) {
  if (context.input(0).element_count() != 1 || context.input(1).element_count() != 1)
    return Status::invalid_argument("'R' is [{}] and 'T' [{}], expected one number each",
                                    to_string(context.input(0).shape()),
                                    to_string(context.input(1).shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> rate, to_doubles(context.input(0)));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> step, to_doubles(context.input(1)));
  return TrainingClock{rate[0], step[0]};
}

}  // namespace shipway
