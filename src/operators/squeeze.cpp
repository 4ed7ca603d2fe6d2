// Squeeze: removes axes of size one.
#include <algorithm>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/operator.h"
#include "operators/upgrade_steps.h"

namespace shipway {

namespace {

Status infer_squeeze(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const DType dtype = context.input_dtype(0);
  const std::optional<std::vector<int64_t>> axes = context.input_ints(1);
  const bool all_known =
      dims && std::all_of(dims->begin(), dims->end(), [](Dim dim) { return dim.is_constant(); });
  // Without `axes`, a size that could be 1 leaves even the rank open.
  if (!dims || (context.has_input(1) ? !axes : !all_known)) {
    context.set_output_dtype(0, dtype);
    return Status::ok();
  }
  std::vector<bool> removed(dims->size());
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(
        const std::vector<int64_t> normal,
        normalize_axes(*axes, static_cast<int64_t>(dims->size()), "input 'axes'"));
    for (int64_t axis : normal) removed[static_cast<size_t>(axis)] = true;
  } else {
    for (size_t i = 0; i < dims->size(); ++i) removed[i] = (*dims)[i] == Dim(1);
  }
  Dims result;
  for (size_t i = 0; i < dims->size(); ++i) {
    if (!removed[i]) {
      result.push_back((*dims)[i]);
    } else if ((*dims)[i].is_constant() && (*dims)[i] != Dim(1)) {
      return Status::invalid_model("input 'axes' removes axis {} of size {}, expected 1", i,
                                   (*dims)[i].value());
    }
  }
  const bool keeps_list = result.size() <= 1;
  context.set_output(0, dtype, std::move(result));
  if (std::optional<Contents> contents = context.input_contents(0); contents && keeps_list)
    follow_elements(context, 0, dtype, std::move(*contents));
  return Status::ok();
}

Status evaluate_squeeze(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  std::vector<bool> removed(data.shape().size());
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ints_of(context.input(1), "axes"));
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> normal,
                             normalize_axes(axes, data.rank(), "input 'axes'"));
    for (int64_t axis : normal) removed[static_cast<size_t>(axis)] = true;
  } else {
    for (size_t i = 0; i < removed.size(); ++i) removed[i] = data.dim(i) == 1;
  }
  Shape shape;
  for (size_t i = 0; i < removed.size(); ++i) {
    if (!removed[i]) {
      shape.push_back(data.dim(i));
    } else if (data.dim(i) != 1) {
      return Status::invalid_argument("input 'axes' removes axis {} of size {}, expected 1", i,
                                      data.dim(i));
    }
  }
  SHIPWAY_ASSIGN_OR_RETURN(Tensor squeezed, data.reshaped(shape));
  context.set_output(0, std::move(squeezed));
  return Status::ok();
}

Status axes_to_input(NodeRewrite& rewrite) { return move_ints_to_input(rewrite, "axes", 1); }

Status input_to_axes(NodeRewrite& rewrite) { return move_input_to_ints(rewrite, 1, "axes"); }

}  // namespace

const Operator& squeeze_operator() {
  static const Operator definition{
      .name = "Squeeze",
      .summary = "Removes axes of size one.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (squeezed: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints?"},
                   {.since = 11,
                    .signature = "(data: T) -> (squeezed: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints?",
                    .upgrade = axes_to_input,
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir4",
                    .downgrade = input_to_axes},
                   {.since = 21,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir10"},
                   {.since = 23,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir11"},
                   {.since = 24,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir12"},
                   {.since = 25,
                    .signature = "(data: T, axes?: int64) -> (squeezed: T)",
                    .types = "T: all_ir13"}},
      .infer = infer_squeeze,
      .evaluate = evaluate_squeeze,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
