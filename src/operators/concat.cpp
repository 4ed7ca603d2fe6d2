// Concat: joins tensors end to end along one axis.
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_concat(InferContext& context) {
  DType dtype = context.input_dtype(0);
  const Dims* known = nullptr;  // some input of known rank
  bool all_known = true;
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (dtype == DType::kUndefined) dtype = context.input_dtype(i);
    if (const Dims* dims = context.input_dims(i)) {
      if (known && known->size() != dims->size())
        return Status::invalid_model("input {} has rank {}, expected {}", i, dims->size(),
                                     known->size());
      known = dims;
    } else {
      all_known = false;
    }
  }
  if (!known) {
    context.set_output_dtype(0, dtype);
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(
      const int64_t normal,
      normalize_axis(context.int_attribute("axis"), static_cast<int64_t>(known->size())));
  const auto axis = static_cast<size_t>(normal);
  Dims result(known->size());
  result[axis] = all_known ? Dim(0) : Dim::unknown();
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Dims* dims = context.input_dims(i);
    if (!dims) continue;
    for (size_t k = 0; k < dims->size(); ++k) {
      if (k == axis) {
        result[k] = context.dims().add(result[k], (*dims)[k]);
      } else {
        SHIPWAY_ASSIGN_OR_RETURN(
            result[k],
            agreeing_dim(result[k], (*dims)[k], format_message("input {}, axis {}", {i, k})));
      }
    }
  }
  const bool is_list = result.size() == 1;
  context.set_output(0, dtype, std::move(result));
  if (!is_list) return Status::ok();
  Contents elements;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const std::optional<Contents> part = followed_elements(context, i);
    if (!part) return Status::ok();
    elements.insert(elements.end(), part->begin(), part->end());
  }
  follow_elements(context, 0, dtype, std::move(elements));
  return Status::ok();
}

Status evaluate_concat(EvaluateContext& context) {
  const Tensor& first = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), first.rank()));
  const auto axis = static_cast<size_t>(normal);
  Shape shape = first.shape();
  for (size_t i = 1; i < context.input_count(); ++i) {
    const Tensor& x = context.input(i);
    if (x.dtype() != first.dtype())
      return Status::invalid_argument("input {} is {}, expected {}", i, to_string(x.dtype()),
                                      to_string(first.dtype()));
    Shape expected = shape;
    if (x.rank() == first.rank()) expected[axis] = x.dim(axis);
    if (x.shape() != expected)
      return Status::invalid_argument("input {} has shape {}, expected {} except at axis {}", i,
                                      to_string(x.shape()), to_string(first.shape()), axis);
    shape[axis] += x.dim(axis);
  }
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, first.dtype(), shape));
  if (y.count() == 0) return y.finish(context, 0);
  int64_t outer = 1;
  for (size_t k = 0; k < axis; ++k) outer *= shape[k];
  const int64_t row = outer == 0 ? 0 : y.count() / outer;
  int64_t start = 0;  // of this input in each row
  for (size_t i = 0; i < context.input_count(); ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(context.input(i)));
    const int64_t width = outer == 0 ? 0 : x.count() / outer;
    for (int64_t k = 0; k < outer; ++k) y.copy(k * row + start, x, k * width, width);
    start += width;
  }
  return y.finish(context, 0);
}

Status say_default_axis(NodeRewrite& rewrite) {
  if (!rewrite.has_attribute("axis")) rewrite.set_attribute({"axis", int64_t{1}});
  return Status::ok();
}

}  // namespace

const Operator& concat_operator() {
  static const Operator definition{
      .name = "Concat",
      .summary = "Joins tensors end to end along one axis.",
      .versions = {{.since = 1,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: floats",
                    .attributes = "axis: int?",
                    .upgrade = say_default_axis},
                   {.since = 4,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int!"},
                   {.since = 11,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int!",
                    .downgrade = axis_from_front},
                   {.since = 13,
                    .signature = "(inputs...: T) -> (concat_result: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int!"}},
      .infer = infer_concat,
      .evaluate = evaluate_concat,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
