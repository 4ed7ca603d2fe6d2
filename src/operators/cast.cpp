// Conversion of elements to another dtype: Cast, CastLike.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "operators/downgrade_steps.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

// ----------------------------------------------------------------------------------------------
// texts

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// `text` as a T that takes all of it, or nothing.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range && std::is_floating_point_v<T>) {
    // from_chars leaves the value alone: too small or too large, by the sign of the exponent.
    const bool small =
        text.find("e-") != text.npos || text.find("E-") != text.npos || text.find("0.0") == 0;
    const double magnitude = small ? 0 : HUGE_VAL;
    return static_cast<T>(text.front() == '-' ? -magnitude : magnitude);
  }
  return error == std::errc() ? std::optional<T>(value) : std::nullopt;
}

/// "3.14", " 1e-5", "+INF", "nan", "true"; whole numbers exactly.
template <typename T>
Result<T> number_from_text(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t')) rest.remove_suffix(1);
  if (rest.starts_with('+') && !rest.starts_with("+-")) rest.remove_prefix(1);
  if (const std::optional<T> number = parse_number<T>(rest)) return *number;
  if (const std::optional<double> number = parse_number<double>(rest)) {
    constexpr double kBound = 9223372036854775808.0;
    if constexpr (std::is_same_v<T, double>)
      return *number;
    else if (*number > -kBound && *number < kBound)
      return static_cast<T>(static_cast<int64_t>(*number));
  }
  const std::string word = lower_case(rest);
  if (word == "true") return T{1};
  if (word == "false") return T{0};
  return Status::invalid_argument("text {} is no number", quoted(text));
}

/// Digits and exponent of the shortest decimal that reads back as the same element of `dtype`, as
/// "d.ddde[+-]xx".
std::string shortest_scientific(DType dtype, double value) {
  char buffer[64];
  const auto text = [&](std::to_chars_result result) { return std::string(buffer, result.ptr); };
  constexpr auto kForm = std::chars_format::scientific;
  if (dtype == DType::kFloat64)
    return text(std::to_chars(buffer, buffer + sizeof buffer, value, kForm));
  if (dtype == DType::kFloat32)
    return text(std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value), kForm));
  for (int precision = 0; precision < 9; ++precision) {
    std::string candidate =
        text(std::to_chars(buffer, buffer + sizeof buffer, value, kForm, precision));
    double read = 0;
    std::from_chars(candidate.data(), candidate.data() + candidate.size(), read);
    if (decode_float(dtype, encode_float(dtype, read)) == value) return candidate;
  }
  return text(std::to_chars(buffer, buffer + sizeof buffer, value, kForm));
}

/// As numpy prints a number: shortest digits, plain from 1e-4 to below 1e16, else with an exponent
/// of two digits or more.
std::string text_from_float(DType dtype, double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  const std::string scientific = shortest_scientific(dtype, std::fabs(value));
  const size_t e = scientific.find('e');
  int exponent = 0;
  const char* from = scientific.data() + e + 1 + (scientific[e + 1] == '+' ? 1 : 0);
  std::from_chars(from, scientific.data() + scientific.size(), exponent);
  std::string digits = scientific.substr(0, 1);
  if (e > 2) digits += scientific.substr(2, e - 2);
  const std::string sign = value < 0 ? "-" : "";
  if (exponent < -4 || exponent >= 16) return sign + scientific;
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

Result<std::vector<std::string>> texts_of(const Tensor& tensor) {
  std::vector<std::string> texts;
  const DType dtype = tensor.dtype();
  const Status status = visit_compute_type(dtype, [&](auto type) -> Status {
    using T = decltype(type);
    if constexpr (std::is_arithmetic_v<T>) {
      SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(tensor));
      for (T value : values) {
        if constexpr (std::is_same_v<T, double>)
          texts.push_back(text_from_float(dtype, value));
        else if (dtype == DType::kBool)
          texts.push_back(value != 0 ? "True" : "False");
        else
          texts.push_back(std::to_string(value));
      }
      return Status::ok();
    } else {
      return Status::invalid_argument("{} cannot be written as text", to_string(dtype));
    }
  });
  SHIPWAY_RETURN_IF_ERROR(status);
  return texts;
}

template <typename T>
Result<std::vector<T>> numbers_of(const Tensor& tensor) {
  if (tensor.dtype() != DType::kString) return read_elements<T>(tensor);
  std::vector<T> values;
  for (const std::string& text : tensor.strings()) {
    SHIPWAY_ASSIGN_OR_RETURN(const T value, number_from_text<T>(text));
    values.push_back(value);
  }
  return values;
}

