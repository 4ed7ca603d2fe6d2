// InstanceNormalization: normalises every channel of every sample by its own statistics.
#include <cmath>

#include "operators/moments.h"
#include "operators/shape_rules.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(input: T, scale: T, B: T) -> (output: T)";

Status infer_instance_normalization(InferContext& context) {
  context.set_output(0, context.input_type(0));
  const Dims* x = context.input_dims(0);
  if (x && x->size() < 2)
    return Status::invalid_model("input 'input' has rank {}, expected at least 2", x->size());
  return Status::ok();
}

template <typename T>
Status instance_normalize(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() < 2)
    return Status::invalid_argument("input 'input' is [{}], expected rank 2 or more",
                                    to_string(input.shape()));
  const int64_t channels = input.dim(1), planes = input.dim(0) * channels;
  const int64_t size = planes == 0 ? 0 : input.element_count() / planes;
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scale, read_per_channel(context, 1, channels));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> bias, read_per_channel(context, 2, channels));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), input.shape()));
  const auto epsilon = static_cast<double>(context.float_attribute("epsilon"));
  for (int64_t plane = 0; plane < planes; ++plane) {
    const std::span<const T> values(x.data() + plane * size, static_cast<size_t>(size));
    const Moments moments = moments_of(values);
    const auto c = static_cast<size_t>(plane % channels);
    const double factor = scale[c] / std::sqrt(moments.variance + epsilon);
    T* out = y.data() + plane * size;
    for (T value : values)
      *out++ = static_cast<T>((static_cast<double>(value) - moments.mean) * factor + bias[c]);
  }
  return y.finish(context);
}

Status evaluate_instance_normalization(EvaluateContext& context) {
  return visit_real_type(context.input(0).dtype(),
                         [&](auto type) { return instance_normalize<decltype(type)>(context); });
}

}  // namespace

const Operator& instance_normalization_operator() {
  static const Operator definition{
      .name = "InstanceNormalization",
      .summary = "Normalises every channel of every sample by its own statistics.",
      .versions = {{.since = 1,
                    .signature = kSignature,
                    .types = "T: floats",
                    .attributes = "consumed_inputs: ints?; epsilon: float = 1e-05",
                    .upgrade = drop_consumed_inputs},
                   {.since = 6,
                    .signature = kSignature,
                    .types = "T: floats",
                    .attributes = "epsilon: float = 1e-05"},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T: floats bfloat16",
                    .attributes = "epsilon: float = 1e-05"}},
      .infer = infer_instance_normalization,
      .evaluate = evaluate_instance_normalization,
  };
  return definition;
}

}  // namespace shipway
