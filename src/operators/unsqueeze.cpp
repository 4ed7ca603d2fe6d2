// Unsqueeze: inserts axes of size one.
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/operator.h"
#include "operators/upgrade_steps.h"

namespace shipway {

namespace {

/// `sizes` with ones at `axes`, which count axes of the result.
template <typename Sizes>
Result<Sizes> with_ones(const Sizes& sizes, std::span<const int64_t> axes) {
  const size_t rank = sizes.size() + axes.size();
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> inserted,
                           normalize_axes(axes, static_cast<int64_t>(rank), "input 'axes'"));
  std::vector<bool> is_new(rank);
  for (int64_t axis : inserted) is_new[static_cast<size_t>(axis)] = true;
  Sizes result;
  size_t next = 0;
  for (size_t i = 0; i < rank; ++i) {
    if (is_new[i]) {
      result.push_back(1);
    } else {
      result.push_back(sizes[next++]);
    }
  }
  return result;
}

Status infer_unsqueeze(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const DType dtype = context.input_dtype(0);
  const std::optional<std::vector<int64_t>> axes = context.input_ints(1);
  if (!dims || !axes) {
    const std::optional<Contents> some_axes = followed_elements(context, 1);
    if (dims && some_axes) {
      context.set_output(0, dtype, Dims(dims->size() + some_axes->size()));
    } else {
      context.set_output_dtype(0, dtype);
    }
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(Dims result, with_ones(*dims, *axes));
  const bool keeps_list = result.size() <= 1;
  context.set_output(0, dtype, std::move(result));
  if (std::optional<Contents> contents = context.input_contents(0); contents && keeps_list)
    follow_elements(context, 0, dtype, std::move(*contents));
  return Status::ok();
}

Status evaluate_unsqueeze(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ints_of(context.input(1), "axes"));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, with_ones(data.shape(), axes));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor expanded, data.reshaped(shape));
  context.set_output(0, std::move(expanded));
  return Status::ok();
}

Status axes_to_input(NodeRewrite& rewrite) { return move_ints_to_input(rewrite, "axes", 1); }

Status input_to_axes(NodeRewrite& rewrite) { return move_input_to_ints(rewrite, 1, "axes"); }

// Before version 11, axes of the result were counted from the front only.
Status downgrade_11(NodeRewrite& rewrite) {
  const std::span<const int64_t> given = rewrite.ints_attribute("axes");
  std::vector<int64_t> axes(given.begin(), given.end());
  for (int64_t& axis : axes) {
    if (axis >= 0) continue;
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
    axis += rank + static_cast<int64_t>(axes.size());
  }
  rewrite.set_attribute({"axes", std::move(axes)});
  return Status::ok();
}

}  // namespace

const Operator& unsqueeze_operator() {
  static const Operator definition{
      .name = "Unsqueeze",
      .summary = "Inserts axes of size one.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (expanded: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints!"},
                   {.since = 11,
                    .signature = "(data: T) -> (expanded: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints!",
                    .upgrade = axes_to_input,
                    .downgrade = downgrade_11},
                   {.since = 13,
                    .signature = "(data: T, axes: int64) -> (expanded: T)",
                    .types = "T: all_ir4",
                    .downgrade = input_to_axes},
                   {.since = 21,
                    .signature = "(data: T, axes: int64) -> (expanded: T)",
                    .types = "T: all_ir10"},
                   {.since = 23,
                    .signature = "(data: T, axes: int64) -> (expanded: T)",
                    .types = "T: all_ir11"},
                   {.since = 24,
                    .signature = "(data: T, axes: int64) -> (expanded: T)",
                    .types = "T: all_ir12"},
                   {.since = 25,
                    .signature = "(data: T, axes: int64) -> (expanded: T)",
                    .types = "T: all_ir13"}},
      .infer = infer_unsqueeze,
      .evaluate = evaluate_unsqueeze,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
