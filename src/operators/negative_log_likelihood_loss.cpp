// NegativeLogLikelihoodLoss: loss of given log probabilities against the right classes.
#include "operators/class_loss.h"
#include "operators/loops.h"

namespace shipway {
namespace {

Status evaluate_negative_log_likelihood(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> log_probabilities,
                           to_doubles(context.input(0)));
  return evaluate_class_loss(context, log_probabilities);
}

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
      .infer = infer_class_loss,
      .evaluate = evaluate_negative_log_likelihood,
  };
  return definition;
}

}  // namespace shipway
