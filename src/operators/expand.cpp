// Expand: repeats axes of size one until the tensor has the wanted shape.
#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_expand(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const DType dtype = context.input_dtype(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> wanted, sizes_of_input(context, 1, "shape"));
  if (!dims || !wanted) {
    context.set_output_dtype(0, dtype);
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(Dims result, broadcast_dims(*dims, *wanted, context.dims()));
  const bool is_list = result.size() <= 1;
  const Dim count = result.size() == 1 ? result[0] : Dim(1);
  context.set_output(0, dtype, std::move(result));
  std::optional<Contents> elements = context.input_contents(0);
  if (!elements || !is_list || !count.is_constant() || count.value() > kMaxFollowed)
    return Status::ok();
  if (elements->size() == 1)
    elements = Contents(static_cast<size_t>(count.value()), (*elements)[0]);
  if (static_cast<int64_t>(elements->size()) == count.value())
    follow_elements(context, 0, dtype, std::move(*elements));
  return Status::ok();
}

Status evaluate_expand(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const Shape wanted, shape_of(context.input(1), "shape"));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, broadcast_shapes(data.shape(), wanted));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), shape));
  y.copy_strided(shape, 0, strides_of(shape), x, 0, broadcast_strides(data.shape(), shape));
  return y.finish(context, 0);
}

}  // namespace

const Operator& expand_operator() {
  static const Operator definition{
      .name = "Expand",
      .summary = "Repeats axes of size one until the tensor has the wanted shape.",
      .versions = {{.since = 8,
                    .signature = "(input: T, shape: int64) -> (output: T)",
                    .types = "T: all_ir3"},
                   {.since = 13,
                    .signature = "(input: T, shape: int64) -> (output: T)",
                    .types = "T: all_ir4"}},
      .infer = infer_expand,
      .evaluate = evaluate_expand,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
