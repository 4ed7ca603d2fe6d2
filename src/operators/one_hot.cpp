// OneHot: writes an on value at each index and an off value elsewhere along a new axis.
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(indices: T1, depth: T2, values: T3) -> (output: T3)";

Status infer_one_hot(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const DType dtype = context.input_dtype(2);
  if (!dims) {
    context.set_output_dtype(0, dtype);
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(
      const int64_t axis,
      normalize_axis(context.int_attribute("axis"), static_cast<int64_t>(dims->size()) + 1));
  Dim depth;
  if (const std::optional<Contents> contents = context.input_contents(1)) {
    if (contents->size() == 1) depth = (*contents)[0];
  } else if (const Tensor* constant = context.input_constant(1);
             constant && constant->element_count() == 1) {
    SHIPWAY_ASSIGN_OR_RETURN(depth, int_of(*constant, "depth"));  // a float, truncated
  }
  if (depth.is_constant() && depth.value() < 0)
    return Status::invalid_model("input 'depth' is {}, expected 0 or more", depth.value());
  Dims result = *dims;
  result.insert(result.begin() + axis, depth);
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}

/// Indices outside -depth to depth - 1 give a row that is off everywhere.
Status evaluate_one_hot(EvaluateContext& context) {
  const Tensor &indices = context.input(0), &values = context.input(2);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t depth, int_of(context.input(1), "depth"));
  if (depth < 0) return Status::invalid_argument("input 'depth' is {}, expected 0 or more", depth);
  if (values.shape() != Shape{2})
    return Status::invalid_argument("input 'values' has shape {}, expected [off, on]",
                                    to_string(values.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), indices.rank() + 1));
  Shape shape = indices.shape();
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(axis); i < shape.size(); ++i) inner *= shape[i];
  shape.insert(shape.begin() + axis, depth);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> chosen, to_ints(indices));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements off_on, Elements::of(values));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, values.dtype(), shape));
  y.fill(off_on, 0);
  for (size_t i = 0; i < chosen.size(); ++i) {
    const int64_t index = chosen[i] < 0 ? chosen[i] + depth : chosen[i];
    if (index < 0 || index >= depth) continue;
    const int64_t outer = static_cast<int64_t>(i) / inner, at = static_cast<int64_t>(i) % inner;
    y.copy((outer * depth + index) * inner + at, off_on, 1);
  }
  return y.finish(context, 0);
}

// The axis of the result; -1 was always allowed.
Status downgrade_11(NodeRewrite& rewrite) {
  if (rewrite.int_attribute("axis") == -1) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  return count_axis_from_front(rewrite, "axis", rank + 1);
}

}  // namespace

const Operator& one_hot_operator() {
  static const Operator definition{
      .name = "OneHot",
      .summary = "Writes an on value at each index and an off value elsewhere along a new axis.",
      .versions = {{.since = 9,
                    .signature = kSignature,
                    .types = "T1: numeric; T2: numeric; T3: all_ir3",
                    .attributes = "axis: int = -1"},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T1: numeric; T2: numeric; T3: all_ir3",
                    .attributes = "axis: int = -1",
                    .downgrade = downgrade_11},
                   {.since = 28,
                    .signature = kSignature,
                    .types = "T1: numeric; T2: numeric; T3: all_ir4",
                    .attributes = "axis: int = -1"}},
      .infer = infer_one_hot,
      .evaluate = evaluate_one_hot,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
