// Moments: mean and variance, as all normalisations need them, and their scale and shift.
#pragma once

#include <span>
#include <vector>

#include "operators/loops.h"
#include "operators/reals.h"

namespace shipway {

struct Moments {
  double mean = 0;
  double variance = 0;  // of the whole set: divided by the count
};

/// In two passes, so that a large mean costs no digits. NaN for no elements.
template <typename T>
Moments moments_of(std::span<const T> values) {
  Moments moments;
  for (T value : values) moments.mean += static_cast<double>(value);
  moments.mean /= static_cast<double>(values.size());
  for (T value : values) {
    const double distance = static_cast<double>(value) - moments.mean;
    moments.variance += distance * distance;
  }
  moments.variance /= static_cast<double>(values.size());
  return moments;
}

/// Input `i` as doubles, which must be one per channel.
inline Result<std::vector<double>> read_per_channel(const EvaluateContext& context, size_t i,
                                                    int64_t channels) {
  const Tensor& tensor = context.input(i);
  if (tensor.shape() != Shape{channels})
    return Status::invalid_argument("input '{}' is [{}], expected [{}]: one for each channel",
                                    context.schema().inputs[i].name, to_string(tensor.shape()),
                                    channels);
  return to_doubles(tensor);
}

/// Input `i` broadcast (numpy) to `shape`, as a list that repeats: element k of the tensor `shape`
/// goes with element k % size of the list.
inline Result<std::vector<double>> read_repeating(const EvaluateContext& context, size_t i,
                                                  const Shape& shape) {
  const Tensor& tensor = context.input(i);
  const Result<Shape> both = broadcast_shapes(shape, tensor.shape());
  if (!both.is_ok() || *both != shape)
    return Status::invalid_argument("input '{}' is [{}], which does not broadcast to [{}]",
                                    context.schema().inputs[i].name, to_string(tensor.shape()),
                                    to_string(shape));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(tensor));
  int64_t trailing = 1;
  for (size_t axis = shape.size(); axis-- > 0 && trailing < tensor.element_count();)
    trailing *= shape[axis];
  bool repeats = trailing == tensor.element_count();
  for (size_t from_end = 1; repeats && from_end <= tensor.shape().size(); ++from_end) {
    const int64_t size = tensor.shape()[tensor.shape().size() - from_end];
    repeats = size == shape[shape.size() - from_end] || size == 1;
    if (size == 1 && shape[shape.size() - from_end] != 1)  // only ones may follow
      for (size_t rest = from_end; rest <= tensor.shape().size(); ++rest)
        repeats = repeats && tensor.shape()[tensor.shape().size() - rest] == 1;
  }
  if (repeats && !values.empty()) return values;
  std::vector<double> all;
  for (StridedWalk walk(shape, {broadcast_strides(tensor.shape(), shape)}); !walk.done();
       walk.next())
    all.push_back(values[static_cast<size_t>(walk.offset(0))]);
  if (all.empty()) all.push_back(0);  // nothing to go with
  return all;
}

}  // namespace shipway
