// What opsets before 7 said by the attributes `axis` and `broadcast`, in today's broadcasting.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// `b`, whose axes stand for those of `a` from `axis` on (from the end when negative), with axes of
/// size 1 behind so that numpy's broadcasting aligns them. Works without knowing ranks before the
/// run; inserts nodes of opset 7.
ValueId broadcast_from_axis(NodeRewrite& rewrite, ValueId a, ValueId b, int64_t axis);

/// The upgrade step 6 -> 7 of a binary operator: its attributes `axis` and `broadcast` go.
Status upgrade_broadcast_attributes(NodeRewrite& rewrite);

}  // namespace shipway