// ----------------------------------------------------------------------------------------------
// evaluation

/// Floats pass through double, whole numbers through 64 bits, so that each is rounded or cut once.
Result<Tensor> cast(const Tensor& input, DType to, Saturate saturate, RoundMode round) {
  if (input.dtype() == to) return input;
  if (to == DType::kString) {
    SHIPWAY_ASSIGN_OR_RETURN(std::vector<std::string> texts, texts_of(input));
    return Tensor::from_strings(input.shape(), std::move(texts));
  }
  // Small floats are made from double, as only that way knows of `saturate`; they have no digits to
  // lose.
  const DTypeKind from = input.dtype() == DType::kString ? kind_of(to) : kind_of(input.dtype());
  const bool small_float = kind_of(to) == DTypeKind::kFloat && bit_width(to) <= 8;
  if (from == DTypeKind::kFloat || small_float) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, numbers_of<double>(input));
    return from_doubles(to, input.shape(), values, saturate, round);
  }
  if (from == DTypeKind::kSigned) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> values, numbers_of<int64_t>(input));
    return from_ints(to, input.shape(), values);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<uint64_t> values, numbers_of<uint64_t>(input));
  return from_uints(to, input.shape(), values);
}

Status evaluate_to(EvaluateContext& context, DType to) {
  const std::string& mode = context.string_attribute("round_mode");
  if (mode != "up" && mode != "down" && mode != "nearest")
    return Status::invalid_model("attribute 'round_mode' is {}, expected 'up', 'down' or 'nearest'",
                                 quoted(mode));
  const RoundMode round = mode == "up"     ? RoundMode::kUp
                          : mode == "down" ? RoundMode::kDown
                                           : RoundMode::kNearest;
  const Saturate saturate = context.int_attribute("saturate") != 0 ? Saturate::kYes : Saturate::kNo;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor result, cast(context.input(0), to, saturate, round));
  context.set_output(0, std::move(result));
  return Status::ok();
}

Result<DType> target_of(const AttributeReader& attributes) {
  const int64_t to = attributes.int_attribute("to");
  if (!is_valid_dtype(to))
    return Status::invalid_model("attribute 'to' is {}, which is no dtype", to);
  return static_cast<DType>(to);
}

Status evaluate_cast(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType to, target_of(context));
  return evaluate_to(context, to);
}

Status evaluate_cast_like(EvaluateContext& context) {
  return evaluate_to(context, context.input(1).dtype());
}

// ----------------------------------------------------------------------------------------------
// inference

Status infer_to(InferContext& context, DType to) {
  if (const Dims* dims = context.input_dims(0))
    context.set_output(0, to, *dims);
  else
    context.set_output_dtype(0, to);
  std::optional<Contents> contents = context.input_contents(0);
  if (!contents) return Status::ok();
  if (to == DType::kBool) {
    for (Dim& dim : *contents) {
      if (dim.is_constant())
        dim = int64_t{dim.value() != 0};
      else if (dim.is_known())
        dim = context.dims().range(dim).low > 0 ? Dim(1) : Dim::unknown();
    }
  } else if (bit_width(to) < 32 || kind_of(to) == DTypeKind::kFloat) {
    return Status::ok();  // narrower ones may be cut, floats are not followed
  }
  context.set_output_contents(0, std::move(*contents));
  return Status::ok();
}

Status infer_cast(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType to, target_of(context));
  return infer_to(context, to);
}

Status infer_cast_like(InferContext& context) { return infer_to(context, context.input_dtype(1)); }

/// Version 1 names the dtype as TensorProto does: "FLOAT", "INT64", ...
Status upgrade_cast_1(NodeRewrite& rewrite) {
  const std::string& name = rewrite.string_attribute("to");
  const std::optional<DType> to = dtype_from_name(lower_case(name));
  if (!to) return Status::invalid_model("attribute 'to' is {}, which is no dtype", quoted(name));
  rewrite.set_attribute({"to", static_cast<int64_t>(*to)});
  return Status::ok();
}

constexpr std::string_view kTypesSince13 =
    "T1: numeric string bool bfloat16; T2: numeric string bool bfloat16";
constexpr std::string_view kTypesSince19 =
    "T1: numeric float8s string bool bfloat16; T2: numeric float8s string bool bfloat16";
constexpr std::string_view kTypesSince21 =
    "T1: numeric float8s int4s string bool bfloat16; "
    "T2: numeric float8s int4s string bool bfloat16";
