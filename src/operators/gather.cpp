// Gather: picks slices along one axis by index.
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/indices.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_gather(InferContext& context) {
  const Dims *data = context.input_dims(0), *indices = context.input_dims(1);
  const DType dtype = context.input_dtype(0);
  if (!data || !indices) {
    context.set_output_dtype(0, dtype);
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(context.int_attribute("axis"),
                                                              static_cast<int64_t>(data->size())));
  Dims result(data->begin(), data->begin() + axis);
  result.append(*indices);
  result.append(std::span(data->begin() + axis + 1, data->end()));
  const bool is_list = result.size() <= 1;
  context.set_output(0, dtype, std::move(result));
  const std::optional<Contents> elements = context.input_contents(0);
  const std::optional<std::vector<int64_t>> chosen = context.input_ints(1);
  if (!is_list || data->size() != 1 || !elements || !chosen) return Status::ok();
  Contents taken;
  for (int64_t index : *chosen) {
    SHIPWAY_ASSIGN_OR_RETURN(
        const int64_t at,
        normalize_index(index, static_cast<int64_t>(elements->size()), "indices", 0));
    taken.push_back((*elements)[static_cast<size_t>(at)]);
  }
  follow_elements(context, 0, dtype, std::move(taken));
  return Status::ok();
}

Status evaluate_gather(EvaluateContext& context) {
  const Tensor &data = context.input(0), &indices = context.input(1);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), data.rank()));
  const auto axis = static_cast<size_t>(normal);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> chosen,
                           normalized_indices(indices, data.dim(axis), "indices", normal));
  Shape shape(data.shape().begin(), data.shape().begin() + normal);
  shape.append(indices.shape());
  shape.append(std::span(data.shape().begin() + normal + 1, data.shape().end()));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), shape));
  if (y.count() == 0) return y.finish(context, 0);
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < axis; ++i) outer *= data.dim(i);
  for (size_t i = axis + 1; i < data.shape().size(); ++i) inner *= data.dim(i);
  int64_t to = 0;
  if (inner == 1 && outer == 1) {
    y.take(x, chosen);
    return y.finish(context, 0);
  }
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t index : chosen) {
      y.copy(to, x, (i * data.dim(axis) + index) * inner, inner);
      to += inner;
    }
  return y.finish(context, 0);
}

}  // namespace

const Operator& gather_operator() {
  static const Operator definition{
      .name = "Gather",
      .summary = "Picks slices along one axis by index.",
      .versions = {{.since = 1,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 11,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0",
                    .downgrade = axis_from_front},
                   {.since = 13,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0"}},
      .infer = infer_gather,
      .evaluate = evaluate_gather,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
