// LRN: divides each element by the energy of its neighbour channels.
//
// y = x / (bias + alpha / size * sum of squares over `size` channels around the element's) ^ beta
#include <algorithm>
#include <cmath>

#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "alpha: float = 1e-04; beta: float = 0.75; bias: float = 1.0; size: int!";

template <typename T>
Status normalize_over_channels(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  const int64_t window = context.int_attribute("size");
  if (input.rank() < 2 || window < 1)
    return Status::invalid_argument(
        "input 'X' is [{}] and attribute 'size' {}, expected rank 2 or more "
        "and at least 1",
        to_string(input.shape()), window);
  const int64_t channels = input.dim(1), planes = input.dim(0) * channels;
  const int64_t size = planes == 0 ? 0 : input.element_count() / planes;
  const auto alpha = static_cast<double>(context.float_attribute("alpha"));
  const auto beta = static_cast<double>(context.float_attribute("beta"));
  const auto bias = static_cast<double>(context.float_attribute("bias"));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y,
                           RealOutput<T>::allocate(context, 0, input.dtype(), input.shape()));
  std::vector<double> squares(static_cast<size_t>(size));
  for (int64_t plane = 0; plane < planes; ++plane) {
    const int64_t c = plane % channels, sample = plane - c;
    const int64_t before = (window - 1) / 2;
    const int64_t first = std::max<int64_t>(0, c - before);
    const int64_t last = c - before >= channels - window ? channels - 1 : c - before + window - 1;
    std::fill(squares.begin(), squares.end(), 0.0);
    for (int64_t other = first; other <= last; ++other) {
      const T* values = x.data() + (sample + other) * size;
      for (size_t i = 0; i < squares.size(); ++i)
        squares[i] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    const int64_t start = plane * size;
    for (size_t i = 0; i < squares.size(); ++i)
      y.data()[start + static_cast<int64_t>(i)] =
          static_cast<T>(static_cast<double>(x[start + static_cast<int64_t>(i)]) /
                         std::pow(bias + alpha / static_cast<double>(window) * squares[i], beta));
    SHIPWAY_RETURN_IF_ERROR(context.poll());
  }
  return y.finish(context);
}

Status evaluate_lrn(EvaluateContext& context) {
  return visit_real_type(context.input(0).dtype(), [&](auto type) {
    return normalize_over_channels<decltype(type)>(context);
  });
}

}  // namespace

const Operator& lrn_operator() {
  static const Operator definition{
      .name = "LRN",
      .summary = "Divides each element by the energy of its neighbour channels.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
      .infer = infer_same_as_first_input,
      .evaluate = evaluate_lrn,
  };
  return definition;
}

}  // namespace shipway
