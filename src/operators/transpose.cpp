// Transpose: changes the order of axes.
#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"

namespace shipway {

namespace {

/// The order of axes: `perm`, or the reverse without it.
Result<std::vector<int64_t>> order_of_axes(const AttributeReader& node, int64_t rank) {
  if (!node.has_attribute("perm")) {
    std::vector<int64_t> reversed;
    for (int64_t axis = rank; axis-- > 0;) reversed.push_back(axis);
    return reversed;
  }
  const std::span<const int64_t> perm = node.ints_attribute("perm");
  if (static_cast<int64_t>(perm.size()) != rank)
    return Status::invalid_model("attribute 'perm' has {} values, expected {}", perm.size(), rank);
  return normalize_axes(perm, rank, "attribute 'perm'");
}

Status infer_transpose(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    const size_t rank = context.ints_attribute("perm").size();
    if (context.has_attribute("perm")) {
      context.set_output(0, context.input_dtype(0), Dims(rank));
    } else {
      context.set_output_dtype(0, context.input_dtype(0));
    }
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> perm,
                           order_of_axes(context, static_cast<int64_t>(dims->size())));
  Dims result;
  for (int64_t axis : perm) result.push_back((*dims)[static_cast<size_t>(axis)]);
  context.set_output(0, context.input_dtype(0), std::move(result));
  if (dims->size() > 1) return Status::ok();
  if (std::optional<Contents> contents = context.input_contents(0))
    follow_elements(context, 0, context.input_dtype(0), std::move(*contents));
  return Status::ok();
}

Status evaluate_transpose(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> perm, order_of_axes(context, data.rank()));
  const Shape from_strides = strides_of(data.shape());
  Shape shape, strides;
  for (int64_t axis : perm) {
    shape.push_back(data.dim(static_cast<size_t>(axis)));
    strides.push_back(from_strides[static_cast<size_t>(axis)]);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), shape));
  y.copy_strided(shape, 0, strides_of(shape), x, 0, strides);
  return y.finish(context, 0);
}

}  // namespace

const Operator& transpose_operator() {
  static const Operator definition{
      .name = "Transpose",
      .summary = "Changes the order of axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir3",
                    .attributes = "perm: ints?"},
                   {.since = 13,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir4",
                    .attributes = "perm: ints?"},
                   {.since = 21,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir10",
                    .attributes = "perm: ints?"},
                   {.since = 23,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir11",
                    .attributes = "perm: ints?"},
                   {.since = 24,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir12",
                    .attributes = "perm: ints?"},
                   {.since = 25,
                    .signature = "(data: T) -> (transposed: T)",
                    .types = "T: all_ir13",
                    .attributes = "perm: ints?"}},
      .infer = infer_transpose,
      .evaluate = evaluate_transpose,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
