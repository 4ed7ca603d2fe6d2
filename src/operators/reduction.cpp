// Reductions: many elements become one, over all or some axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

// ----------------------------------------------------------------------------------------------
// which axes

/// For each axis, whether it is reduced. No axes given: all, or none when the node says so.
Result<std::vector<bool>> reduced_axes(std::span<const int64_t> axes, int64_t rank,
                                       bool noop_with_empty_axes) {
  std::vector<bool> reduced(static_cast<size_t>(rank), axes.empty() && !noop_with_empty_axes);
  for (int64_t axis : axes) {
    SHIPWAY_ASSIGN_OR_RETURN(axis, normalize_axis(axis, rank, "an element of input 1 ('axes')"));
    if (reduced[static_cast<size_t>(axis)])
      return Status::invalid_model("input 1 ('axes') has axis {} twice", axis);
    reduced[static_cast<size_t>(axis)] = true;
  }
  return reduced;
}

/// How the elements of the input fall together.
struct Reduction {
  Shape input;
  Shape output;   // with or without the reduced axes
  Shape strides;  // of the output, along the axes of the input: 0 where reduced
  int64_t outputs = 1;
  int64_t inputs_per_output = 1;

  /// visit(position in the input, position in the output), inputs in order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    Shape rows = input, row_strides = strides;
    int64_t width = 1, step = 0;
    if (!rows.empty()) {
      width = rows.back();
      step = row_strides.back();
      rows.pop_back();
      row_strides.pop_back();
    }
    size_t in = 0;
    for (StridedWalk walk(rows, {row_strides}); !walk.done(); walk.next()) {
      auto out = static_cast<size_t>(walk.offset(0));
      for (int64_t i = 0; i < width; ++i, out += static_cast<size_t>(step)) visit(in++, out);
    }
  }
};

Result<Reduction> reduction_of(const EvaluateContext& context) {
  Reduction reduction;
  reduction.input = context.input(0).shape();
  std::vector<int64_t> axes;
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(axes, ints_of(context.input(1), "axes"));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<bool> reduced,
                           reduced_axes(axes, context.input(0).rank(),
                                        context.int_attribute("noop_with_empty_axes") != 0));
  Shape kept;  // the output's shape with the reduced axes as 1
  for (size_t i = 0; i < reduced.size(); ++i) {
    const int64_t size = reduction.input[i];
    kept.push_back(reduced[i] ? 1 : size);
    if (reduced[i]) reduction.inputs_per_output *= size;
    if (!reduced[i] || context.int_attribute("keepdims") != 0) reduction.output.push_back(kept[i]);
  }
  reduction.strides = strides_of(kept);
  for (size_t i = 0; i < reduced.size(); ++i)
    if (reduced[i]) reduction.strides[i] = 0;
  SHIPWAY_ASSIGN_OR_RETURN(reduction.outputs, element_count(kept));
  return reduction;
}

// ----------------------------------------------------------------------------------------------
// what happens to elements A rule has a start, step(so far, element) and finish(result, how many).
// Whole numbers wrap.

template <typename T>
T wrap_add(T x, T y) {
  if constexpr (std::is_same_v<T, int64_t>)
    return static_cast<T>(static_cast<uint64_t>(x) + static_cast<uint64_t>(y));
  else
    return x + y;
}
template <typename T>
T wrap_multiply(T x, T y) {
  if constexpr (std::is_same_v<T, int64_t>)
    return static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
  else
    return x * y;
}

struct SumRule {
  template <typename T>
  static T start(DType) {
    return T{0};
  }
  template <typename T>
  static T step(T sum, T x) {
    return wrap_add(sum, x);
  }
  template <typename T>
  static T finish(T sum, int64_t) {
    return sum;
  }
};
struct MeanRule : SumRule {
  template <typename T>
  static T finish(T sum, int64_t count) {
    if constexpr (!std::is_same_v<T, double>)
      if (count == 0) return T{0};
    return sum / static_cast<T>(count);
  }
};
struct L1Rule : SumRule {
  template <typename T>
  static T step(T sum, T x) {
    return wrap_add(sum, x < T{0} ? wrap_multiply(x, static_cast<T>(-1)) : x);
  }
};
struct SumSquareRule : SumRule {
  template <typename T>
  static T step(T sum, T x) {
    return wrap_add(sum, wrap_multiply(x, x));
  }
};
struct L2Rule : SumSquareRule {
  template <typename T>
  static T finish(T sum, int64_t) {
    return std::sqrt(sum);
  }
};
struct LogSumRule : SumRule {
  template <typename T>
  static T finish(T sum, int64_t) {
    return std::log(sum);
  }
};
struct ProdRule : SumRule {
  template <typename T>
  static T start(DType) {
    return T{1};
  }
  template <typename T>
  static T step(T product, T x) {
    return wrap_multiply(product, x);
  }
};
/// NaN wins, as in numpy. Of nothing: minus infinity, or the dtype's lowest.
struct MaxRule : SumRule {
  template <typename T>
  static T start(DType dtype) {
    if constexpr (std::is_same_v<T, double>)
      return -std::numeric_limits<double>::infinity();
    else if constexpr (std::is_same_v<T, int64_t>)
      return std::numeric_limits<int64_t>::min() >> (64 - bit_width(dtype));
    else
      return 0;
  }
  template <typename T>
  static T step(T best, T x) {
    return x > best || x != x ? x : best;
  }
};
struct MinRule : SumRule {
  template <typename T>
  static T start(DType dtype) {
    if constexpr (std::is_same_v<T, double>)
      return std::numeric_limits<double>::infinity();
    else if constexpr (std::is_same_v<T, int64_t>)
      return std::numeric_limits<int64_t>::max() >> (64 - bit_width(dtype));
    else
      return dtype == DType::kBool
                 ? 1
                 : std::numeric_limits<uint64_t>::max() >> (64 - bit_width(dtype));
  }
  template <typename T>
  static T step(T best, T x) {
    return x < best || x != x ? x : best;
  }
};