constexpr std::string_view kTypesSince23 =
    "T1: numeric float8s int4s string bool bfloat16 float4e2m1; "
    "T2: numeric float8s int4s string bool bfloat16 float4e2m1";
constexpr std::string_view kTypesSince24 =
    "T1: numeric float8s int4s string bool bfloat16 float4e2m1 float8e8m0; "
    "T2: numeric float8s int4s string bool bfloat16 float4e2m1 float8e8m0";
constexpr std::string_view kCastAttributes =
    "round_mode: string = 'up'; saturate: int = 1; to: int!";
constexpr std::string_view kTypesSince25 =
    "T1: numeric float8s int4s int2s string bool bfloat16 float4e2m1 float8e8m0; "
    "T2: numeric float8s int4s int2s string bool bfloat16 float4e2m1 float8e8m0";
constexpr std::string_view kCastLikeSignature = "(input: T1, target_type: T2) -> (output: T2)";

// How small floats are rounded says nothing where there are none, and the older version has none.
Status drop_round_mode(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("round_mode")) rewrite.remove_attribute("round_mode");
  return Status::ok();
}
Status drop_saturate(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("saturate")) rewrite.remove_attribute("saturate");
  return Status::ok();
}
// Version 1 named the dtype in capitals, as the dtypes of files are called.
Status downgrade_cast_6(NodeRewrite& rewrite) {
  std::string name(to_string(static_cast<DType>(rewrite.int_attribute("to"))));
  for (char& letter : name)
    letter = static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 32 : letter);
  rewrite.set_attribute({"to", name});
  return Status::ok();
}
Status expand_cast_like(NodeRewrite& rewrite) {
  const DType dtype = rewrite.input_type(1).dtype();
  if (dtype == DType::kUndefined)
    return Status::unsupported(
        "operator CastLike came with opset 15, and the dtype of its target is not known");
  rewrite.replace("Cast", {rewrite.node().input(0)}, {{"to", static_cast<int64_t>(dtype)}});
  return Status::ok();
}

}  // namespace

const Operator& cast_operator() {
  static const Operator definition{
      .name = "Cast",
      .summary = "Converts every element to another dtype.",
      .versions = {{.since = 1,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool; T2: numeric bool",
                    .attributes = "to: string!",
                    .upgrade = upgrade_cast_1},
                   {.since = 6,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool; T2: numeric bool",
                    .attributes = "to: int!",
                    .downgrade = downgrade_cast_6},
                   {.since = 9,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric string bool; T2: numeric string bool",
                    .attributes = "to: int!"},
                   {.since = 13,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince13,
                    .attributes = "to: int!"},
                   {.since = 19,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince19,
                    .attributes = "saturate: int = 1; to: int!",
                    .downgrade = drop_saturate},
                   {.since = 21,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince21,
                    .attributes = "saturate: int = 1; to: int!"},
                   {.since = 23,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince23,
                    .attributes = "saturate: int = 1; to: int!"},
                   {.since = 24,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince24,
                    .attributes = kCastAttributes,
                    .downgrade = drop_round_mode},
                   {.since = 25,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince25,
                    .attributes = kCastAttributes},
                   {.since = 28,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric float8s int4s int2s float6s string bool bfloat16 "
                             "float4e2m1 float8e8m0; "
                             "T2: numeric float8s int4s int2s float6s string bool bfloat16 "
                             "float4e2m1 float8e8m0",
                    .attributes = kCastAttributes}},
      .infer = infer_cast,
      .evaluate = evaluate_cast,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& cast_like_operator() {
  static const Operator definition{
      .name = "CastLike",
      .summary = "Converts every element to the dtype of a second tensor.",
      .versions = {{.since = 15,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince13,
                    .downgrade = expand_cast_like},
                   {.since = 19,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince19,
                    .attributes = "saturate: int = 1",
                    .downgrade = drop_saturate},
                   {.since = 21,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince21,
                    .attributes = "saturate: int = 1"},
                   {.since = 23,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince23,
                    .attributes = "saturate: int = 1"},
                   {.since = 24,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince24,
                    .attributes = "round_mode: string = 'up'; saturate: int = 1",
                    .downgrade = drop_round_mode},
                   {.since = 25,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince25,
                    .attributes = "round_mode: string = 'up'; saturate: int = 1"}},
      .infer = infer_cast_like,
      .evaluate = evaluate_cast_like,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
