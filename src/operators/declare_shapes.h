// The shapes that follow from a model, declared on the model itself.
#pragma once

#include "operators/infer.h"

namespace shipway {

/// `model`, at its own opsets, with the types of its values as inference finds them. Inference is
/// written for the newest versions of operators; what it finds of an upgraded copy belongs to the
/// same values here.
Result<Model> with_inferred_shapes(const Model& model, const Registry& registry,
                                   const InferOptions& options = {});

}  // namespace shipway
