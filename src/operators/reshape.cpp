// Reshape: gives the same elements another shape.
#include <algorithm>
#include <numeric>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/operator.h"
#include "operators/upgrade_steps.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

/// The size that -1 stands for: the product of `from` divided by that of `others`. What stands in
/// both is cancelled first, so that [N, C, H, W] as [N, C, -1] gives H*W, also where N could be 0.
Dim remaining_size(DimTable& table, const Dims& from, const Dims& others) {
  std::vector<Dim> above(from.begin(), from.end());
  std::vector<Dim> below;
  for (Dim dim : others) {
    const auto same = std::find(above.begin(), above.end(), dim);
    if (same != above.end() && dim.is_known() && dim != Dim(0)) {
      above.erase(same);
    } else {
      below.push_back(dim);
    }
  }
  for (Dim& divisor : below)
    for (Dim& dim : above) {
      if (!dim.is_constant() || !divisor.is_constant()) continue;
      const int64_t common = std::gcd(dim.value(), divisor.value());
      if (common <= 1) continue;
      dim = dim.value() / common;
      divisor = divisor.value() / common;
    }
  const Dim divisor = table.product(below);
  return divisor == Dim(1) ? table.product(above) : table.floordiv(table.product(above), divisor);
}

Status infer_reshape(InferContext& context) {
  const Dims* from = context.input_dims(0);
  const std::optional<Contents> shape = followed_elements(context, 1);
  if (!shape) {
    context.set_output_dtype(0, context.input_dtype(0));
    return Status::ok();
  }
  const bool allow_zero = context.int_attribute("allowzero") != 0;
  Dims result, others;
  std::optional<size_t> open;  // the axis whose size follows from the others
  size_t unknown_count = 0;
  for (size_t i = 0; i < shape->size(); ++i) {
    Dim dim = (*shape)[i];
    if (dim == Dim(0) && !allow_zero) {
      if (from && i >= from->size())
        return Status::invalid_model("input 'shape' copies axis {} of an input of rank {}", i,
                                     from->size());
      dim = from ? (*from)[i] : Dim::unknown();
    } else if (dim == Dim(-1)) {
      if (open) return Status::invalid_model("input 'shape' has more than one -1");
      open = i;
      dim = Dim::unknown();
    } else if (dim.is_constant() && dim.value() < 0) {
      return Status::invalid_model("input 'shape' has the negative size {}", dim.value());
    } else if (dim.is_expression() && context.dims().range(dim).low < 0) {
      dim = Dim::unknown();  // might be -1
    }
    if (dim.is_unknown()) ++unknown_count;
    result.push_back(dim);
  }
  // A single unknown size follows from the others, whether or not it was written as -1.
  if (!open && unknown_count == 1)
    for (size_t i = 0; i < result.size(); ++i)
      if (result[i].is_unknown()) open = i;
  for (size_t i = 0; i < result.size(); ++i)
    if (!open || i != *open) others.push_back(result[i]);
  if (open && from && unknown_count == 1)
    result[*open] = remaining_size(context.dims(), *from, others);

  if (from) {
    const Dim before = context.dims().product(*from), after = context.dims().product(result);
    if (before.is_constant() && after.is_constant() && before != after)
      return Status::invalid_model("input 'shape' asks for {} elements, but 'data' has {}",
                                   after.value(), before.value());
  }
  const bool keeps_list = result.size() <= 1;
  context.set_output(0, context.input_dtype(0), std::move(result));
  if (std::optional<Contents> contents = context.input_contents(0); contents && keeps_list)
    follow_elements(context, 0, context.input_dtype(0), std::move(*contents));
  return Status::ok();
}

Status evaluate_reshape(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, ints_of(context.input(1), "shape"));
  const bool allow_zero = context.int_attribute("allowzero") != 0;
  Shape shape, others;
  std::optional<size_t> open;
  for (size_t i = 0; i < wanted.size(); ++i) {
    int64_t size = wanted[i];
    if (size == 0 && !allow_zero) {
      if (i >= data.shape().size())
        return Status::invalid_argument("input 'shape' copies axis {} of an input of rank {}", i,
                                        data.rank());
      size = data.dim(i);
    } else if (size == -1) {
      if (open) return Status::invalid_argument("input 'shape' has more than one -1");
      open = i;
    } else if (size < 0) {
      return Status::invalid_argument("input 'shape' has the negative size {}", size);
    }
    shape.push_back(size);
    if (size != -1) others.push_back(size);
  }
  if (open) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t known, element_count(others));
    if (known == 0 ? data.element_count() != 0 || allow_zero : data.element_count() % known != 0)
      return Status::invalid_argument(
          "input 'shape' leaves no size for axis {}: {} elements do not divide by {}", *open,
          data.element_count(), known);
    shape[*open] = known == 0 ? 0 : data.element_count() / known;
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  if (count != data.element_count())
    return Status::invalid_argument("input 'shape' is {}, but 'data' has shape {}",
                                    to_string(shape), to_string(data.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor reshaped, data.reshaped(shape));
  context.set_output(0, std::move(reshaped));
  return Status::ok();
}

Status shape_attribute_to_input(NodeRewrite& rewrite) {
  if (!rewrite.has_attribute("shape")) return Status::invalid_model("attribute 'shape' is missing");
  SHIPWAY_RETURN_IF_ERROR(drop_consumed_inputs(rewrite));
  return move_ints_to_input(rewrite, "shape", 1);
}

// Without a zero in the shape, `allowzero` says nothing.
Status drop_allow_zero(NodeRewrite& rewrite) {
  if (rewrite.int_attribute("allowzero") != 0) {
    const Tensor* shape = rewrite.input_constant(1);
    if (!shape) return Status::unsupported("attribute 'allowzero' (1) came with opset 14");
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, to_ints(*shape));
    if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end())
      return Status::unsupported("attribute 'allowzero' (1) came with opset 14");
  }
  if (rewrite.has_attribute("allowzero")) rewrite.remove_attribute("allowzero");
  return Status::ok();
}
Status input_to_shape_attribute(NodeRewrite& rewrite) {
  return move_input_to_ints(rewrite, 1, "shape");
}

}  // namespace

const Operator& reshape_operator() {
  static const Operator definition{
      .name = "Reshape",
      .summary = "Gives the same elements another shape.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reshaped: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; shape: ints?",
                    .upgrade = shape_attribute_to_input},
                   {.since = 5,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir3",
                    .downgrade = input_to_shape_attribute},
                   {.since = 13,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir4"},
                   {.since = 14,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir4",
                    .attributes = "allowzero: int = 0",
                    .downgrade = drop_allow_zero},
                   {.since = 19,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir9",
                    .attributes = "allowzero: int = 0"},
                   {.since = 21,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir10",
                    .attributes = "allowzero: int = 0"},
                   {.since = 23,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir11",
                    .attributes = "allowzero: int = 0"},
                   {.since = 24,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir12",
                    .attributes = "allowzero: int = 0"},
                   {.since = 25,
                    .signature = "(data: T, shape: int64) -> (reshaped: T)",
                    .types = "T: all_ir13",
                    .attributes = "allowzero: int = 0"}},
      .infer = infer_reshape,
      .evaluate = evaluate_reshape,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
