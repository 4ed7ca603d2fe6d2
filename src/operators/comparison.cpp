// Comparisons of two tensors, with broadcasting.
#include <functional>

#include "operators/broadcast_upgrade.h"
#include "operators/follow_binary.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// Output 0 [bool] = compare(input 0, input 1). NaN is unequal to everything and neither less nor
/// greater.
template <typename Compare>
Status evaluate_comparison(EvaluateContext& context) {
  return visit_compute_type(context.input(0).dtype(), [&](auto type) -> Status {
    using T = decltype(type);
    if constexpr (std::is_same_v<T, std::complex<double>>)
      return Status::invalid_argument("complex numbers are not compared");
    else
      return zip_elements<T>(context, DType::kBool,
                             [](const T& x, const T& y) { return Compare()(x, y); });
  });
}

// What is known of comparisons of sizes: 1, 0 or unknown.
Dim equal_dims(DimTable& dims, Dim x, Dim y) {
  if (x.is_unknown() || y.is_unknown()) return Dim::unknown();
  if (x == y) return 1;
  const Dim difference = dims.sub(x, y);
  if (difference.is_unknown()) return difference;
  const DimRange range = dims.range(difference);
  return range.low > 0 || range.high < 0 ? Dim(0) : Dim::unknown();
}
Dim less_dims(DimTable& dims, Dim x, Dim y) {
  if (x.is_unknown() || y.is_unknown()) return Dim::unknown();
  const Dim difference = dims.sub(y, x);
  if (difference.is_unknown()) return difference;
  const DimRange range = dims.range(difference);
  return range.low > 0 ? Dim(1) : range.high <= 0 ? Dim(0) : Dim::unknown();
}
Dim greater_dims(DimTable& dims, Dim x, Dim y) { return less_dims(dims, y, x); }
Dim not_dim(Dim x) { return x.is_constant() ? Dim(1 - x.value()) : Dim::unknown(); }
Dim less_or_equal_dims(DimTable& dims, Dim x, Dim y) { return not_dim(less_dims(dims, y, x)); }
Dim greater_or_equal_dims(DimTable& dims, Dim x, Dim y) { return not_dim(less_dims(dims, x, y)); }

template <Dim (*f)(DimTable&, Dim, Dim)>
Status infer_comparison(InferContext& context) {
  SHIPWAY_RETURN_IF_ERROR(infer_broadcast_to_bool(context));
  follow_elementwise(context, f);
  return Status::ok();
}

// Not the same as "not less": both are false beside a NaN.
Status expand_or_equal(NodeRewrite& rewrite) {
  const ValueId a = rewrite.node().input(0), b = rewrite.node().input(1);
  const bool greater = rewrite.node().op_type() == "GreaterOrEqual";
  rewrite.replace("Or", {rewrite.insert(greater ? "Greater" : "Less", {a, b}),
                         rewrite.insert("Equal", {a, b})});
  return Status::ok();
}

}  // namespace

const Operator& equal_operator() {
  static const Operator definition{
      .name = "Equal",
      .summary = "True where two elements are the same, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: int32 int64 bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: int32 int64 bool; T1: bool",
                    .downgrade = downgrade_broadcast_either_way},
                   {.since = 11,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bool; T1: bool"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bool bfloat16; T1: bool"},
                   {.since = 19,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric string bool bfloat16; T1: bool"}},
      .infer = infer_comparison<equal_dims>,
      .evaluate = evaluate_comparison<std::equal_to<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& greater_operator() {
  static const Operator definition{
      .name = "Greater",
      .summary = "True where the first operand is larger, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: floats; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: floats; T1: bool",
                    .downgrade = downgrade_broadcast},
                   {.since = 9,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric; T1: bool"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bfloat16; T1: bool"}},
      .infer = infer_comparison<greater_dims>,
      .evaluate = evaluate_comparison<std::greater<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& greater_or_equal_operator() {
  static const Operator definition{
      .name = "GreaterOrEqual",
      .summary = "True where the first operand is not smaller, broadcasting.",
      .versions = {{.since = 12,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric; T1: bool",
                    .downgrade = expand_or_equal},
                   {.since = 16,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bfloat16; T1: bool"}},
      .infer = infer_comparison<greater_or_equal_dims>,
      .evaluate = evaluate_comparison<std::greater_equal<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& less_operator() {
  static const Operator definition{
      .name = "Less",
      .summary = "True where the first operand is smaller, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: floats; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: floats; T1: bool",
                    .downgrade = downgrade_broadcast},
                   {.since = 9,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric; T1: bool"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bfloat16; T1: bool"}},
      .infer = infer_comparison<less_dims>,
      .evaluate = evaluate_comparison<std::less<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& less_or_equal_operator() {
  static const Operator definition{
      .name = "LessOrEqual",
      .summary = "True where the first operand is not larger, broadcasting.",
      .versions = {{.since = 12,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric; T1: bool",
                    .downgrade = expand_or_equal},
                   {.since = 16,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: numeric bfloat16; T1: bool"}},
      .infer = infer_comparison<less_or_equal_dims>,
      .evaluate = evaluate_comparison<std::less_equal<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
