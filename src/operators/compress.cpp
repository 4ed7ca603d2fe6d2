// Compress: keeps the slices (or elements) whose condition is true.
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_compress(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!context.has_attribute("axis")) {
    context.set_output(0, context.input_dtype(0), {Dim::unknown()});
  } else if (!dims) {
    context.set_output_dtype(0, context.input_dtype(0));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(
        const int64_t axis,
        normalize_axis(context.int_attribute("axis"), static_cast<int64_t>(dims->size())));
    Dims result = *dims;
    result[static_cast<size_t>(axis)] = Dim::unknown();
    context.set_output(0, context.input_dtype(0), std::move(result));
  }
  return Status::ok();
}

/// Without an axis all elements are one list. A short condition drops what is after its end.
Status evaluate_compress(EvaluateContext& context) {
  const Tensor &input = context.input(0), &condition = context.input(1);
  int64_t outer = 1, size = input.element_count(), inner = 1;
  Shape shape = {0};
  size_t axis = 0;
  if (context.has_attribute("axis")) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                             normalize_axis(context.int_attribute("axis"), input.rank()));
    axis = static_cast<size_t>(normal);
    shape = input.shape();
    size = input.dim(axis);
  }
  std::vector<int64_t> chosen;
  const std::span<const bool> flags = condition.as<bool>();
  for (size_t i = 0; i < flags.size(); ++i) {
    if (!flags[i]) continue;
    if (static_cast<int64_t>(i) >= size)
      return Status::invalid_argument("input 'condition' chooses index {}, but there are {}", i,
                                      size);
    chosen.push_back(static_cast<int64_t>(i));
  }
  shape[axis] = static_cast<int64_t>(chosen.size());
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, input.dtype(), shape));
  if (y.count() == 0) return y.finish(context, 0);
  if (context.has_attribute("axis")) {
    for (size_t i = 0; i < axis; ++i) outer *= input.dim(i);
    for (size_t i = axis + 1; i < shape.size(); ++i) inner *= input.dim(i);
  }
  int64_t to = 0;
  for (int64_t k = 0; k < outer; ++k)
    for (int64_t index : chosen) {
      y.copy(to, x, (k * size + index) * inner, inner);
      to += inner;
    }
  return y.finish(context, 0);
}

}  // namespace

const Operator& compress_operator() {
  static const Operator definition{
      .name = "Compress",
      .summary = "Keeps the slices (or elements) whose condition is true.",
      .versions = {{.since = 9,
                    .signature = "(input: T, condition: T1) -> (output: T)",
                    .types = "T: all_ir3; T1: bool",
                    .attributes = "axis: int?"},
                   {.since = 11,
                    .signature = "(input: T, condition: T1) -> (output: T)",
                    .types = "T: all_ir3; T1: bool",
                    .attributes = "axis: int?",
                    .downgrade = axis_from_front},
                   {.since = 28,
                    .signature = "(input: T, condition: T1) -> (output: T)",
                    .types = "T: all_ir4; T1: bool",
                    .attributes = "axis: int?"}},
      .infer = infer_compress,
      .evaluate = evaluate_compress,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
