// Shape: shape of a tensor as a list of integers.
#include <algorithm>
#include <limits>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/operator.h"

namespace shipway {

namespace {

/// First and last (not included) axis that `start` and `end` mean; both are clamped, never refused.
std::pair<int64_t, int64_t> axis_range(const AttributeReader& node, int64_t rank) {
  const auto clamp = [rank](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const int64_t start = clamp(node.int_attribute("start"));
  const int64_t end = node.has_attribute("end") ? clamp(node.int_attribute("end")) : rank;
  return {start, std::max(start, end)};
}

Status infer_shape(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output(0, DType::kInt64, {Dim::unknown()});
    return Status::ok();
  }
  const auto [start, end] = axis_range(context, static_cast<int64_t>(dims->size()));
  context.set_output(0, DType::kInt64, {end - start});
  follow_elements(context, 0, DType::kInt64, Contents(dims->begin() + start, dims->begin() + end));
  return Status::ok();
}

Status evaluate_shape(EvaluateContext& context) {
  const Shape& shape = context.input(0).shape();
  const auto [start, end] = axis_range(context, static_cast<int64_t>(shape.size()));
  context.set_output(0, Tensor::vector(std::span(shape.begin() + start, shape.begin() + end)));
  return Status::ok();
}

// A part of the shape is cut out of the whole.
Status downgrade_15(NodeRewrite& rewrite) {
  const int64_t start = rewrite.int_attribute("start");
  if (start == 0 && !rewrite.has_attribute("end")) {
    if (rewrite.has_attribute("start")) rewrite.remove_attribute("start");
    return Status::ok();
  }
  const int64_t end = rewrite.has_attribute("end") ? rewrite.int_attribute("end")
                                                   : std::numeric_limits<int32_t>::max();
  const ValueId shape = rewrite.insert("Shape", {rewrite.node().input(0)});
  const ValueId from = rewrite.add_ints("start", std::vector<int64_t>{start});
  const ValueId to = rewrite.add_ints("end", std::vector<int64_t>{end});
  rewrite.replace("Slice", {shape, from, to});
  return Status::ok();
}

}  // namespace

const Operator& shape_operator() {
  static const Operator definition{
      .name = "Shape",
      .summary = "Shape of a tensor as a list of integers.",
      .versions =
          {{.since = 1, .signature = "(data: T) -> (shape: T1)", .types = "T: all_ir3; T1: int64"},
           {.since = 13, .signature = "(data: T) -> (shape: T1)", .types = "T: all_ir4; T1: int64"},
           {.since = 15,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir4; T1: int64",
            .attributes = "end: int?; start: int = 0",
            .downgrade = downgrade_15},
           {.since = 19,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir9; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 21,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir10; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 23,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir11; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 24,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir12; T1: int64",
            .attributes = "end: int?; start: int = 0"},
           {.since = 25,
            .signature = "(data: T) -> (shape: T1)",
            .types = "T: all_ir13; T1: int64",
            .attributes = "end: int?; start: int = 0"}},
      .infer = infer_shape,
      .evaluate = evaluate_shape,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