template <typename T, typename Rule>
Status reduce(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  SHIPWAY_ASSIGN_OR_RETURN(const Reduction reduction, reduction_of(context));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(context.input(0)));
  std::vector<T> results(static_cast<size_t>(reduction.outputs), Rule::template start<T>(dtype));
  reduction.for_each(
      [&](size_t in, size_t out) { results[out] = Rule::step(results[out], values[in]); });
  for (T& result : results) result = Rule::finish(result, reduction.inputs_per_output);
  return write_output(context, 0, dtype, reduction.output, results);
}

template <typename Rule>
Status evaluate_reduction(EvaluateContext& context) {
  switch (kind_of(context.input(0).dtype())) {
    case DTypeKind::kFloat:
      return reduce<double, Rule>(context);
    case DTypeKind::kSigned:
      return reduce<int64_t, Rule>(context);
    default:
      return reduce<uint64_t, Rule>(context);
  }
}

/// Roots and logarithms of whole numbers are taken in double and truncated.
template <typename Rule>
Status evaluate_real_reduction(EvaluateContext& context) {
  return reduce<double, Rule>(context);
}

/// log(sum exp(x)) = m + log(sum exp(x - m)) with m = max x, which cannot overflow.
Status evaluate_log_sum_exp(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Reduction reduction, reduction_of(context));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(context.input(0)));
  const auto outputs = static_cast<size_t>(reduction.outputs);
  std::vector<double> largest(outputs, -std::numeric_limits<double>::infinity()), sums(outputs, 0);
  reduction.for_each(
      [&](size_t in, size_t out) { largest[out] = MaxRule::step(largest[out], values[in]); });
  SHIPWAY_RETURN_IF_ERROR(context.poll());
  reduction.for_each(
      [&](size_t in, size_t out) { sums[out] += std::exp(values[in] - largest[out]); });
  for (size_t i = 0; i < outputs; ++i)
    sums[i] = std::isfinite(largest[i]) ? largest[i] + std::log(sums[i]) : largest[i];
  return write_output(context, 0, context.input(0).dtype(), reduction.output, sums);
}

// ----------------------------------------------------------------------------------------------
// inference

Status infer_reduction(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output_dtype(0, dtype);
  const Dims* dims = context.input_dims(0);
  if (!dims) return Status::ok();
  const bool keep = context.int_attribute("keepdims") != 0;
  std::optional<std::vector<int64_t>> axes = std::vector<int64_t>();
  if (context.has_input(1)) axes = context.input_ints(1);
  if (!axes) {  // only the rank is known, and that only when axes stay
    if (keep) context.set_output(0, dtype, Dims(dims->size()));
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<bool> reduced,
                           reduced_axes(*axes, static_cast<int64_t>(dims->size()),
                                        context.int_attribute("noop_with_empty_axes") != 0));
  Dims result;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i])
      result.push_back((*dims)[i]);
    else if (keep)
      result.push_back(1);
  }
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}

/// Also follows the elements of a 1-D input that becomes one.
template <Dim (DimTable::*f)(Dim, Dim)>
Status infer_followed_reduction(InferContext& context) {
  SHIPWAY_RETURN_IF_ERROR(infer_reduction(context));
  const Dims* dims = context.input_dims(0);
  const std::optional<Contents> contents = context.input_contents(0);
  if (!contents || contents->empty() || !dims || dims->size() != 1) return Status::ok();
  const std::optional<std::vector<int64_t>> axes =
      context.has_input(1) ? context.input_ints(1) : std::vector<int64_t>();
  if (!axes || (axes->empty() && context.int_attribute("noop_with_empty_axes") != 0))
    return Status::ok();
  Dim result = contents->front();
  for (size_t i = 1; i < contents->size(); ++i)
    result = (context.dims().*f)(result, (*contents)[i]);
  context.set_output_contents(0, {result});
  return Status::ok();
}

