// Arithmetic of two tensors, and of any number of them (Max, Mean, Min, Sum), with broadcasting.
#include <algorithm>
#include <cmath>

#include "operators/broadcast_upgrade.h"
#include "operators/follow_binary.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

// Whole numbers of any width and sign: sums, differences and products in uint64_t have the right
// low bits.
double add(double x, double y) { return x + y; }
uint64_t add_whole(uint64_t x, uint64_t y) { return x + y; }
double subtract(double x, double y) { return x - y; }
uint64_t subtract_whole(uint64_t x, uint64_t y) { return x - y; }
double multiply(double x, double y) { return x * y; }
uint64_t multiply_whole(uint64_t x, uint64_t y) { return x * y; }

template <double (*real)(double, double), uint64_t (*whole)(uint64_t, uint64_t)>
Status evaluate_wrapping(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  if (kind_of(dtype) == DTypeKind::kFloat)
    return zip_elements<double>(context, dtype, [](double x, double y) { return real(x, y); });
  return zip_elements<uint64_t>(context, dtype, [](uint64_t x, uint64_t y) { return whole(x, y); });
}

/// No element of a divisor of whole numbers may be zero.
Status check_divisor(const Tensor& divisor) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<uint64_t> values, to_uints(divisor));
  const auto zero = std::find(values.begin(), values.end(), 0);
  if (zero == values.end()) return Status::ok();
  return Status::invalid_argument(
      "input 1 ('B') is 0 at position {}; whole numbers cannot be divided by it",
      zero - values.begin());
}

int64_t divide(int64_t x, int64_t y) {  // rounds towards zero; the lowest number by -1 wraps
  return y == -1 ? static_cast<int64_t>(uint64_t{0} - static_cast<uint64_t>(x)) : x / y;
}

Status evaluate_div(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  if (kind_of(dtype) == DTypeKind::kFloat)
    return zip_elements<double>(context, dtype, [](double x, double y) { return x / y; });
  SHIPWAY_RETURN_IF_ERROR(check_divisor(context.input(1)));
  if (kind_of(dtype) == DTypeKind::kSigned) return zip_elements<int64_t>(context, dtype, divide);
  return zip_elements<uint64_t>(context, dtype, [](uint64_t x, uint64_t y) { return x / y; });
}

/// x - floor(x / y) * y: the sign of y, also of zeros, as numpy's mod.
double floor_mod(double x, double y) {
  const double rest = std::fmod(x, y);
  if (rest == 0) return std::copysign(0.0, y);
  return (rest < 0) != (y < 0) ? rest + y : rest;
}

Status evaluate_mod(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  const bool truncated = context.int_attribute("fmod") != 0;
  if (kind_of(dtype) == DTypeKind::kFloat) {
    if (truncated)
      return zip_elements<double>(context, dtype,
                                  [](double x, double y) { return std::fmod(x, y); });
    return zip_elements<double>(context, dtype, floor_mod);
  }
  SHIPWAY_RETURN_IF_ERROR(check_divisor(context.input(1)));
  if (kind_of(dtype) == DTypeKind::kUnsigned)
    return zip_elements<uint64_t>(context, dtype, [](uint64_t x, uint64_t y) { return x % y; });
  return zip_elements<int64_t>(context, dtype, [truncated](int64_t x, int64_t y) {
    const int64_t rest = y == -1 ? 0 : x % y;
    return !truncated && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
  });
}

/// Whole numbers to a whole power wrap as products do; a negative power is 1 / x^-y, truncated.
int64_t power(int64_t x, int64_t y) {
  if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1, factor = static_cast<uint64_t>(x);
  for (; y > 0; y >>= 1) {
    if (y & 1) result *= factor;
    factor *= factor;
  }
  return static_cast<int64_t>(result);
}

Status evaluate_pow(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  const bool whole = kind_of(dtype) == DTypeKind::kSigned;
  if (whole && kind_of(context.input(1).dtype()) != DTypeKind::kFloat)
    return zip_elements<int64_t>(context, dtype, power);
  return zip_elements<double>(context, dtype,
                              [](double x, double y) { return y == 2 ? x * x : std::pow(x, y); });
}

