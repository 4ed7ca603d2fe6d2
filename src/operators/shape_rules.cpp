#include "operators/shape_rules.h"

#include <algorithm>

namespace shipway {

Status infer_same_as_first_input(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (std::optional<Contents> contents = context.input_contents(0))
    context.set_output_contents(0, std::move(*contents));
  return Status::ok();
}

Status infer_type_of_first_input(InferContext& context) {
  context.set_output(0, context.input_type(0));
  return Status::ok();
}

Result<Dims> broadcast_dims(const Dims& a, const Dims& b, DimTable& table) {
  const size_t rank = std::max(a.size(), b.size());
  Dims result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const size_t from_end = rank - i;
    const Dim x = from_end <= a.size() ? a[a.size() - from_end] : Dim(1);
    const Dim y = from_end <= b.size() ? b[b.size() - from_end] : Dim(1);
    if (x == y || y == Dim(1)) {
      result[i] = x;
    } else if (x == Dim(1)) {
      result[i] = y;
    } else if (x.is_constant() && y.is_constant()) {
      return Status::invalid_model("sizes {} and {} of axis {} (from the end: {}) do not broadcast",
                                   x.value(), y.value(), i, from_end);
    } else if (x.is_constant() || y.is_constant()) {
      result[i] = x.is_constant() ? x : y;  // greater than 1 or 0: the other side is that or 1
    } else if (x.is_known() && y.is_known() && table.range(x).low > 1) {
      result[i] = x;
    } else if (x.is_known() && y.is_known() && table.range(y).low > 1) {
      result[i] = y;
    } else {
      result[i] = table.fresh();
    }
  }
  return result;
}

namespace {
Status infer_broadcast_as(InferContext& context, DType dtype) {
  Dims result;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Dims* dims = context.input_dims(i);
    if (!dims) {
      context.set_output_dtype(0, dtype);
      return Status::ok();
    }
    SHIPWAY_ASSIGN_OR_RETURN(result, broadcast_dims(result, *dims, context.dims()));
  }
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}
}  // namespace

Status infer_broadcast(InferContext& context) {
  return infer_broadcast_as(context, context.input_dtype(0));
}
Status infer_broadcast_to_bool(InferContext& context) {
  return infer_broadcast_as(context, DType::kBool);
}

Result<int64_t> normalize_axis(int64_t axis, int64_t rank, std::string_view what, bool past_end) {
  const int64_t last = past_end ? rank : rank - 1;
  if (axis < -rank || axis > last)
    return Status::invalid_model("{} is {}, expected {} to {} for rank {}", what, axis, -rank, last,
                                 rank);
  return axis < 0 ? axis + rank : axis;
}

Dim window_count(DimTable& dims, Dim size, int64_t kernel, int64_t stride, int64_t dilation,
                 int64_t pad_begin, int64_t pad_end, bool ceil) {
  const int64_t extent = (kernel - 1) * dilation + 1;
  const Dim room = dims.add(size, pad_begin + pad_end - extent);
  if (!ceil) return dims.add(dims.floordiv(room, stride), 1);
  // The last window must start before the end padding: start < size + pad_begin.
  const Dim windows = dims.add(dims.ceildiv(room, stride), 1);
  const Dim starting = dims.ceildiv(dims.add(size, pad_begin), stride);
  return dims.min(windows, starting);
}

Type join_types(const Type& a, const Type& b) {
  if (a == b) return a;
  if (a.kind() != b.kind() || a.dtype() != b.dtype()) return {};
  switch (a.kind()) {
    case TypeKind::kTensor:
    case TypeKind::kSparseTensor: {
      const bool dense = a.kind() == TypeKind::kTensor;
      if (!a.dims() || !b.dims() || a.dims()->size() != b.dims()->size())
        return dense ? Type::tensor(a.dtype()) : Type::sparse_tensor(a.dtype());
      Dims dims = *a.dims();
      for (size_t i = 0; i < dims.size(); ++i)
        if (dims[i] != (*b.dims())[i]) dims[i] = Dim::unknown();
      return a.with_dims(std::move(dims));
    }
    case TypeKind::kSequence:
      return Type::sequence(join_types(a.element(), b.element()));
    case TypeKind::kOptional:
      return Type::optional(join_types(a.element(), b.element()));
    case TypeKind::kMap:
      return Type::map(a.dtype(), join_types(a.element(), b.element()));
    default:
      return {};
  }
}

Dims to_dims(const Shape& shape) {
  Dims dims;
  for (int64_t size : shape) dims.push_back(size);
  return dims;
}

}  // namespace shipway
