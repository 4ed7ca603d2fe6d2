// The dtype of a value before shape inference has run, for upgrade steps that make constants of it.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// As declared, else followed back through the nodes that make the value, as far as their schemas
/// tie an output's type to an input's; kUndefined when that leads nowhere.
DType find_dtype(const Model& model, ValueId id);

/// A scalar of the dtype of input `i`, or an error that says that this dtype cannot be found.
Result<ValueId> add_scalar_like(NodeRewrite& rewrite, size_t i, std::string hint, double value);

}  // namespace shipway