/// Output 0 = f(...f(f(input 0, input 1), input 2)..., input n), then finish(sum).
template <typename T, typename F, typename Finish>
Status fold_inputs(EvaluateContext& context, F&& f, Finish&& finish) {
  Shape shape = context.input(0).shape();
  for (size_t i = 1; i < context.input_count(); ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(shape, broadcast_shapes(shape, context.input(i).shape()));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  std::vector<T> results(static_cast<size_t>(count));
  for (size_t i = 0; i < context.input_count(); ++i) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(context.input(i)));
    const Shape& own = context.input(i).shape();
    if (i == 0)
      zip_broadcast(results.data(), shape, values.data(), own, results.data(), shape, count,
                    [](T, T y) { return y; });
    else
      zip_broadcast(results.data(), shape, values.data(), own, results.data(), shape, count, f);
  }
  for (T& value : results) value = finish(value);
  return write_output(context, 0, context.input(0).dtype(), shape, results);
}

template <bool kMax>
Status evaluate_extreme(EvaluateContext& context) {
  return visit_compute_type(context.input(0).dtype(), [&](auto type) -> Status {
    using T = decltype(type);
    if constexpr (std::is_arithmetic_v<T>) {
      const auto better = [](T x, T y) {
        if constexpr (std::is_same_v<T, double>)
          if (std::isnan(x) || std::isnan(y)) return x + y;
        return kMax ? std::max(x, y) : std::min(x, y);
      };
      return fold_inputs<T>(context, better, [](T value) { return value; });
    } else {
      return Status::invalid_argument("there is no order among elements of {}",
                                      to_string(context.input(0).dtype()));
    }
  });
}

Status evaluate_sum(EvaluateContext& context) {
  return fold_inputs<double>(context, add, [](double value) { return value; });
}

Status evaluate_mean(EvaluateContext& context) {
  const auto count = static_cast<double>(context.input_count());
  return fold_inputs<double>(context, add, [count](double sum) { return sum / count; });
}

// ----------------------------------------------------------------------------------------------
// inference

Dim add_dims(DimTable& dims, Dim x, Dim y) { return dims.add(x, y); }
Dim subtract_dims(DimTable& dims, Dim x, Dim y) { return dims.sub(x, y); }
Dim multiply_dims(DimTable& dims, Dim x, Dim y) { return dims.mul(x, y); }
Dim min_dims(DimTable& dims, Dim x, Dim y) { return dims.min(x, y); }
Dim max_dims(DimTable& dims, Dim x, Dim y) { return dims.max(x, y); }

/// Rounding towards zero is rounding down where nothing is negative.
Dim divide_dims(DimTable& dims, Dim x, Dim y) {
  if (x.is_unknown() || y.is_unknown()) return Dim::unknown();
  if (x.is_constant() && y.is_constant())
    return y.value() == 0 ? Dim::unknown() : Dim(divide(x.value(), y.value()));
  if (dims.range(x).low >= 0 && dims.range(y).low > 0) return dims.floordiv(x, y);
  return Dim::unknown();
}

Dim floor_mod_dims(DimTable& dims, Dim x, Dim y) { return dims.mod(x, y); }
Dim truncated_mod_dims(DimTable& dims, Dim x, Dim y) {
  if (x.is_unknown() || y.is_unknown() || dims.range(x).low < 0 || dims.range(y).low <= 0)
    return Dim::unknown();
  return dims.mod(x, y);
}
Dim power_dims(DimTable& dims, Dim x, Dim y) {
  if (x.is_constant() && y.is_constant()) return power(x.value(), y.value());
  return y == Dim(2) ? dims.mul(x, x) : y == Dim(1) ? x : Dim::unknown();
}

template <Dim (*f)(DimTable&, Dim, Dim)>
Status infer_arithmetic(InferContext& context) {
  SHIPWAY_RETURN_IF_ERROR(infer_broadcast(context));
  follow_elementwise(context, f);
  return Status::ok();
}

Status infer_mod(InferContext& context) {
  return context.int_attribute("fmod") != 0 ? infer_arithmetic<truncated_mod_dims>(context)
                                            : infer_arithmetic<floor_mod_dims>(context);
}

constexpr std::string_view kAttributes = "axis: int?; broadcast: int = 0; consumed_inputs: ints?";
constexpr std::string_view kTypes = "T: floats int32 int64 uint32 uint64 bfloat16";

}  // namespace

