// The loss of given log probabilities against the right classes, for NegativeLogLikelihoodLoss and
// SoftmaxCrossEntropyLoss.
#pragma once

#include <vector>

#include "operators/operator.h"

namespace shipway {

/// Output 0 from log probabilities [batch, classes, ...], input 1 (classes [batch, ...]), input 2
/// (a weight per class) and the attributes `reduction` and `ignore_index`.
Status evaluate_class_loss(EvaluateContext& context, const std::vector<double>& log_probabilities);
/// Its shape: that of input 1, or a scalar when reduced.
Status infer_class_loss(InferContext& context);

}  // namespace shipway
