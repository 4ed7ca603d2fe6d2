// Flatten: folds all axes into two, split at a given axis.
#include "operators/downgrade_steps.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_flatten(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output(0, context.input_dtype(0), {Dim::unknown(), Dim::unknown()});
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(context.int_attribute("axis"),
                                                              static_cast<int64_t>(dims->size()),
                                                              "attribute 'axis'", true));
  const auto split = static_cast<size_t>(axis);
  const std::span<const Dim> all(*dims);
  context.set_output(
      0, context.input_dtype(0),
      {context.dims().product(all.first(split)), context.dims().product(all.subspan(split))});
  return Status::ok();
}

Status evaluate_flatten(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(context.int_attribute("axis"),
                                                              x.rank(), "attribute 'axis'", true));
  const std::span<const int64_t> all(x.shape());
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rows, element_count(all.first(static_cast<size_t>(axis))));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t columns,
                           element_count(all.subspan(static_cast<size_t>(axis))));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor y, x.reshaped({rows, columns}));
  context.set_output(0, std::move(y));
  return Status::ok();
}

}  // namespace

const Operator& flatten_operator() {
  static const Operator definition{
      .name = "Flatten",
      .summary = "Folds all axes into two, split at a given axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 9,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 1",
                    .downgrade = axis_from_front},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int = 1"},
                   {.since = 21,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir10",
                    .attributes = "axis: int = 1"},
                   {.since = 23,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir11",
                    .attributes = "axis: int = 1"},
                   {.since = 24,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir12",
                    .attributes = "axis: int = 1"},
                   {.since = 25,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: all_ir13",
                    .attributes = "axis: int = 1"}},
      .infer = infer_flatten,
      .evaluate = evaluate_flatten,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
