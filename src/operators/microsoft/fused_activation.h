// What ONNX Runtime's fused operators do last: an activation, named by attribute.
#pragma once

#include <array>

#include "operators/operator.h"

namespace shipway {

/// Output 0 of the node becomes activation(x). `activation` is the name of an operator of ai.onnx,
/// or empty for none; `parameters` are its numbers in the order of its inputs or attributes. An
/// error names one that is not known, or says how many numbers it takes.
Status replace_by_activation(NodeRewrite& rewrite, ValueId x, const std::string& activation,
                             std::span<const float> parameters);

}  // namespace shipway
