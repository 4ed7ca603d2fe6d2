// STFT: Fourier transform of overlapping windowed frames of a signal.
#include <algorithm>

#include "operators/contents.h"
#include "operators/fourier.h"
#include "operators/loops.h"

namespace shipway {
namespace {

/// Output [batch, frames, bins, 2].
Status infer_stft(InferContext& context) {
  const Dims* signal = context.input_dims(0);
  if (signal && signal->size() != 3)
    return Status::invalid_model("input 0 ('signal') has rank {}, expected [batch, length, 1 or 2]",
                                 signal->size());
  const auto single = [&](size_t i) {
    const std::optional<Contents> contents = context.input_contents(i);
    return contents && contents->size() == 1 ? contents->front() : Dim();
  };
  DimTable& dims = context.dims();
  const Dim length = signal ? (*signal)[1] : Dim();
  Dim frame = context.has_input(3) || context.has_input(2) ? Dim() : length;
  if (context.has_input(3))
    frame = single(3);
  else if (const Dims* window = context.input_dims(2); window && window->size() == 1)
    frame = (*window)[0];
  const Dim step = single(1);
  Dim frames, bins = frame;
  if (length.is_known() && frame.is_known() && step.is_known() && dims.range(step).low > 0)
    frames = dims.add(dims.floordiv(dims.sub(length, frame), step), 1);
  if (context.int_attribute("onesided") != 0 && frame.is_known())
    bins = dims.add(dims.floordiv(frame, 2), 1);
  context.set_output(0, context.input_dtype(0), {signal ? (*signal)[0] : Dim(), frames, bins, 2});
  return Status::ok();
}

Status evaluate_stft(EvaluateContext& context) {
  const Tensor& signal = context.input(0);
  if (signal.rank() != 3 || (signal.dim(2) != 1 && signal.dim(2) != 2))
    return Status::invalid_argument(
        "input 0 ('signal') has shape {}, expected [batch, length, 1 or 2]",
        to_string(signal.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t step, int_of(context.input(1), "frame_step"));
  const int64_t batch = signal.dim(0), length = signal.dim(1), parts = signal.dim(2);
  int64_t frame = length;
  std::vector<double> window;
  if (context.has_input(2)) {
    if (context.input(2).rank() != 1)
      return Status::invalid_argument("input 2 ('window') has shape {}, expected one axis",
                                      to_string(context.input(2).shape()));
    SHIPWAY_ASSIGN_OR_RETURN(window, to_doubles(context.input(2)));
    frame = context.input(2).dim(0);
  }
  if (context.has_input(3)) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t given, int_of(context.input(3), "frame_length"));
    if (context.has_input(2) && given != frame)
      return Status::invalid_argument(
          "input 3 ('frame_length') is {}, but the window has {} elements", given, frame);
    frame = given;
  }
  if (step < 1 || frame < 1 || frame > length)
    return Status::invalid_argument("frames of {} every {} elements of a signal of {}", frame, step,
                                    length);
  if (window.empty()) window.assign(static_cast<size_t>(frame), 1.0);
  const bool onesided = context.int_attribute("onesided") != 0;
  if (onesided && parts == 2)
    return Status::invalid_argument(
        "input 0 is complex, but attribute 'onesided' asks for a transform of real numbers");
  const int64_t frames = (length - frame) / step + 1, bins = onesided ? frame / 2 + 1 : frame;
  const Shape shape{batch, frames, bins, 2};
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kFloat64, shape).status());

  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(signal));
  const Fourier fourier(static_cast<size_t>(frame), /*inverse=*/false);
  std::vector<std::complex<double>> line(static_cast<size_t>(frame));
  std::vector<double> results;
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t f = 0; f < frames; ++f) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      for (int64_t n = 0; n < frame; ++n) {
        const double* part = values.data() + (b * length + f * step + n) * parts;
        line[static_cast<size_t>(n)] = std::complex<double>(part[0], parts == 2 ? part[1] : 0) *
                                       window[static_cast<size_t>(n)];
      }
      fourier.transform(line);
      for (int64_t k = 0; k < bins; ++k) {
        results.push_back(line[static_cast<size_t>(k)].real());
        results.push_back(line[static_cast<size_t>(k)].imag());
      }
    }
  }
  return write_output(context, 0, signal.dtype(), shape, results);
}

}  // namespace

const Operator& stft_operator() {
  static const Operator definition{
      .name = "STFT",
      .summary = "Fourier transform of overlapping windowed frames of a signal.",
      .versions =
          {{.since = 17,
            .signature =
                "(signal: T1, frame_step: T2, window?: T1, frame_length?: T2) -> (output: T1)",
            .types = "T1: floats bfloat16; T2: int32 int64",
            .attributes = "onesided: int = 1"}},
      .infer = infer_stft,
      .evaluate = evaluate_stft,
  };
  return definition;
}

}  // namespace shipway
