// What Scatter, ScatterElements and ScatterND share: writing updates into a copy of the data.
#pragma once

#include <span>

#include "operators/operator.h"

namespace shipway {

/// Output 0 is input 0, except that element positions[i] is combined with element i of input 2 as
/// the attribute `reduction` says ("none" or no such attribute: replaced). Later updates of one
/// position come later.
Status scatter_updates(EvaluateContext& context, std::span<const int64_t> positions,
                       std::string_view reduction);

/// The downgrade step 18 -> 16: the reductions 'max' and 'min' came with 18.
Status refuse_max_and_min(NodeRewrite& rewrite);

/// Both halves of ScatterElements, which the older Scatter is, too.
Status infer_scatter_elements(InferContext& context);
Status evaluate_scatter_elements(EvaluateContext& context);

}  // namespace shipway
