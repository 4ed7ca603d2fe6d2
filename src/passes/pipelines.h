// The passes, in the order in which they run.
#pragma once

#include <vector>

#include "passes/pass.h"

namespace shipway {

extern const Pass kCancelTransposes;
extern const Pass kEliminateCommonSubexpressions;
extern const Pass kEliminateDeadCode;
extern const Pass kEliminateIdentity;
extern const Pass kFoldConstants;
extern const Pass kFoldShapeArithmetic;
extern const Pass kFuseAttention;
extern const Pass kFuseConvAffine;
extern const Pass kFuseConvBatchNorm;
extern const Pass kFuseGelu;
extern const Pass kFuseGroupNormalization;
extern const Pass kFuseHardSigmoid;
extern const Pass kFuseHardSwish;
extern const Pass kFuseLayerNormalization;
extern const Pass kFuseMish;
extern const Pass kFusePad;
extern const Pass kFuseRmsNormalization;
extern const Pass kFuseSoftplus;
extern const Pass kFuseSwish;
extern const Pass kMergeMoves;
extern const Pass kUnwrapGemm;

/// The passes of one level (0..3), in order; one may stand in it twice.
std::vector<const Pass*> pipeline(int level);

}  // namespace shipway
