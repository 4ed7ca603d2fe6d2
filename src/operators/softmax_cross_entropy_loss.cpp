// SoftmaxCrossEntropyLoss: cross entropy of scores against the right classes.
#include <algorithm>
#include <cmath>

#include "operators/class_loss.h"
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_cross_entropy(InferContext& context) {
  SHIPWAY_RETURN_IF_ERROR(infer_class_loss(context));
  if (context.has_output(1)) context.set_output(1, context.input_type(0));
  return Status::ok();
}

/// The loss of log(softmax(scores)) over axis 1.
Status evaluate_cross_entropy(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2)
    return Status::invalid_argument(
        "input 0 ('scores') has shape {}, expected [batch, classes, ...]", to_string(x.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
  const int64_t classes = x.dim(1);
  const int64_t inner = Lines::along(x.shape(), 1).inner;
  const int64_t lines = values.empty() ? 0 : x.dim(0) * inner;
  for (int64_t line = 0; line < lines; ++line) {
    double* first = values.data() + line / inner * classes * inner + line % inner;
    double largest = first[0], sum = 0;
    for (int64_t k = 1; k < classes; ++k) largest = std::max(largest, first[k * inner]);
    for (int64_t k = 0; k < classes; ++k) sum += std::exp(first[k * inner] - largest);
    const double shift = largest + std::log(sum);
    for (int64_t k = 0; k < classes; ++k) first[k * inner] -= shift;
  }
  SHIPWAY_RETURN_IF_ERROR(evaluate_class_loss(context, values));
  return context.has_output(1) ? write_output(context, 1, x.dtype(), x.shape(), values)
                               : Status::ok();
}

constexpr std::string_view kSignature =
    "(scores: T, labels: Tind, weights?: T) -> (output: T, log_prob?: T)";

}  // namespace

const Operator& softmax_cross_entropy_loss_operator() {
  static const Operator definition{
      .name = "SoftmaxCrossEntropyLoss",
      .summary = "Cross entropy of scores against the right classes.",
      .versions = {{.since = 12,
                    .signature = kSignature,
                    .types = "T: floats; Tind: int32 int64",
                    .attributes = "ignore_index: int?; reduction: string = 'mean'"},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: floats bfloat16; Tind: int32 int64",
                    .attributes = "ignore_index: int?; reduction: string = 'mean'"}},
      .infer = infer_cross_entropy,
      .evaluate = evaluate_cross_entropy,
  };
  return definition;
}

}  // namespace shipway
