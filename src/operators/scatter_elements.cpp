// ScatterElements: writes or accumulates single elements at indexed positions along an axis.
#include <algorithm>
#include <cmath>

#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/indices.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/scatter.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(data: T, indices: Tind, updates: T) -> (output: T)";

template <typename T, typename Combine>
Status combine_updates(EvaluateContext& context, std::span<const int64_t> positions,
                       Combine&& combine) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<T> values, read_elements<T>(data));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> updates, read_elements<T>(context.input(2)));
  for (size_t i = 0; i < positions.size(); ++i) {
    T& value = values[static_cast<size_t>(positions[i])];
    value = combine(value, updates[i]);
  }
  return write_output(context, 0, data.dtype(), data.shape(), values);
}

/// The smaller (or larger) of two; NaN if either is.
template <typename T>
T lesser(T a, T b) {
  if constexpr (std::is_same_v<T, double>)
    if (std::isnan(a) || std::isnan(b)) return std::nan("");
  return b < a ? b : a;
}
template <typename T>
T greater(T a, T b) {
  if constexpr (std::is_same_v<T, double>)
    if (std::isnan(a) || std::isnan(b)) return std::nan("");
  return a < b ? b : a;
}

Status reduce_updates(EvaluateContext& context, std::span<const int64_t> positions,
                      std::string_view reduction) {
  const DType dtype = context.input(0).dtype();
  return visit_compute_type(dtype, [&]<typename T>(T) -> Status {
    if constexpr (std::is_same_v<T, std::string>) {
      return Status::unsupported("strings cannot be reduced by '{}'", reduction);
    } else {
      if (reduction == "add")
        return combine_updates<T>(context, positions, [](T a, T b) { return a + b; });
      if (reduction == "mul")
        return combine_updates<T>(context, positions, [](T a, T b) { return a * b; });
      if constexpr (std::is_same_v<T, std::complex<double>>) {
        return Status::unsupported("complex numbers have no order for '{}'", reduction);
      } else {
        if (reduction == "min") return combine_updates<T>(context, positions, lesser<T>);
        if (reduction == "max") return combine_updates<T>(context, positions, greater<T>);
        return Status::invalid_model(
            "attribute 'reduction' is '{}', expected none, add, mul, min or max", reduction);
      }
    }
  });
}

// The operator's name before version 11.
Status become_scatter(NodeRewrite& rewrite) {
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  std::vector<Attribute> attributes;
  if (rewrite.has_attribute("axis")) {
    int64_t axis = rewrite.int_attribute("axis");
    if (axis < 0) {
      SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
      axis += rank;
    }
    attributes.push_back({"axis", axis});
  }
  rewrite.replace("Scatter", {inputs.begin(), inputs.end()}, std::move(attributes));
  return Status::ok();
}

}  // namespace

Status scatter_updates(EvaluateContext& context, std::span<const int64_t> positions,
                       std::string_view reduction) {
  const Tensor &data = context.input(0), &updates = context.input(2);
  if (updates.dtype() != data.dtype())
    return Status::invalid_argument("input 'updates' is {}, expected {}",
                                    to_string(updates.dtype()), to_string(data.dtype()));
  if (!reduction.empty() && reduction != "none")
    return reduce_updates(context, positions, reduction);
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output_copy(context, 0, data));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements from, Elements::of(updates));
  for (size_t i = 0; i < positions.size(); ++i) y.copy(positions[i], from, static_cast<int64_t>(i));
  return y.finish(context, 0);
}

Status infer_scatter_elements(InferContext& context) {
  context.set_output(0, context.input_type(0));
  return Status::ok();
}

Status evaluate_scatter_elements(EvaluateContext& context) {
  const Tensor &data = context.input(0), &indices = context.input(1), &updates = context.input(2);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), data.rank()));
  const auto axis = static_cast<size_t>(normal);
  if (updates.shape() != indices.shape() || indices.rank() != data.rank())
    return Status::invalid_argument(
        "inputs 'indices' ({}) and 'updates' ({}) must have one shape, of the rank of 'data' ({})",
        to_string(indices.shape()), to_string(updates.shape()), to_string(data.shape()));
  for (size_t i = 0; i < data.shape().size(); ++i)
    if (i != axis && indices.dim(i) > data.dim(i))
      return Status::invalid_argument("input 'indices' has size {} at axis {}, but 'data' has {}",
                                      indices.dim(i), i, data.dim(i));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<int64_t> positions,
                           normalized_indices(indices, data.dim(axis), "indices", normal));
  Shape strides = strides_of(data.shape());
  const int64_t step = strides[axis];
  strides[axis] = 0;
  size_t i = 0;
  for (StridedWalk walk(indices.shape(), {strides}); !walk.done(); walk.next(), ++i)
    positions[i] = positions[i] * step + walk.offset(0);
  return scatter_updates(context, positions, context.string_attribute("reduction"));
}

const Operator& scatter_elements_operator() {
  static const Operator definition{
      .name = "ScatterElements",
      .summary = "Writes or accumulates single elements at indexed positions along an axis.",
      .versions = {{.since = 11,
                    .signature = kSignature,
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0",
                    .downgrade = become_scatter},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0"},
                   {.since = 16,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0; reduction: string = 'none'"},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axis: int = 0; reduction: string = 'none'",
                    .downgrade = refuse_max_and_min}},
      .infer = infer_scatter_elements,
      .evaluate = evaluate_scatter_elements,
      .accuracy = Accuracy::rounding(),
  };
  return definition;
}

}  // namespace shipway
