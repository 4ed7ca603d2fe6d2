// ReverseSequence: reverses the first so many steps of each sequence in a batch.
#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_reverse_sequence(InferContext& context) {
  context.set_output(0, context.input_type(0));
  return Status::ok();
}

Status evaluate_reverse_sequence(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  const int64_t time_axis = context.int_attribute("time_axis");
  const int64_t batch_axis = context.int_attribute("batch_axis");
  if (input.rank() < 2 || time_axis < 0 || time_axis > 1 || batch_axis != 1 - time_axis)
    return Status::invalid_argument(
        "attributes 'time_axis' and 'batch_axis' are {} and {}, expected 0 and 1 in either order, "
        "for an input of rank 2 or more",
        time_axis, batch_axis);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> lengths,
                           ints_of(context.input(1), "sequence_lens"));
  const int64_t times = input.dim(static_cast<size_t>(time_axis));
  const int64_t batches = input.dim(static_cast<size_t>(batch_axis));
  if (static_cast<int64_t>(lengths.size()) != batches)
    return Status::invalid_argument("input 'sequence_lens' has {} values, expected {}",
                                    lengths.size(), batches);
  for (int64_t length : lengths)
    if (length < 0 || length > times)
      return Status::invalid_argument("input 'sequence_lens' has the value {}, expected 0 to {}",
                                      length, times);
  const int64_t inner = times * batches == 0 ? 0 : input.element_count() / (times * batches);
  const auto row = [&](int64_t time, int64_t batch) {
    return (time_axis == 0 ? time * batches + batch : batch * times + time) * inner;
  };
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, input.dtype(), input.shape()));
  for (int64_t batch = 0; batch < batches; ++batch) {
    const int64_t length = lengths[static_cast<size_t>(batch)];
    for (int64_t time = 0; time < times; ++time)
      y.copy(row(time, batch), x, row(time < length ? length - 1 - time : time, batch), inner);
  }
  return y.finish(context, 0);
}

}  // namespace

const Operator& reverse_sequence_operator() {
  static const Operator definition{
      .name = "ReverseSequence",
      .summary = "Reverses the first so many steps of each sequence in a batch.",
      .versions = {{.since = 10,
                    .signature = "(input: T, sequence_lens: int64) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "batch_axis: int = 1; time_axis: int = 0"},
                   {.since = 28,
                    .signature = "(input: T, sequence_lens: int64) -> (Y: T)",
                    .types = "T: all_ir4",
                    .attributes = "batch_axis: int = 1; time_axis: int = 0"}},
      .infer = infer_reverse_sequence,
      .evaluate = evaluate_reverse_sequence,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
