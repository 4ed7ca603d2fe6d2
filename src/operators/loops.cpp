#include "operators/loops.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace shipway {

Result<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const size_t from_end = rank - i;
    const int64_t x = from_end <= a.size() ? a[a.size() - from_end] : 1;
    const int64_t y = from_end <= b.size() ? b[b.size() - from_end] : 1;
    if (x != y && x != 1 && y != 1)
      return Status::invalid_argument("shapes {} and {} do not broadcast", to_string(a),
                                      to_string(b));
    result[i] = x == 1 ? y : x;
  }
  return result;
}

Lines Lines::along(const Shape& shape, int64_t axis) {
  const auto at = static_cast<size_t>(axis);
  for (size_t i = 0; i < shape.size(); ++i)
    if (i != at && shape[i] == 0)
      return {0, shape[at], 1};  // the product of the others may overflow
  Lines lines{1, shape[at], 1};
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i == at) continue;
    int64_t& count = i < at ? lines.outer : lines.inner;
    if (__builtin_mul_overflow(count, shape[i], &count))
      count = std::numeric_limits<int64_t>::max();
  }
  return lines;
}

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

Shape broadcast_strides(const Shape& shape, const Shape& to) {
  const Shape own = strides_of(shape);
  Shape strides(to.size(), 0);
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1) strides[to.size() - shape.size() + i] = own[i];
  return strides;
}

StridedWalk::StridedWalk(const Shape& shape, std::vector<Shape> strides)
    : shape_(shape),
      index_(shape.size(), 0),
      strides_(std::move(strides)),
      offsets_(strides_.size(), 0) {
  for (int64_t size : shape_) done_ = done_ || size == 0;
}

void StridedWalk::next() {
  for (size_t axis = shape_.size(); axis-- > 0;) {
    for (size_t i = 0; i < offsets_.size(); ++i) offsets_[i] += strides_[i][axis];
    if (++index_[axis] < shape_[axis]) return;
    for (size_t i = 0; i < offsets_.size(); ++i) offsets_[i] -= strides_[i][axis] * shape_[axis];
    index_[axis] = 0;
  }
  done_ = true;
}

Result<Tensor> take_elements(const EvaluateContext& context, const Tensor& input,
                             const Shape& shape, std::span<const int64_t> sources) {
  if (input.dtype() == DType::kString) {
    std::vector<std::string> strings;
    strings.reserve(sources.size());
    for (int64_t source : sources)
      strings.push_back(source < 0 ? std::string() : input.strings()[static_cast<size_t>(source)]);
    return Tensor::from_strings(shape, std::move(strings));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor bytes, unpack_to_bytes(input));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor result, context.allocate(bytes.dtype(), shape));
  const auto size = static_cast<size_t>(bit_width(bytes.dtype()) / 8);
  const auto* from = static_cast<const std::byte*>(bytes.data());
  auto* to = static_cast<std::byte*>(result.mutable_data());
  for (int64_t source : sources) {
    if (source < 0)
      std::memset(to, 0, size);
    else
      std::memcpy(to, from + static_cast<size_t>(source) * size, size);
    to += size;
  }
  return pack_from_bytes(input.dtype(), result);
}

Status gather_elements(EvaluateContext& context, size_t i, const Tensor& input, const Shape& shape,
                       const std::function<int64_t(int64_t)>& source) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  std::vector<int64_t> sources(static_cast<size_t>(count));
  for (size_t k = 0; k < sources.size(); ++k) sources[k] = source(static_cast<int64_t>(k));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor result, take_elements(context, input, shape, sources));
  context.set_output(i, std::move(result));
  return Status::ok();
}

}  // namespace shipway
