// Trilu: keeps the upper or lower triangle of each matrix.
#include <algorithm>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/operator.h"

namespace shipway {

namespace {

Status infer_trilu(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (dims && dims->size() < 2)
    return Status::invalid_model("input 'input' has rank {}, expected 2 or more", dims->size());
  context.set_output(0, context.input_type(0));
  return Status::ok();
}

/// Row i of a matrix keeps the columns from i + k on (upper), or up to i + k (lower); the rest
/// becomes 0.
Status evaluate_trilu(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() < 2)
    return Status::invalid_argument("input 'input' has rank {}, expected 2 or more", input.rank());
  const bool upper = context.int_attribute("upper") != 0;
  const int64_t rows = input.dim(input.shape().size() - 2), columns = input.shape().back();
  int64_t k = 0;
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(k, int_of(context.input(1), "k"));
    k = std::clamp(k, -rows - 1, columns + 1);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, input.dtype(), input.shape()));
  y.clear();
  for (int64_t start = 0; start < y.count(); start += rows * columns)
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t first = upper ? std::clamp<int64_t>(i + k, 0, columns) : 0;
      const int64_t end = upper ? columns : std::clamp<int64_t>(i + k + 1, 0, columns);
      const int64_t row = start + i * columns;
      y.copy(row + first, x, row + first, end - first);
    }
  return y.finish(context, 0);
}

// In operators of opset 13: element (i, j) stays where j - i >= k (upper) or j - i <= k.
Status expand_trilu(NodeRewrite& rewrite) {
  const ValueId x = rewrite.node().input(0);
  const auto at = [&](const char* hint, int64_t value) {
    return rewrite.add_ints(hint, std::vector<int64_t>{value});
  };
  const ValueId shape = rewrite.insert("Shape", {x});
  const ValueId zero = rewrite.add_constant("zero", Tensor::scalar(int64_t{0}));
  const ValueId one = rewrite.add_constant("one", Tensor::scalar(int64_t{1}));
  const auto positions = [&](int64_t axis, int64_t inserted) {
    const ValueId size =
        rewrite.insert("Gather", {shape, rewrite.add_constant("axis", Tensor::scalar(axis))});
    return rewrite.insert("Unsqueeze",
                          {rewrite.insert("Range", {zero, size, one}), at("axes", inserted)});
  };
  const ValueId rows = positions(-2, 1), columns = positions(-1, 0);
  ValueId distance = rewrite.insert("Sub", {columns, rows});
  if (rewrite.node().input(1).is_valid())
    distance = rewrite.insert("Sub", {distance, rewrite.node().input(1)});
  const bool upper = rewrite.int_attribute("upper") != 0;
  const ValueId kept = rewrite.insert(upper ? "GreaterOrEqual" : "LessOrEqual", {distance, zero});
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId blank, scalar_like_input(rewrite, "blank", 0));
  rewrite.replace("Where", {kept, x, blank});
  return Status::ok();
}

}  // namespace

const Operator& trilu_operator() {
  static const Operator definition{
      .name = "Trilu",
      .summary = "Keeps the upper or lower triangle of each matrix.",
      .versions = {{.since = 14,
                    .signature = "(input: T, k?: int64) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "upper: int = 1",
                    .downgrade = expand_trilu}},
      .infer = infer_trilu,
      .evaluate = evaluate_trilu,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
