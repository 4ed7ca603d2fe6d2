// Convolutions of quantised tensors.
#include <cmath>

#include "operators/convolution.h"
#include "operators/loops.h"
#include "operators/quantization.h"

namespace shipway {
namespace {

/// Scales or zero points, one for all or one per filter.
Result<std::vector<double>> per_filter(const EvaluateContext& context, size_t i, int64_t filters,
                                       double otherwise) {
  if (!context.has_input(i)) return std::vector<double>(static_cast<size_t>(filters), otherwise);
  const Tensor& tensor = context.input(i);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(tensor));
  if (values.size() == 1) values.assign(static_cast<size_t>(filters), values[0]);
  if (tensor.rank() > 1 || static_cast<int64_t>(values.size()) != filters)
    return Status::invalid_argument(
        "input {} has shape {}, expected a scalar or one element for each of {} filters", i,
        to_string(tensor.shape()), filters);
  return values;
}

Result<double> scalar(const EvaluateContext& context, size_t i, double otherwise) {
  if (!context.has_input(i)) return otherwise;
  if (context.input(i).element_count() != 1)
    return Status::invalid_argument("input {} has shape {}, expected a scalar", i,
                                    to_string(context.input(i).shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(context.input(i)));
  return values[0];
}

/// The convolution of (x - zero of x) with (w - zero of w): whole numbers, exact in double. Pads
/// count as zero, that is as x's zero point.
Result<std::vector<double>> convolve_centred(const EvaluateContext& context,
                                             const Convolution& convolution, size_t x,
                                             size_t x_zero, size_t w, size_t w_zero,
                                             std::span<const double> bias) {
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> input, to_doubles(context.input(x)));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> filters, to_doubles(context.input(w)));
  SHIPWAY_ASSIGN_OR_RETURN(const double input_zero, scalar(context, x_zero, 0));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> zeros,
                           per_filter(context, w_zero, convolution.shape[1], 0));
  for (double& value : input) value -= input_zero;
  const size_t filter_size = zeros.empty() ? 0 : filters.size() / zeros.size();
  for (size_t i = 0; i < filters.size(); ++i) filters[i] -= zeros[i / filter_size];
  std::vector<double> output(static_cast<size_t>(convolution.output_count));
  SHIPWAY_RETURN_IF_ERROR(
      convolve(context, convolution, input.data(), filters.data(), bias, output.data()));
  return output;
}

Status infer_conv_integer(InferContext& context) {
  return infer_convolution(context, 0, 1, DType::kInt32);
}

Status evaluate_conv_integer(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Convolution convolution, read_convolution(context, 0, 1));
  const std::vector<double> bias(static_cast<size_t>(convolution.shape[1]), 0.0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> sums,
                           convolve_centred(context, convolution, 0, 2, 1, 3, bias));
  return write_output(context, 0, DType::kInt32, convolution.shape, sums);
}

Status infer_qlinear_conv(InferContext& context) {
  return infer_convolution(context, 0, 3, context.input_dtype(7));
}

/// y = saturate(round((sums + B) * x_scale * w_scale / y_scale) + y_zero_point)
Status evaluate_qlinear_conv(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Convolution convolution, read_convolution(context, 0, 3));
  const int64_t filters = convolution.shape[1];
  if (context.has_input(8) && context.input(8).shape() != Shape{filters})
    return Status::invalid_argument("input 8 ('B') has shape {}, expected {}",
                                    to_string(context.input(8).shape()), filters);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> bias, per_filter(context, 8, filters, 0));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values,
                           convolve_centred(context, convolution, 0, 2, 3, 5, bias));
  SHIPWAY_ASSIGN_OR_RETURN(const double x_scale, scalar(context, 1, 1));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> w_scales, per_filter(context, 4, filters, 1));
  SHIPWAY_ASSIGN_OR_RETURN(const double y_scale, scalar(context, 6, 1));
  SHIPWAY_ASSIGN_OR_RETURN(const double y_zero, scalar(context, 7, 0));
  const DType dtype = context.input(7).dtype();
  const auto plane = static_cast<size_t>(convolution.rows.output_size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double scale = x_scale * w_scales[i / plane % w_scales.size()] / y_scale;
    values[i] = saturate_to(dtype, std::nearbyint(values[i] * scale) + y_zero);
  }
  return write_output(context, 0, dtype, convolution.shape, values);
}

constexpr std::string_view kAttributes =
    "auto_pad: string = 'NOTSET'; dilations: ints?; group: int = 1; "
    "kernel_shape: ints?; pads: ints?; strides: ints?";

}  // namespace

const Operator& conv_integer_operator() {
  static const Operator definition{
      .name = "ConvInteger",
      .summary = "Convolution of 8-bit integers, summed in 32 bits.",
      .versions = {{.since = 10,
                    .signature = "(x: T1, w: T2, x_zero_point?: T1, w_zero_point?: T2) -> (y: T3)",
                    .types = "T1: uint8 int8; T2: uint8 int8; T3: int32",
                    .attributes = kAttributes}},
      .infer = infer_conv_integer,
      .evaluate = evaluate_conv_integer,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& qlinear_conv_operator() {
  static const Operator definition{
      .name = "QLinearConv",
      .summary = "Convolution of quantised tensors with a quantised result.",
      .versions = {{.since = 10,
                    .signature =
                        "(x: T1, x_scale: float, x_zero_point: T1, w: T2, w_scale: float, "
                        "w_zero_point: T2, y_scale: float, y_zero_point: T3, B?: T4) -> (y: T3)",
                    .types = "T1: uint8 int8; T2: uint8 int8; T3: uint8 int8; T4: int32",
                    .attributes = kAttributes}},
      .infer = infer_qlinear_conv,
      .evaluate = evaluate_qlinear_conv,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
