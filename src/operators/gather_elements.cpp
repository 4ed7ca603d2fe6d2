// GatherElements: picks single elements along one axis by an index of the result's shape.
#include "operators/elements.h"
#include "operators/indices.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_gather_elements(InferContext& context) {
  if (const Dims* dims = context.input_dims(1)) {
    context.set_output(0, context.input_dtype(0), *dims);
  } else {
    context.set_output_dtype(0, context.input_dtype(0));
  }
  return Status::ok();
}

Status evaluate_gather_elements(EvaluateContext& context) {
  const Tensor &data = context.input(0), &indices = context.input(1);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), data.rank()));
  const auto axis = static_cast<size_t>(normal);
  if (indices.rank() != data.rank())
    return Status::invalid_argument("input 'indices' has rank {}, expected {}", indices.rank(),
                                    data.rank());
  for (size_t i = 0; i < data.shape().size(); ++i)
    if (i != axis && indices.dim(i) > data.dim(i))
      return Status::invalid_argument("input 'indices' has size {} at axis {}, but 'data' has {}",
                                      indices.dim(i), i, data.dim(i));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<int64_t> sources,
                           normalized_indices(indices, data.dim(axis), "indices", normal));
  Shape strides = strides_of(data.shape());
  const int64_t step = strides[axis];
  strides[axis] = 0;
  size_t position = 0;
  for (StridedWalk walk(indices.shape(), {strides}); !walk.done(); walk.next(), ++position)
    sources[position] = sources[position] * step + walk.offset(0);
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), indices.shape()));
  y.take(x, sources);
  return y.finish(context, 0);
}

}  // namespace

const Operator& gather_elements_operator() {
  static const Operator definition{
      .name = "GatherElements",
      .summary = "Picks single elements along one axis by an index of the result's shape.",
      .versions = {{.since = 11,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 13,
                    .signature = "(data: T, indices: Tind) -> (output: T)",
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0"}},
      .infer = infer_gather_elements,
      .evaluate = evaluate_gather_elements,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
