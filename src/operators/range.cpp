// Range: numbers from start to limit in equal steps.
#include <array>
#include <cmath>
#include <cstdlib>

#include "operators/contents.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

/// max(ceil((limit - start) / delta), 0), for whole numbers.
Result<int64_t> integer_count(int64_t start, int64_t limit, int64_t delta) {
  if (delta == 0) return Status::invalid_argument("input 'delta' is 0");
  if (delta > 0 ? start >= limit : start <= limit) return int64_t{0};
  // Distances of int64 numbers fit in uint64_t.
  const uint64_t distance = delta > 0 ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start)
                                      : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
  const uint64_t step =
      delta > 0 ? static_cast<uint64_t>(delta) : uint64_t{0} - static_cast<uint64_t>(delta);
  const uint64_t count = (distance - 1) / step + 1;
  if (count > static_cast<uint64_t>(INT64_MAX))
    return Status::invalid_argument("the range has {} elements, too many", count);
  return static_cast<int64_t>(count);
}

Result<int64_t> float_count(double start, double limit, double delta) {
  if (delta == 0) return Status::invalid_argument("input 'delta' is 0");
  const double count = std::ceil((limit - start) / delta);
  if (std::isnan(count) || count > 9e18)
    return Status::invalid_argument("a range from {} to {} by {} has no length", start, limit,
                                    delta);
  return count > 0 ? static_cast<int64_t>(count) : int64_t{0};
}

bool is_integer(DType dtype) {
  return kind_of(dtype) == DTypeKind::kSigned || kind_of(dtype) == DTypeKind::kUnsigned;
}

Status infer_range(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output(0, dtype, {Dim::unknown()});
  if (is_integer(dtype)) {
    std::array<Dim, 3> bounds;
    for (size_t i = 0; i < 3; ++i) {
      const std::optional<Contents> contents = context.input_contents(i);
      if (!contents || contents->size() != 1) return Status::ok();
      bounds[i] = (*contents)[0];
    }
    const auto [start, limit, delta] = bounds;
    if (!delta.is_constant()) return Status::ok();
    if (!start.is_constant() || !limit.is_constant()) {
      DimTable& table = context.dims();
      if (delta == Dim(0)) return Status::invalid_model("input 'delta' is 0");
      const Dim length = delta.value() > 0 ? table.sub(limit, start) : table.sub(start, limit);
      const Dim count = table.max(divide_up(table, length, std::abs(delta.value())), 0);
      context.set_output(0, dtype, {count});
      return Status::ok();
    }
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t count,
                             integer_count(start.value(), limit.value(), delta.value()));
    context.set_output(0, dtype, {count});
    if (count > kMaxFollowed) return Status::ok();
    Contents elements;
    for (int64_t i = 0; i < count; ++i) elements.push_back(start.value() + i * delta.value());
    follow_elements(context, 0, dtype, std::move(elements));
    return Status::ok();
  }
  std::array<double, 3> bounds{};
  for (size_t i = 0; i < 3; ++i) {
    const Tensor* constant = context.input_constant(i);
    if (!constant || constant->element_count() != 1) return Status::ok();
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> value, to_doubles(*constant));
    bounds[i] = value[0];
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, float_count(bounds[0], bounds[1], bounds[2]));
  context.set_output(0, dtype, {count});
  return Status::ok();
}

/// Element i is start + i * delta, not a running sum.
template <typename T>
Status fill_range(EvaluateContext& context, int64_t count, T start, T delta) {
  const DType dtype = context.input(0).dtype();
  SHIPWAY_RETURN_IF_ERROR(
      context.allocate(dtype, {count}).status());  // the limits, before the list
  std::vector<T> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = start + static_cast<T>(i) * delta;
  return write_output(context, 0, dtype, {count}, values);
}

Status evaluate_range(EvaluateContext& context) {
  constexpr std::array<std::string_view, 3> kNames = {"start", "limit", "delta"};
  for (size_t i = 0; i < 3; ++i)
    if (context.input(i).element_count() != 1)
      return Status::invalid_argument("input '{}' has {} elements, expected one", kNames[i],
                                      context.input(i).element_count());
  if (is_integer(context.input(0).dtype())) {
    std::array<int64_t, 3> bounds{};
    for (size_t i = 0; i < 3; ++i) {
      SHIPWAY_ASSIGN_OR_RETURN(bounds[i], int_of(context.input(i), kNames[i]));
    }
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, integer_count(bounds[0], bounds[1], bounds[2]));
    return fill_range(context, count, bounds[0], bounds[2]);
  }
  std::array<double, 3> bounds{};
  for (size_t i = 0; i < 3; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> value, to_doubles(context.input(i)));
    bounds[i] = value[0];
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, float_count(bounds[0], bounds[1], bounds[2]));
  return fill_range(context, count, bounds[0], bounds[2]);
}

}  // namespace

const Operator& range_operator() {
  static const Operator definition{
      .name = "Range",
      .summary = "Numbers from start to limit in equal steps.",
      .versions = {{.since = 11,
                    .signature = "(start: T, limit: T, delta: T) -> (output: T)",
                    .types = "T: float int16 int32 int64 double"},
                   {.since = 27,
                    .signature = "(start: T, limit: T, delta: T) -> (output: T)",
                    .types = "T: floats int16 int32 int64 bfloat16",
                    .attributes = "stash_type: int = 1"}},
      .infer = infer_range,
      .evaluate = evaluate_range,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
