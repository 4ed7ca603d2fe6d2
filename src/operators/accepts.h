// Whether a value's type is one of those that a schema allows.
#pragma once

#include "operators/schema.h"
#include "shipway/model.h"

namespace shipway {

/// True when the type, or what it holds, is not known to its elements: nothing can be held against
/// a schema then.
bool is_open(const Type& type);

/// True when `set` holds the type, whatever its shape.
bool accepts(const TypeSet& set, const Type& type);

}  // namespace shipway
