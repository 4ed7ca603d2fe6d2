// Clip: keeps every element between a lower and an upper bound.
#include <cmath>
#include <limits>

#include "operators/downgrade_steps.h"
#include "operators/find_dtype.h"
#include "operators/loops.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

Status infer_clip(InferContext& context) {
  context.set_output(0, context.input_type(0));
  std::optional<Contents> contents = context.input_contents(0);
  if (!contents) return Status::ok();
  for (size_t i : {size_t{1}, size_t{2}}) {
    if (!context.has_input(i)) continue;
    const std::optional<Contents> bound = context.input_contents(i);
    if (!bound || bound->size() != 1) return Status::ok();
    for (Dim& dim : *contents)
      dim = i == 1 ? context.dims().max(dim, bound->front())
                   : context.dims().min(dim, bound->front());
  }
  context.set_output_contents(0, std::move(*contents));
  return Status::ok();
}

template <typename T>
Result<std::optional<T>> read_bound(const EvaluateContext& context, size_t i,
                                    std::string_view name) {
  if (!context.has_input(i)) return std::optional<T>();
  if (context.input(i).element_count() != 1)
    return Status::invalid_argument("input {} ('{}') has shape {}, expected a scalar", i, name,
                                    to_string(context.input(i).shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(context.input(i)));
  return std::optional<T>(values[0]);
}

/// min(max(x, low), high): where low > high, everything is high. NaN stays.
template <typename T>
Status clip(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<T> low, read_bound<T>(context, 1, "min"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<T> high, read_bound<T>(context, 2, "max"));
  const T least = low.value_or(std::is_same_v<T, double> ? -std::numeric_limits<T>::infinity()
                                                         : std::numeric_limits<T>::lowest());
  const T most = high.value_or(std::is_same_v<T, double> ? std::numeric_limits<T>::infinity()
                                                         : std::numeric_limits<T>::max());
  return map_elements<T>(context, context.input(0).dtype(), [=](T x) {
    const T raised = x < least ? least : x;
    return raised > most ? most : raised;
  });
}

Status evaluate_clip(EvaluateContext& context) {
  switch (kind_of(context.input(0).dtype())) {
    case DTypeKind::kFloat:
      return clip<double>(context);
    case DTypeKind::kSigned:
      return clip<int64_t>(context);
    default:
      return clip<uint64_t>(context);
  }
}

/// Version 1 has no bound where it names none; version 6 has the largest finite float.
Status upgrade_clip_1(NodeRewrite& rewrite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (!rewrite.has_attribute("min")) rewrite.set_attribute({"min", -kInfinity});
  if (!rewrite.has_attribute("max")) rewrite.set_attribute({"max", kInfinity});
  return drop_consumed_inputs(rewrite);
}

Status upgrade_clip_6(NodeRewrite& rewrite) {
  for (size_t i : {size_t{1}, size_t{2}}) {
    const std::string name = i == 1 ? "min" : "max";
    const float bound = rewrite.float_attribute(name);
    if (!std::isinf(bound)) {
      SHIPWAY_ASSIGN_OR_RETURN(const ValueId value, add_scalar_like(rewrite, 0, name, bound));
      rewrite.set_input(i, value);
    }
    if (rewrite.has_attribute(name)) rewrite.remove_attribute(name);
  }
  return Status::ok();
}

constexpr std::string_view kSignature = "(input: T, min?: T, max?: T) -> (output: T)";

// Bounds that are constants become attributes; others a Max and a Min.
Status downgrade_clip_11(NodeRewrite& rewrite) {
  const ValueId low = rewrite.node().input(1), high = rewrite.node().input(2);
  const bool computed = (low.is_valid() && !rewrite.input_constant(1)) ||
                        (high.is_valid() && !rewrite.input_constant(2));
  if (computed) {
    ValueId x = rewrite.node().input(0);
    if (!high.is_valid()) {
      rewrite.replace("Max", {x, low});
      return Status::ok();
    }
    if (low.is_valid()) x = rewrite.insert("Max", {x, low});
    rewrite.replace("Min", {x, high});
    return Status::ok();
  }
  // Without a bound nothing is cut off, infinities included.
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<float> least, constant_float(rewrite, 1, "min"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<float> most, constant_float(rewrite, 2, "max"));
  rewrite.set_attribute({"min", least.value_or(-kInfinity)});
  rewrite.set_attribute({"max", most.value_or(kInfinity)});
  rewrite.set_input(1, {});
  rewrite.set_input(2, {});
  return Status::ok();
}

}  // namespace

const Operator& clip_operator() {
  static const Operator definition{
      .name = "Clip",
      .summary = "Keeps every element between a lower and an upper bound.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; max: float?; min: float?",
                    .upgrade = upgrade_clip_1},
                   {.since = 6,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "max: float = 3.4028235e+38; min: float = -3.4028235e+38",
                    .upgrade = upgrade_clip_6},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T: floats",
                    .downgrade = downgrade_clip_11},
                   {.since = 12, .signature = kSignature, .types = "T: numeric"},
                   {.since = 13, .signature = kSignature, .types = "T: numeric bfloat16"}},
      .infer = infer_clip,
      .evaluate = evaluate_clip,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
