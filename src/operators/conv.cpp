// Conv: slides learned filters over the spatial axes.
//
// y[n, m, o] = b[m] + sum over c, k of w[m, c, k] * x[n, c, o * stride + k * dilation - pad]
#include "operators/convolution.h"
#include "operators/reals.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "auto_pad: string = 'NOTSET'; dilations: ints?; group: int = 1; "
    "kernel_shape: ints?; pads: ints?; strides: ints?";

Status infer_conv(InferContext& context) {
  return infer_convolution(context, 0, 1, context.input_dtype(0));
}

template <typename T>
Status convolve_inputs(EvaluateContext& context, const Convolution& convolution) {
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(context.input(0)));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> w, Reals<T>::of(context.input(1)));
  std::vector<double> bias(static_cast<size_t>(convolution.shape[1]), 0.0);
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(bias, to_doubles(context.input(2)));
  }
  SHIPWAY_ASSIGN_OR_RETURN(
      RealOutput<T> y,
      RealOutput<T>::allocate(context, 0, context.input(0).dtype(), convolution.shape));
  SHIPWAY_RETURN_IF_ERROR(convolve(context, convolution, x.data(), w.data(), bias, y.data()));
  return y.finish(context);
}

Status evaluate_conv(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Convolution convolution, read_convolution(context, 0, 1));
  if (context.has_input(2) && context.input(2).shape() != Shape{convolution.shape[1]})
    return Status::invalid_argument("input 'B' is [{}], expected [{}]",
                                    to_string(context.input(2).shape()), convolution.shape[1]);
  return visit_real_type(context.input(0).dtype(), [&](auto type) {
    return convolve_inputs<decltype(type)>(context, convolution);
  });
}

}  // namespace

const Operator& conv_operator() {
  static const Operator definition{
      .name = "Conv",
      .summary = "Slides learned filters over the spatial axes.",
      .versions = {{.since = 1,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 11,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = "(X: T, W: T, B?: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_conv,
      .evaluate = evaluate_conv,
  };
  return definition;
}

}  // namespace shipway
