// Window functions for spectra: Blackman, Hamming, Hann.
#include <cmath>
#include <numbers>

#include "operators/contents.h"
#include "operators/loops.h"

namespace shipway {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

// Windows as functions of the position within one period, 0 to 1.
double hann(double t) { return 0.5 - 0.5 * std::cos(kTurn * t); }
/// 25 / 46 and 21 / 46, as the specification's function body says.
double hamming(double t) { return 25.0 / 46 - 21.0 / 46 * std::cos(kTurn * t); }
double blackman(double t) {
  return 0.42 - 0.5 * std::cos(kTurn * t) + 0.08 * std::cos(2 * kTurn * t);
}

Result<DType> output_dtype(const AttributeReader& context) {
  const int64_t number = context.int_attribute("output_datatype");
  if (!is_valid_dtype(number))
    return Status::invalid_model("attribute 'output_datatype' is {}, which is no dtype", number);
  return static_cast<DType>(number);
}

template <double (*window)(double)>
Status evaluate_window(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, output_dtype(context));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t size, int_of(context.input(0), "size"));
  if (size < 0)
    return Status::invalid_argument("input 0 ('size') is {}, expected no negative number", size);
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kFloat64, {size}).status());
  const auto period = static_cast<double>(context.int_attribute("periodic") != 0 ? size : size - 1);
  std::vector<double> values;
  for (int64_t i = 0; i < size; ++i)
    values.push_back(period == 0 ? 1 : window(static_cast<double>(i) / period));
  return write_output(context, 0, dtype, {size}, values);
}

Status infer_window(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, output_dtype(context));
  const std::optional<Contents> size = context.input_contents(0);
  context.set_output(0, dtype, {size && size->size() == 1 ? size->front() : Dim()});
  return Status::ok();
}

constexpr std::string_view kAttributes = "output_datatype: int = 1; periodic: int = 1";

}  // namespace

const Operator& blackman_window_operator() {
  static const Operator definition{
      .name = "BlackmanWindow",
      .summary = "Blackman window of a given length.",
      .versions = {{.since = 17,
                    .signature = "(size: T1) -> (output: T2)",
                    .types = "T1: int32 int64; T2: numeric bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_window,
      .evaluate = evaluate_window<blackman>,
  };
  return definition;
}

const Operator& hamming_window_operator() {
  static const Operator definition{
      .name = "HammingWindow",
      .summary = "Hamming window of a given length.",
      .versions = {{.since = 17,
                    .signature = "(size: T1) -> (output: T2)",
                    .types = "T1: int32 int64; T2: numeric bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_window,
      .evaluate = evaluate_window<hamming>,
  };
  return definition;
}

const Operator& hann_window_operator() {
  static const Operator definition{
      .name = "HannWindow",
      .summary = "Hann window of a given length.",
      .versions = {{.since = 17,
                    .signature = "(size: T1) -> (output: T2)",
                    .types = "T1: int32 int64; T2: numeric bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_window,
      .evaluate = evaluate_window<hann>,
  };
  return definition;
}

}  // namespace shipway
