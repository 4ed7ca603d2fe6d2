// FlexAttention: attention whose scores and probabilities a subgraph may change.
//
// Y = prob_mod(softmax(score_mod(Q K^T * scale))) V
#include <algorithm>
#include <cmath>

#include "operators/loops.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_flex_attention(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  for (size_t i = 0; i < 3; ++i)
    if (const Dims* dims = context.input_dims(i); dims && dims->size() != 4)
      return Status::invalid_model("input {} has rank {}, expected 4", i, dims->size());
  const Dims *q = context.input_dims(0), *k = context.input_dims(1), *v = context.input_dims(2);
  if (!q || !k || !v) return Status::ok();
  const int64_t precision = context.int_attribute("softmax_precision");
  const DType dtype = is_valid_dtype(precision)                ? static_cast<DType>(precision)
                      : bit_width(context.input_dtype(0)) < 32 ? DType::kFloat32
                                                               : context.input_dtype(0);
  const Type scores = Type::tensor(dtype, {(*q)[0], (*q)[1], (*q)[2], (*k)[2]});
  for (const char* name : {"score_mod", "prob_mod"})
    if (const GraphId graph = context.graph_attribute(name); graph.is_valid())
      SHIPWAY_RETURN_IF_ERROR(context.infer_subgraph(graph, std::span(&scores, 1)).status());
  context.set_output(0, context.input_dtype(0), {(*q)[0], (*q)[1], (*q)[2], (*v)[3]});
  return Status::ok();
}

/// `scores` as the subgraph `name` changes them, if there is one.
Status modify(EvaluateContext& context, std::string_view name, DType dtype, const Shape& shape,
              std::vector<double>& scores) {
  const GraphId graph = context.graph_attribute(name);
  if (!graph.is_valid()) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, from_doubles(dtype, shape, scores));
  const RuntimeValue input(std::move(tensor));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> outputs,
                           context.run_subgraph(graph, std::span(&input, 1)));
  if (outputs.size() != 1 || !outputs[0].tensor() || outputs[0].tensor()->shape() != shape)
    return Status::invalid_model("subgraph '{}' gives {}, expected one tensor of shape [{}]", name,
                                 outputs.empty() ? "nothing" : to_string(outputs[0]),
                                 to_string(shape));
  SHIPWAY_ASSIGN_OR_RETURN(scores, to_doubles(*outputs[0].tensor()));
  return Status::ok();
}

Status evaluate_flex_attention(EvaluateContext& context) {
  const Tensor &query = context.input(0), &key = context.input(1), &value = context.input(2);
  if (query.rank() != 4 || key.rank() != 4 || value.rank() != 4 || key.dim(1) != value.dim(1) ||
      key.dim(2) != value.dim(2) || key.dim(3) != query.dim(3) || key.dim(1) < 1 ||
      query.dim(1) % key.dim(1) != 0 || key.dim(0) != query.dim(0) || value.dim(0) != query.dim(0))
    return Status::invalid_argument(
        "'Q' [{}], 'K' [{}] and 'V' [{}] (batch, heads, sequence, size) do not "
        "fit each other",
        to_string(query.shape()), to_string(key.shape()), to_string(value.shape()));
  const int64_t precision = context.int_attribute("softmax_precision");
  if (precision != 0 &&
      (!is_valid_dtype(precision) || kind_of(static_cast<DType>(precision)) != DTypeKind::kFloat))
    return Status::invalid_model(
        "attribute 'softmax_precision' is {}, expected the number of a float dtype", precision);
  const DType dtype = precision != 0                  ? static_cast<DType>(precision)
                      : bit_width(query.dtype()) < 32 ? DType::kFloat32
                                                      : query.dtype();
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> q, Reals<double>::of(query));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> k, Reals<double>::of(key));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> v, Reals<double>::of(value));
  const int64_t heads = query.dim(1), length = query.dim(2), keys = key.dim(2);
  const int64_t size = query.dim(3), value_size = value.dim(3), group = heads / key.dim(1);
  const double scale = context.has_attribute("scale")
                           ? static_cast<double>(context.float_attribute("scale"))
                           : 1 / std::sqrt(static_cast<double>(size));
  const Shape shape{query.dim(0), heads, length, keys};
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  std::vector<double> scores(static_cast<size_t>(count));
  const auto kv_plane = [&](int64_t plane) {
    return plane / heads * key.dim(1) + plane % heads / group;
  };
  const int64_t rows = keys == 0 ? 0 : count / keys;
  for (int64_t row = 0; row < rows; ++row) {
    if (row % length == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
    for (int64_t j = 0; j < keys; ++j) {
      const double *a = q.data() + row * size,
                   *b = k.data() + (kv_plane(row / length) * keys + j) * size;
      double sum = 0;
      for (int64_t e = 0; e < size; ++e) sum += a[e] * b[e];
      scores[static_cast<size_t>(row * keys + j)] = sum * scale;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(modify(context, "score_mod", dtype, shape, scores));
  for (int64_t row = 0; row < rows; ++row) {
    const std::span<double> own(scores.data() + row * keys, static_cast<size_t>(keys));
    const double largest = *std::max_element(own.begin(), own.end());
    double sum = 0;
    for (double& score : own) sum += score = std::exp(score - largest);
    for (double& score : own) score /= sum;
  }
  SHIPWAY_RETURN_IF_ERROR(modify(context, "prob_mod", dtype, shape, scores));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, value.dtype(),
                                                        {query.dim(0), heads, length, value_size}));
  std::fill_n(y.data(), y.size(), 0.0);
  for (int64_t row = 0; row < rows; ++row) {
    if (row % length == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
    for (int64_t j = 0; j < keys; ++j) {
      const double probability = scores[static_cast<size_t>(row * keys + j)];
      const double* from = v.data() + (kv_plane(row / length) * keys + j) * value_size;
      for (int64_t e = 0; e < value_size; ++e)
        y.data()[row * value_size + e] += probability * from[e];
    }
  }
  return y.finish(context);
}

}  // namespace

const Operator& flex_attention_operator() {
  static const Operator definition{
      .domain = "ai.onnx.preview",
      .name = "FlexAttention",
      .summary = "Attention whose scores and probabilities a subgraph may change.",
      .versions =
          {{.since = 1,
            .signature = "(Q: T1, K: T1, V: T1) -> (Y: T1)",
            .types = "T1: floats bfloat16",
            .attributes =
                "prob_mod: graph?; scale: float?; score_mod: graph?; softmax_precision: int?",
            .experimental = true}},
      .infer = infer_flex_attention,
      .evaluate = evaluate_flex_attention,
  };
  return definition;
}

}  // namespace shipway
