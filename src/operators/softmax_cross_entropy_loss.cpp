// SoftmaxCrossEntropyLoss: cross entropy of scores against the right classes.
#include "operators/operator.h"

namespace shipway {
namespace {

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
  };
  return definition;
}

}  // namespace shipway
