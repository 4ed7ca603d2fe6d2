// EyeLike: ones on one diagonal of a matrix, zeros elsewhere.
#include <algorithm>

#include "operators/elements.h"
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Result<DType> dtype_of_result(const AttributeReader& node, DType input) {
  if (!node.has_attribute("dtype")) return input;
  const int64_t number = node.int_attribute("dtype");
  if (!is_valid_dtype(number))
    return Status::invalid_model("attribute 'dtype' is {}, which is no dtype", number);
  return static_cast<DType>(number);
}

Status infer_eye_like(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, dtype_of_result(context, context.input_dtype(0)));
  const Dims* dims = context.input_dims(0);
  if (dims && dims->size() != 2)
    return Status::invalid_model("input 'input' has rank {}, expected 2", dims->size());
  Dims result = {Dim::unknown(), Dim::unknown()};
  for (size_t i = 0; dims && i < 2; ++i) result[i] = (*dims)[i];
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}

Status evaluate_eye_like(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, dtype_of_result(context, input.dtype()));
  if (input.rank() != 2)
    return Status::invalid_argument("input 'input' has rank {}, expected 2", input.rank());
  const int64_t one = 1, rows = input.dim(0), columns = input.dim(1);
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor ones, from_ints(dtype, {1}, std::span(&one, 1)));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements value, Elements::of(ones));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, dtype, input.shape()));
  y.clear();
  const int64_t k = std::clamp(context.int_attribute("k"), -rows, columns);
  for (int64_t i = 0; i < rows; ++i)
    if (i + k >= 0 && i + k < columns) y.copy(i * columns + i + k, value, 0);
  return y.finish(context, 0);
}

}  // namespace

const Operator& eye_like_operator() {
  static const Operator definition{
      .name = "EyeLike",
      .summary = "Ones on one diagonal of a matrix, zeros elsewhere.",
      .versions = {{.since = 9,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool; T2: numeric bool",
                    .attributes = "dtype: int?; k: int = 0"},
                   {.since = 22,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool bfloat16; T2: numeric bool bfloat16",
                    .attributes = "dtype: int?; k: int = 0"}},
      .infer = infer_eye_like,
      .evaluate = evaluate_eye_like,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
