// FeatureVectorizer: joins tensors of different widths into one row of features.
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_feature_vectorizer(InferContext& context) {
  Dim total = 0, rows;
  for (int64_t width : context.ints_attribute("inputdimensions"))
    total = context.dims().add(total, width);
  if (const Dims* x = context.input_dims(0)) rows = x->size() == 1 ? Dim(1) : (*x)[0];
  context.set_output(0, DType::kFloat32, {rows, total});
  return Status::ok();
}

/// Rows of all inputs side by side, each cut or filled with zeros to the width that
/// `inputdimensions` says; a vector is one row.
Status evaluate_feature_vectorizer(EvaluateContext& context) {
  const std::span<const int64_t> widths = context.ints_attribute("inputdimensions");
  if (widths.size() != context.input_count())
    return Status::invalid_model(
        "attribute 'inputdimensions' has {} numbers, expected one for each of {} inputs",
        widths.size(), context.input_count());
  const auto rows_of = [](const Tensor& x) { return x.rank() == 1 ? 1 : x.dim(0); };
  std::vector<std::vector<double>> inputs;
  int64_t rows = -1, total = 0;
  for (size_t i = 0; i < widths.size(); ++i) {
    const Tensor& x = context.input(i);
    if (x.rank() != 1 && x.rank() != 2)
      return Status::invalid_argument("input {} has shape {}, expected [rows, features]", i,
                                      to_string(x.shape()));
    if (rows >= 0 && rows_of(x) != rows)
      return Status::invalid_argument("input {} has {} rows, expected {} as input 0", i, rows_of(x),
                                      rows);
    if (widths[i] < 0)
      return Status::invalid_model("attribute 'inputdimensions' has the element {}", widths[i]);
    rows = rows_of(x);
    total += widths[i];
    SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(x));
    inputs.push_back(std::move(values));
  }
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kFloat64, {rows, total}).status());
  std::vector<double> results;
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const int64_t own = context.input(i).shape().back();
      for (int64_t k = 0; k < widths[i]; ++k)
        results.push_back(k < own ? inputs[i][static_cast<size_t>(row * own + k)] : 0.0);
    }
  }
  return write_output(context, 0, DType::kFloat32, {rows, total}, results);
}

}  // namespace

const Operator& feature_vectorizer_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "FeatureVectorizer",
      .summary = "Joins tensors of different widths into one row of features.",
      .versions = {{.since = 1,
                    .signature = "(X...: T1) -> (Y: float)",
                    .types = "T1: float int32 int64 double",
                    .attributes = "inputdimensions: ints?"}},
      .infer = infer_feature_vectorizer,
      .evaluate = evaluate_feature_vectorizer,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
