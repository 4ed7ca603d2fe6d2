// Where: takes elements from one of two tensors as a condition says, broadcasting.
#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_where(InferContext& context) {
  const DType dtype =
      context.input_dtype(1) != DType::kUndefined ? context.input_dtype(1) : context.input_dtype(2);
  Dims result;
  for (size_t i = 0; i < 3; ++i) {
    const Dims* dims = context.input_dims(i);
    if (!dims) {
      context.set_output_dtype(0, dtype);
      return Status::ok();
    }
    SHIPWAY_ASSIGN_OR_RETURN(result, broadcast_dims(result, *dims, context.dims()));
  }
  const bool is_list = result.size() <= 1;
  const Dim count = result.size() == 1 ? result[0] : Dim(1);
  context.set_output(0, dtype, std::move(result));
  if (!is_list || !count.is_constant() || count.value() > kMaxFollowed) return Status::ok();
  const std::optional<Contents> condition = followed_elements(context, 0);
  const std::optional<Contents> x = followed_elements(context, 1);
  const std::optional<Contents> y = followed_elements(context, 2);
  if (!condition || !x || !y) return Status::ok();
  const auto at = [](const Contents& list, size_t i) { return list[list.size() == 1 ? 0 : i]; };
  Contents elements;
  for (size_t i = 0; i < static_cast<size_t>(count.value()); ++i) {
    const Dim chosen = at(*condition, i);
    if (chosen.is_constant()) {
      elements.push_back(at(chosen.value() != 0 ? *x : *y, i));
    } else {
      elements.push_back(at(*x, i) == at(*y, i) ? at(*x, i) : Dim::unknown());
    }
  }
  follow_elements(context, 0, dtype, std::move(elements));
  return Status::ok();
}

Status evaluate_where(EvaluateContext& context) {
  const Tensor &condition = context.input(0), &x = context.input(1), &y = context.input(2);
  SHIPWAY_ASSIGN_OR_RETURN(const Shape pair, broadcast_shapes(x.shape(), y.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, broadcast_shapes(condition.shape(), pair));
  if (x.dtype() != y.dtype())
    return Status::invalid_argument("input 'X' is {}, but 'Y' is {}", to_string(x.dtype()),
                                    to_string(y.dtype()));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements from_x, Elements::of(x));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements from_y, Elements::of(y));
  SHIPWAY_ASSIGN_OR_RETURN(Elements result, Elements::output(context, 0, x.dtype(), shape));
  const Shape y_strides = broadcast_strides(y.shape(), shape);
  result.copy_strided(shape, 0, strides_of(shape), from_y, 0, y_strides);
  const std::span<const bool> chosen = condition.as<bool>();
  int64_t position = 0;
  for (StridedWalk walk(shape, {broadcast_strides(condition.shape(), shape),
                                broadcast_strides(x.shape(), shape)});
       !walk.done(); walk.next(), ++position)
    if (chosen[static_cast<size_t>(walk.offset(0))]) result.copy(position, from_x, walk.offset(1));
  return result.finish(context, 0);
}

}  // namespace

const Operator& where_operator() {
  static const Operator definition{
      .name = "Where",
      .summary = "Takes elements from one of two tensors as a condition says, broadcasting.",
      .versions = {{.since = 9,
                    .signature = "(condition: B, X: T, Y: T) -> (output: T)",
                    .types = "B: bool; T: all_ir3"},
                   {.since = 16,
                    .signature = "(condition: B, X: T, Y: T) -> (output: T)",
                    .types = "B: bool; T: all_ir4"}},
      .infer = infer_where,
      .evaluate = evaluate_where,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
