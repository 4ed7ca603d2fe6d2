// GatherND: picks slices by index tuples over the leading axes.
#include "operators/elements.h"
#include "operators/indices.h"
#include "operators/operator.h"

namespace shipway {

namespace {

Status infer_gather_nd(InferContext& context) {
  const Dims *data = context.input_dims(0), *indices = context.input_dims(1);
  const int64_t batch_dims = context.int_attribute("batch_dims");
  context.set_output_dtype(0, context.input_dtype(0));
  if (!data || !indices || indices->empty() || !indices->back().is_constant()) return Status::ok();
  const int64_t skipped = batch_dims + indices->back().value();
  if (batch_dims < 0 || skipped > static_cast<int64_t>(data->size()))
    return Status::invalid_model(
        "input 'indices' has tuples of {} values after {} batch axes, but 'data' has rank {}",
        indices->back().value(), batch_dims, data->size());
  Dims result(indices->begin(), indices->end() - 1);
  result.append(std::span(data->begin() + skipped, data->end()));
  context.set_output(0, context.input_dtype(0), std::move(result));
  return Status::ok();
}

Status evaluate_gather_nd(EvaluateContext& context) {
  const Tensor &data = context.input(0), &indices = context.input(1);
  const int64_t batch_dims = context.int_attribute("batch_dims");
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> starts,
                           slice_starts(indices, data.shape(), batch_dims));
  Shape shape(indices.shape().begin(), indices.shape().end() - 1);
  int64_t slice = 1;
  for (size_t i = static_cast<size_t>(batch_dims + indices.shape().back()); i < data.shape().size();
       ++i) {
    shape.push_back(data.dim(i));
    slice *= data.dim(i);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), shape));
  int64_t to = 0;
  for (int64_t start : starts) {
    y.copy(to, x, start, slice);
    to += slice;
  }
  return y.finish(context, 0);
}

}  // namespace

const Operator& gather_nd_operator() {
  static const Operator definition{
      .name = "GatherND",
      .summary = "Picks slices by index tuples over the leading axes.",
      .versions = {{.since = 11,
                    .signature = "(data: T, indices: int64) -> (output: T)",
                    .types = "T: all_ir3"},
                   {.since = 12,
                    .signature = "(data: T, indices: int64) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "batch_dims: int = 0"},
                   {.since = 13,
                    .signature = "(data: T, indices: int64) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "batch_dims: int = 0"}},
      .infer = infer_gather_nd,
      .evaluate = evaluate_gather_nd,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