Status move_axes_to_input(NodeRewrite& rewrite) { return move_ints_to_input(rewrite, "axes", 1); }

constexpr std::string_view kTypesSince13 = "T: floats int32 int64 uint32 uint64 bfloat16";
constexpr std::string_view kAttributes = "keepdims: int = 1; noop_with_empty_axes: int = 0";
constexpr std::string_view kTypesReduceMaxSince13 =
    "T: floats uint8 int8 int32 int64 uint32 uint64 bfloat16";

// No axes meant all of them; version 18 (13 of ReduceSum) can also let an empty list mean none.
Status move_axes_to_attribute(NodeRewrite& rewrite) {
  const bool noop = rewrite.int_attribute("noop_with_empty_axes") != 0;
  if (rewrite.has_attribute("noop_with_empty_axes"))
    rewrite.remove_attribute("noop_with_empty_axes");
  std::vector<int64_t> axes;
  if (rewrite.node().input(1).is_valid()) {
    SHIPWAY_ASSIGN_OR_RETURN(axes, constant_ints(rewrite, 1, "axes"));
    rewrite.set_input(1, {});
  }
  if (!axes.empty()) {
    rewrite.set_attribute({"axes", std::move(axes)});
  } else if (noop) {
    return Status::unsupported("attribute 'noop_with_empty_axes' (1) came with opset {}",
                               rewrite.schema().since);
  }
  return Status::ok();
}

}  // namespace

const Operator& reduce_l1_operator() {
  static const Operator definition{
      .name = "ReduceL1",
      .summary = "Sum of absolute values over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute}},
      .infer = infer_reduction,
      .evaluate = evaluate_reduction<L1Rule>,
  };
  return definition;
}

const Operator& reduce_l2_operator() {
  static const Operator definition{
      .name = "ReduceL2",
      .summary = "Square root of the sum of squares over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute}},
      .infer = infer_reduction,
      .evaluate = evaluate_real_reduction<L2Rule>,
  };
  return definition;
}

const Operator& reduce_log_sum_operator() {
  static const Operator definition{
      .name = "ReduceLogSum",
      .summary = "Logarithm of the sum over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute},
                   {.since = 28,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_reduction,
      .evaluate = evaluate_real_reduction<LogSumRule>,
  };
  return definition;
}

const Operator& reduce_log_sum_exp_operator() {
  static const Operator definition{
      .name = "ReduceLogSumExp",
      .summary = "Logarithm of the sum of exponentials over axes, without overflow.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute},
                   {.since = 28,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_reduction,
      .evaluate = evaluate_log_sum_exp,
  };
  return definition;
}

const Operator& reduce_max_operator() {
  static const Operator definition{
      .name = "ReduceMax",
      .summary = "Largest element over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute},
                   {.since = 20,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 bool uint32 uint64 bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_followed_reduction<&DimTable::max>,
      .evaluate = evaluate_reduction<MaxRule>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& reduce_mean_operator() {
  static const Operator definition{
      .name = "ReduceMean",
      .summary = "Mean over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute}},
      .infer = infer_reduction,
      .evaluate = evaluate_reduction<MeanRule>,
  };
  return definition;
}

const Operator& reduce_min_operator() {
  static const Operator definition{
      .name = "ReduceMin",
      .summary = "Smallest element over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute},
                   {.since = 20,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 bool uint32 uint64 bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_followed_reduction<&DimTable::min>,
      .evaluate = evaluate_reduction<MinRule>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& reduce_prod_operator() {
  static const Operator definition{
      .name = "ReduceProd",
      .summary = "Product over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute}},
      .infer = infer_followed_reduction<&DimTable::mul>,
      .evaluate = evaluate_reduction<ProdRule>,
  };
  return definition;
}

const Operator& reduce_sum_operator() {
  static const Operator definition{
      .name = "ReduceSum",
      .summary = "Sum over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input,
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute}},
      .infer = infer_followed_reduction<&DimTable::add>,
      .evaluate = evaluate_reduction<SumRule>,
  };
  return definition;
}

const Operator& reduce_sum_square_operator() {
  static const Operator definition{
      .name = "ReduceSumSquare",
      .summary = "Sum of squares over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .downgrade = axes_from_front},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1",
                    .upgrade = move_axes_to_input},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes,
                    .downgrade = move_axes_to_attribute}},
      .infer = infer_reduction,
      .evaluate = evaluate_reduction<SumSquareRule>,
  };
  return definition;
}

}  // namespace shipway
