// Where along an axis the largest or smallest element stands.
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

Status infer_arg(InferContext& context) {
  context.set_output_dtype(0, DType::kInt64);
  const Dims* dims = context.input_dims(0);
  if (!dims) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(context.int_attribute("axis"),
                                                              static_cast<int64_t>(dims->size())));
  Dims result;
  for (size_t i = 0; i < dims->size(); ++i) {
    if (i != static_cast<size_t>(axis))
      result.push_back((*dims)[i]);
    else if (context.int_attribute("keepdims") != 0)
      result.push_back(1);
  }
  context.set_output(0, DType::kInt64, std::move(result));
  return Status::ok();
}

/// The first (or last) best along the axis; NaN counts as the best, as in numpy.
template <typename T, bool kMax>
Status find_best(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"), data.rank()));
  const bool last = context.int_attribute("select_last_index") != 0;
  const auto [outer, size, inner] = Lines::along(data.shape(), axis);
  Shape shape;
  for (int64_t i = 0; i < data.rank(); ++i) {
    if (i != axis)
      shape.push_back(data.dim(static_cast<size_t>(i)));
    else if (context.int_attribute("keepdims") != 0)
      shape.push_back(1);
  }
  if (size == 0 && outer > 0)
    return Status::invalid_argument("input 0 has no elements along axis {}: there is no best one",
                                    axis);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(data));
  std::vector<int64_t> results;
  results.reserve(static_cast<size_t>(outer * inner));
  const auto better = [last](T x, T best) {
    if constexpr (std::is_same_v<T, double>)
      if (std::isnan(x) || std::isnan(best)) return std::isnan(x) && (last || !std::isnan(best));
    if (last && x == best) return true;
    return kMax ? x > best : x < best;
  };
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      const T* line = values.data() + o * size * inner + i;
      int64_t best = 0;
      for (int64_t k = 1; k < size; ++k)
        if (better(line[k * inner], line[best * inner])) best = k;
      results.push_back(best);
    }
  }
  return write_output(context, 0, DType::kInt64, shape, results);
}

template <bool kMax>
Status evaluate_arg(EvaluateContext& context) {
  switch (kind_of(context.input(0).dtype())) {
    case DTypeKind::kFloat:
      return find_best<double, kMax>(context);
    case DTypeKind::kSigned:
      return find_best<int64_t, kMax>(context);
    default:
      return find_best<uint64_t, kMax>(context);
  }
}

constexpr std::string_view kAttributes =
    "axis: int = 0; keepdims: int = 1; select_last_index: int = 0";

}  // namespace

const Operator& arg_max_operator() {
  static const Operator definition{
      .name = "ArgMax",
      .summary = "Position of the largest element along an axis.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1",
                    .downgrade = axis_from_front},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_arg,
      .evaluate = evaluate_arg<true>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& arg_min_operator() {
  static const Operator definition{
      .name = "ArgMin",
      .summary = "Position of the smallest element along an axis.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1",
                    .downgrade = axis_from_front},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_arg,
      .evaluate = evaluate_arg<false>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
