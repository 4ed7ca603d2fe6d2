// NonZero: indices of all elements that are not zero.
#include "operators/loops.h"
#include "operators/operator.h"

namespace shipway {

namespace {

Status infer_non_zero(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const Dim rank = dims ? Dim(static_cast<int64_t>(dims->size())) : Dim::unknown();
  Dim count;
  if (dims)
    count = context.dims().fresh({0, context.dims().range(context.dims().product(*dims)).high});
  context.set_output(0, DType::kInt64, {rank, count});
  return Status::ok();
}

/// Column i of the output is the position of the i-th element that is not zero; a scalar has no
/// axes to tell.
Status evaluate_non_zero(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  std::vector<int64_t> found;
  SHIPWAY_RETURN_IF_ERROR(visit_compute_type(x.dtype(), [&]<typename T>(T) -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(x));
    for (size_t i = 0; i < values.size(); ++i)
      if (values[i] != T{}) found.push_back(static_cast<int64_t>(i));
    return Status::ok();
  }));
  const auto count = static_cast<int64_t>(found.size());
  SHIPWAY_ASSIGN_OR_RETURN(Tensor y, context.allocate_output(0, DType::kInt64, {x.rank(), count}));
  const std::span<int64_t> positions = y.mutable_as<int64_t>();
  const Shape strides = strides_of(x.shape());
  for (size_t axis = 0; axis < strides.size(); ++axis)
    for (size_t i = 0; i < found.size(); ++i)
      positions[axis * found.size() + i] = found[i] / strides[axis] % x.dim(axis);
  return Status::ok();
}

}  // namespace

const Operator& non_zero_operator() {
  static const Operator definition{
      .name = "NonZero",
      .summary = "Indices of all elements that are not zero.",
      .versions = {{.since = 9, .signature = "(X: T) -> (Y: int64)", .types = "T: all_ir3"},
                   {.since = 13, .signature = "(X: T) -> (Y: int64)", .types = "T: all_ir4"}},
      .infer = infer_non_zero,
      .evaluate = evaluate_non_zero,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
