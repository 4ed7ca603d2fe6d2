// ArrayFeatureExtractor: picks columns of the last axis.
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_feature_extractor(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output_dtype(0, dtype);
  const Dims *x = context.input_dims(0), *y = context.input_dims(1);
  if (!x || x->empty()) return Status::ok();
  Dims dims;
  if (x->size() == 1) dims.push_back(1);
  for (size_t i = 0; i + 1 < x->size(); ++i) dims.push_back((*x)[i]);
  Dim picked = y ? Dim(1) : Dim();
  for (size_t i = 0; y && i < y->size(); ++i) picked = context.dims().mul(picked, (*y)[i]);
  dims.push_back(picked);
  context.set_output(0, dtype, std::move(dims));
  return Status::ok();
}

/// Columns of the last axis, by number; a vector counts as one row.
Status evaluate_feature_extractor(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() == 0)
    return Status::invalid_argument("input 0 is a scalar, expected at least one axis");
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> columns, to_ints(context.input(1)));
  const int64_t width = x.shape().back();
  for (int64_t column : columns)
    if (column < 0 || column >= width)
      return Status::invalid_argument("input 1 has the index {}, expected 0 to {}", column,
                                      width - 1);
  Shape shape;
  int64_t rows = 1;
  if (x.rank() == 1) shape.push_back(1);
  for (size_t i = 0; i + 1 < x.shape().size(); ++i) {
    shape.push_back(x.dim(i));
    rows *= x.dim(i);
  }
  shape.push_back(static_cast<int64_t>(columns.size()));
  SHIPWAY_RETURN_IF_ERROR(element_count(shape).status());
  std::vector<int64_t> sources;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column : columns) sources.push_back(row * width + column);
  SHIPWAY_ASSIGN_OR_RETURN(Tensor result, take_elements(context, x, shape, sources));
  context.set_output(0, std::move(result));
  return Status::ok();
}

}  // namespace

const Operator& array_feature_extractor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "ArrayFeatureExtractor",
      .summary = "Picks columns of the last axis.",
      .versions = {{.since = 1,
                    .signature = "(X: T, Y: int64) -> (Z: T)",
                    .types = "T: float int32 int64 string double"}},
      .infer = infer_feature_extractor,
      .evaluate = evaluate_feature_extractor,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
