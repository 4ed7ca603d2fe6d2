// NegativeLogLikelihoodLoss: loss of given log probabilities against the right classes.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(input: T, target: Tind, weight?: T) -> (loss: T)";
constexpr std::string_view kAttributes = "ignore_index: int?; reduction: string = 'mean'";

}  // namespace

const Operator& negative_log_likelihood_loss_operator() {
  static const Operator definition{
      .name = "NegativeLogLikelihoodLoss",
      .summary = "Loss of given log probabilities against the right classes.",
      .versions = {{.since = 12,
                    .signature = kSignature,
                    .types = "T: floats; Tind: int32 int64",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: floats; Tind: int32 int64",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T: floats bfloat16; Tind: int32 int64",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
