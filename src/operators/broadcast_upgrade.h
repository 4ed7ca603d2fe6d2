// What opsets before 7 said by the attributes `axis` and `broadcast`, in today's broadcasting, and
// back.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// `b`, whose axes stand for those of `a` from `axis` on (from the end when negative), with axes of
/// size 1 behind so that numpy's broadcasting aligns them. Works without knowing ranks before the
/// run; inserts nodes of opset 7.
ValueId broadcast_from_axis(NodeRewrite& rewrite, ValueId a, ValueId b, int64_t axis);

/// The upgrade step 6 -> 7 of a binary operator: its attributes `axis` and `broadcast` go.
Status upgrade_broadcast_attributes(NodeRewrite& rewrite);
/// Its downgrade step 7 -> 6: the second input may be the end of the first one's shape (or, where
/// they can change places, the other way round).
Status downgrade_broadcast(NodeRewrite& rewrite);
Status downgrade_broadcast_either_way(NodeRewrite& rewrite);
/// The step 8 -> 6 of Max, Min, Mean and Sum, which did not broadcast.
Status refuse_broadcast(NodeRewrite& rewrite);

}  // namespace shipway
