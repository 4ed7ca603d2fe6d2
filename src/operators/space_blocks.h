// DepthToSpace and SpaceToDepth: the same six axes, read in two directions.
#pragma once

#include "operators/operator.h"

namespace shipway {

Status infer_depth_to_space(InferContext& context);
Status evaluate_depth_to_space(EvaluateContext& context);
Status infer_space_to_depth(InferContext& context);
Status evaluate_space_to_depth(EvaluateContext& context);

}  // namespace shipway
