// Indices that a model gives as data: checked against the axis they point into.
#pragma once

#include <string_view>
#include <vector>

#include "shipway/status.h"
#include "shipway/tensor.h"

namespace shipway {

/// `index` counted from the front: -size <= index < size, else an error that names the input and
/// axis.
Result<int64_t> normalize_index(int64_t index, int64_t size, std::string_view input, int64_t axis);

/// All elements of an integer tensor as indices into an axis of `size`.
Result<std::vector<int64_t>> normalized_indices(const Tensor& indices, int64_t size,
                                                std::string_view input, int64_t axis);

/// The tuples of GatherND and ScatterND: `indices` [batch..., outer..., k] point into the axes of
/// `shape` after the first `batch_dims`, which both share. Gives for every tuple where the slice it
/// names begins, in elements.
Result<std::vector<int64_t>> slice_starts(const Tensor& indices, const Shape& shape,
                                          int64_t batch_dims);

}  // namespace shipway
