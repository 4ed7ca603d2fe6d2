// CDist of ONNX Runtime: the distance of every row of one matrix from every row of another, as
// converters of nearest-neighbour models write it.
#include <cmath>

#include "base/text.h"
#include "operators/contents.h"
#include "operators/loops.h"

namespace shipway {
namespace {

Status infer_cdist(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output_dtype(0, dtype);
  const Dims *a = context.input_dims(0), *b = context.input_dims(1);
  if (!a || !b) return Status::ok();
  if (a->size() != 2 || b->size() != 2)
    return Status::invalid_model("'A' and 'B' have ranks {} and {}, expected 2", a->size(),
                                 b->size());
  SHIPWAY_RETURN_IF_ERROR(
      agreeing_dim((*a)[1], (*b)[1], "the numbers of columns of 'A' and 'B'").status());
  context.set_output(0, dtype, {(*a)[0], (*b)[0]});
  return Status::ok();
}

Status evaluate_cdist(EvaluateContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  if (a.rank() != 2 || b.rank() != 2 || a.dim(1) != b.dim(1))
    return Status::invalid_argument(
        "'A' is [{}] and 'B' [{}], expected two matrices with as many columns",
        to_string(a.shape()), to_string(b.shape()));
  const std::string& metric = context.string_attribute("metric");
  if (metric != "euclidean" && metric != "sqeuclidean")
    return Status::invalid_model("attribute 'metric' is {}, expected euclidean or sqeuclidean",
                                 quoted(metric));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> x, to_doubles(a));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> y, to_doubles(b));
  const Shape shape{a.dim(0), b.dim(0)};
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  const auto width = static_cast<size_t>(a.dim(1));
  std::vector<double> distances;
  distances.reserve(static_cast<size_t>(count));
  for (size_t i = 0; i < static_cast<size_t>(shape[0]); ++i) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    for (size_t j = 0; j < static_cast<size_t>(shape[1]); ++j) {
      double sum = 0;
      for (size_t k = 0; k < width; ++k) {
        const double apart = x[i * width + k] - y[j * width + k];
        sum += apart * apart;
      }
      distances.push_back(metric == "euclidean" ? std::sqrt(sum) : sum);
    }
  }
  return write_output(context, 0, a.dtype(), shape, distances);
}

}  // namespace

const Operator& microsoft_cdist_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "CDist",
      .summary = "Distances of the rows of one matrix from those of another.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: float double",
                    .attributes = "metric: string = 'sqeuclidean'"}},
      .infer = infer_cdist,
      .evaluate = evaluate_cdist,
  };
  return definition;
}

}  // namespace shipway
