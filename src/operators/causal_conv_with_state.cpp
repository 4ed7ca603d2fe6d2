// CausalConvWithState: depthwise convolution over past steps only, handing its last inputs on to
// the next call.
//
// y[t] = bias + sum over k of weight[k] * padded[t + k], where `padded` is the state (K - 1 steps)
// and then the input; the new state is its end.
#include <cmath>

#include "base/text.h"
#include "operators/loops.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_causal_conv(InferContext& context) {
  context.set_output(0, context.input_type(0));
  context.set_output_dtype(1, context.input_dtype(0));
  const Dims *x = context.input_dims(0), *w = context.input_dims(1);
  for (size_t i = 0; i < 2; ++i)
    if (const Dims* dims = context.input_dims(i); dims && dims->size() != 3)
      return Status::invalid_model("input {} has rank {}, expected 3", i, dims->size());
  if (x && w)
    context.set_output(1, context.input_dtype(0),
                       {(*x)[0], (*x)[1], context.dims().add((*w)[2], -1)});
  return Status::ok();
}

Status evaluate_causal_conv(EvaluateContext& context) {
  const Tensor &input = context.input(0), &weight = context.input(1);
  if (input.rank() != 3 || weight.rank() != 3 || weight.dim(0) != input.dim(1) ||
      weight.dim(1) != 1 || weight.dim(2) < 1)
    return Status::invalid_argument(
        "'input' is [{}] and 'weight' [{}], expected batch x channels x "
        "length and channels x 1 x taps",
        to_string(input.shape()), to_string(weight.shape()));
  const std::string& activation = context.string_attribute("activation");
  if (activation != "none" && activation != "silu" && activation != "swish")
    return Status::invalid_model("attribute 'activation' is {}, expected none, silu or swish",
                                 quoted(activation));
  const int64_t batch = input.dim(0), channels = input.dim(1), length = input.dim(2);
  const int64_t taps = weight.dim(2), past = taps - 1;
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> w, Reals<double>::of(weight));
  std::vector<double> bias(static_cast<size_t>(channels), 0.0);
  std::vector<double> state(static_cast<size_t>(batch * channels * past), 0.0);
  if (context.has_input(2)) {
    if (context.input(2).shape() != Shape{channels})
      return Status::invalid_argument("input 'bias' is [{}], expected [{}]",
                                      to_string(context.input(2).shape()), channels);
    SHIPWAY_ASSIGN_OR_RETURN(bias, to_doubles(context.input(2)));
  }
  if (context.has_input(3)) {
    if (context.input(3).shape() != Shape{batch, channels, past})
      return Status::invalid_argument("input 'past_state' is [{}], expected [{}x{}x{}]",
                                      to_string(context.input(3).shape()), batch, channels, past);
    SHIPWAY_ASSIGN_OR_RETURN(state, to_doubles(context.input(3)));
  }
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, input.dtype(), input.shape()));
  std::vector<double> padded(static_cast<size_t>(past + length));
  for (int64_t plane = 0; plane < batch * channels; ++plane) {
    const int64_t c = plane % channels;
    std::copy_n(state.begin() + plane * past, past, padded.begin());
    std::copy_n(x.data() + plane * length, length, padded.begin() + past);
    for (int64_t t = 0; t < length; ++t) {
      double sum = bias[static_cast<size_t>(c)];
      for (int64_t k = 0; k < taps; ++k)
        sum += w[c * taps + k] * padded[static_cast<size_t>(t + k)];
      y.data()[plane * length + t] = activation == "none" ? sum : sum / (1 + std::exp(-sum));
    }
    std::copy_n(padded.end() - past, past, state.begin() + plane * past);
  }
  SHIPWAY_RETURN_IF_ERROR(y.finish(context));
  if (!context.has_output(1)) return Status::ok();
  return write_output(context, 1, input.dtype(), {batch, channels, past}, state);
}

}  // namespace

const Operator& causal_conv_with_state_operator() {
  static const Operator definition{
      .name = "CausalConvWithState",
      .summary =
          "Depthwise convolution over past steps only, handing its last inputs on to the next "
          "call.",
      .versions =
          {{.since = 27,
            .signature =
                "(input: T, weight: T, bias?: T, past_state?: T) -> (output: T, present_state: T)",
            .types = "T: float float16 bfloat16",
            .attributes = "activation: string = 'none'"}},
      .infer = infer_causal_conv,
      .evaluate = evaluate_causal_conv,
  };
  return definition;
}

}  // namespace shipway
