#include "operators/indices.h"

#include "operators/loops.h"
#include "tensor/convert.h"

namespace shipway {

Result<int64_t> normalize_index(int64_t index, int64_t size, std::string_view input, int64_t axis) {
  if (index < -size || index >= size)
    return Status::invalid_argument("input '{}' has the index {}, but axis {} has size {}", input,
                                    index, axis, size);
  return index < 0 ? index + size : index;
}

Result<std::vector<int64_t>> normalized_indices(const Tensor& indices, int64_t size,
                                                std::string_view input, int64_t axis) {
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<int64_t> result, to_ints(indices));
  for (int64_t& index : result) {
    if (index >= 0 && index < size) continue;
    SHIPWAY_ASSIGN_OR_RETURN(index, normalize_index(index, size, input, axis));
  }
  return result;
}

Result<std::vector<int64_t>> slice_starts(const Tensor& indices, const Shape& shape,
                                          int64_t batch_dims) {
  const int64_t rank = static_cast<int64_t>(shape.size());
  if (indices.rank() < 1 || rank < 1)
    return Status::invalid_argument("inputs 'data' and 'indices' must have rank 1 or more");
  if (batch_dims < 0 || batch_dims >= rank || batch_dims >= indices.rank())
    return Status::invalid_argument("attribute 'batch_dims' is {}, expected 0 to {}", batch_dims,
                                    std::min(rank, indices.rank()) - 1);
  const int64_t width = indices.shape().back();
  if (width > rank - batch_dims)
    return Status::invalid_argument(
        "input 'indices' has tuples of {} values, but 'data' has rank {}", width,
        rank - batch_dims);
  int64_t batches = 1;
  for (int64_t i = 0; i < batch_dims; ++i) {
    const auto axis = static_cast<size_t>(i);
    if (indices.dim(axis) != shape[axis])
      return Status::invalid_argument("input 'indices' has size {} at axis {}, expected {}",
                                      indices.dim(axis), i, shape[axis]);
    batches *= shape[axis];
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> values, to_ints(indices));
  const Shape strides = strides_of(shape);
  const int64_t batch_stride = batch_dims == 0 ? 0 : strides[static_cast<size_t>(batch_dims - 1)];
  int64_t tuples = 1;
  for (size_t i = 0; i + 1 < indices.shape().size(); ++i) tuples *= indices.dim(i);
  std::vector<int64_t> starts(static_cast<size_t>(tuples));
  size_t next = 0;
  for (size_t tuple = 0; tuple < starts.size(); ++tuple) {
    const int64_t batch = static_cast<int64_t>(tuple) / (tuples / batches);
    int64_t start = batch * batch_stride;
    for (int64_t i = 0; i < width; ++i) {
      const auto axis = static_cast<size_t>(batch_dims + i);
      SHIPWAY_ASSIGN_OR_RETURN(
          const int64_t index,
          normalize_index(values[next++], shape[axis], "indices", static_cast<int64_t>(axis)));
      start += index * strides[axis];
    }
    starts[tuple] = start;
  }
  return starts;
}

}  // namespace shipway
