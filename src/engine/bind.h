// What binding and lowering share about concrete sizes. Private to the engine.
#pragma once

#include "engine/plan.h"

namespace shipway {

/// A value of logical `shape`, which lies at `data` in layout `problem.from`, in layout
/// `problem.to`: by the reorder kernel, now.
Result<Tensor> reorder_now(const void* data, DType dtype, const Shape& shape,
                           const kernels::ReorderProblem& problem, Isa isa);

/// The shape in memory: [N, C/block, ..., block] for a blocked layout, the shape itself for a plain
/// one.
Shape physical_shape(const Shape& shape, kernels::Layout layout);

/// Padding of one axis of a window: as given, or as auto_pad says ("SAME_UPPER", "SAME_LOWER",
/// "VALID").
enum class AutoPad : int64_t { kNotSet, kSameUpper, kSameLower, kValid };
AutoPad auto_pad_from(std::string_view text);

}  // namespace shipway