const Operator& add_operator() {
  static const Operator definition{
      .name = "Add",
      .summary = "Adds two tensors, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes,
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .downgrade = downgrade_broadcast_either_way},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
      .infer = infer_arithmetic<add_dims>,
      .evaluate = evaluate_wrapping<add, add_whole>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& div_operator() {
  static const Operator definition{
      .name = "Div",
      .summary = "Divides two tensors, broadcasting; integers round towards zero.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes,
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .downgrade = downgrade_broadcast},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
      .infer = infer_arithmetic<divide_dims>,
      .evaluate = evaluate_div,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& max_operator() {
  static const Operator definition{
      .name = "Max",
      .summary = "Largest of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (max: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(data_0...: T) -> (max: T)", .types = "T: floats"},
                   {.since = 8,
                    .signature = "(data_0...: T) -> (max: T)",
                    .types = "T: floats",
                    .downgrade = refuse_broadcast},
                   {.since = 12, .signature = "(data_0...: T) -> (max: T)", .types = "T: numeric"},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (max: T)",
                    .types = "T: numeric bfloat16"}},
      .infer = infer_arithmetic<max_dims>,
      .evaluate = evaluate_extreme<true>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& mean_operator() {
  static const Operator definition{
      .name = "Mean",
      .summary = "Mean of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (mean: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(data_0...: T) -> (mean: T)", .types = "T: floats"},
                   {.since = 8,
                    .signature = "(data_0...: T) -> (mean: T)",
                    .types = "T: floats",
                    .downgrade = refuse_broadcast},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (mean: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_broadcast,
      .evaluate = evaluate_mean,
  };
  return definition;
}

const Operator& min_operator() {
  static const Operator definition{
      .name = "Min",
      .summary = "Smallest of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (min: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(data_0...: T) -> (min: T)", .types = "T: floats"},
                   {.since = 8,
                    .signature = "(data_0...: T) -> (min: T)",
                    .types = "T: floats",
                    .downgrade = refuse_broadcast},
                   {.since = 12, .signature = "(data_0...: T) -> (min: T)", .types = "T: numeric"},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (min: T)",
                    .types = "T: numeric bfloat16"}},
      .infer = infer_arithmetic<min_dims>,
      .evaluate = evaluate_extreme<false>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& mod_operator() {
  static const Operator definition{
      .name = "Mod",
      .summary = "Remainder of a division, with the divisor's or (fmod) the dividend's sign.",
      .versions = {{.since = 10,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric",
                    .attributes = "fmod: int = 0"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16",
                    .attributes = "fmod: int = 0"},
                   {.since = 28,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16",
                    .attributes = "fmod: int = 0"}},
      .infer = infer_mod,
      .evaluate = evaluate_mod,
  };
  return definition;
}

const Operator& mul_operator() {
  static const Operator definition{
      .name = "Mul",
      .summary = "Multiplies two tensors, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes,
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .downgrade = downgrade_broadcast_either_way},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
      .infer = infer_arithmetic<multiply_dims>,
      .evaluate = evaluate_wrapping<multiply, multiply_whole>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& pow_operator() {
  static const Operator definition{
      .name = "Pow",
      .summary = "Raises the first operand to the power of the second, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(X: T, Y: T) -> (Z: T)",
                    .types = "T: floats",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(X: T, Y: T) -> (Z: T)",
                    .types = "T: floats",
                    .downgrade = downgrade_broadcast},
                   {.since = 12,
                    .signature = "(X: T, Y: T1) -> (Z: T)",
                    .types = "T: floats int32 int64; T1: numeric"},
                   {.since = 13,
                    .signature = "(X: T, Y: T1) -> (Z: T)",
                    .types = "T: floats int32 int64 bfloat16; T1: numeric"},
                   {.since = 15,
                    .signature = "(X: T, Y: T1) -> (Z: T)",
                    .types = "T: floats int32 int64 bfloat16; T1: numeric bfloat16"}},
      .infer = infer_arithmetic<power_dims>,
      .evaluate = evaluate_pow,
  };
  return definition;
}

const Operator& sub_operator() {
  static const Operator definition{
      .name = "Sub",
      .summary = "Subtracts two tensors, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats",
                    .attributes = kAttributes,
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .downgrade = downgrade_broadcast},
                   {.since = 13, .signature = "(A: T, B: T) -> (C: T)", .types = kTypes},
                   {.since = 14,
                    .signature = "(A: T, B: T) -> (C: T)",
                    .types = "T: numeric bfloat16"}},
      .infer = infer_arithmetic<subtract_dims>,
      .evaluate = evaluate_wrapping<subtract, subtract_whole>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sum_operator() {
  static const Operator definition{
      .name = "Sum",
      .summary = "Sum of several tensors, element by element, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(data_0...: T) -> (sum: T)",
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6, .signature = "(data_0...: T) -> (sum: T)", .types = "T: floats"},
                   {.since = 8,
                    .signature = "(data_0...: T) -> (sum: T)",
                    .types = "T: floats",
                    .downgrade = refuse_broadcast},
                   {.since = 13,
                    .signature = "(data_0...: T) -> (sum: T)",
                    .types = "T: floats bfloat16"}},
      .infer = infer_broadcast,
      .evaluate = evaluate_sum,
  };
  return definition;
}

}  // namespace shipway
