#include "passes/pipelines.h"

#include <algorithm>

namespace shipway {

std::vector<const Pass*> pipeline(int level) {
  std::vector<const Pass*> passes = {
      &kEliminateDeadCode,    // first: nothing below should work on what nobody needs
      &kFoldConstants,        // Constant nodes become initializers, which the rules below look for
      &kFoldShapeArithmetic,  // sizes that inference proves
      &kEliminateIdentity,    // also what the folded sizes show to do nothing
      &kEliminateCommonSubexpressions,  // before transposes: two equal ones are one with two users
      &kCancelTransposes,
      &kUnwrapGemm,  // before the Reshapes around it meet others
      &kMergeMoves,
      &kFusePad,
      &kFuseConvBatchNorm,
      &kFuseConvAffine,
      // What exporters spelled out, each before those that are made of it.
      &kFuseGelu,
      &kFuseHardSigmoid,
      &kFuseHardSwish,
      &kFuseSoftplus,
      &kFuseMish,
      &kFuseSwish,
      &kFuseLayerNormalization,  // before RMS, which it is made of as well
      &kFuseRmsNormalization,
      &kFuseGroupNormalization,
      &kFuseAttention,  // before transposed keys are folded into anything
      &kFoldConstants,  // transposed weights
      &kEliminateDeadCode,
  };
  std::erase_if(passes, [&](const Pass* pass) { return pass->level > level; });
  return passes;
}

}  // namespace shipway
