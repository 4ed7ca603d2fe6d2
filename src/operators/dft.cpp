// DFT: discrete Fourier transform along one axis, forwards or back.
#include <algorithm>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/fourier.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// The last axis holds real and imaginary part, so that it is no axis to transform.
Result<int64_t> transformed_axis(int64_t given, int64_t rank) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(given, rank, "input 2 ('axis')"));
  if (axis == rank - 1)
    return Status::invalid_model("input 2 ('axis') is {}, the axis of real and imaginary parts",
                                 given);
  return axis;
}

Status infer_dft(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output_dtype(0, dtype);
  const Dims* dims = context.input_dims(0);
  if (!dims) return Status::ok();
  const auto rank = static_cast<int64_t>(dims->size());
  if (rank < 2) return Status::invalid_model("input 0 has rank {}, expected at least 2", rank);
  const bool inverse = context.int_attribute("inverse") != 0,
             onesided = context.int_attribute("onesided") != 0;
  Dims result = *dims;
  result.back() = inverse && onesided ? 1 : 2;
  std::optional<std::vector<int64_t>> given = std::vector<int64_t>{-2};
  if (context.has_input(2)) given = context.input_ints(2);
  if (!given || given->size() != 1) {
    for (size_t i = 0; i + 1 < result.size(); ++i) result[i] = Dim();
    context.set_output(0, dtype, std::move(result));
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, transformed_axis(given->front(), rank));
  DimTable& table = context.dims();
  Dim& size = result[static_cast<size_t>(axis)];
  if (context.has_input(1)) {
    const std::optional<Contents> length = context.input_contents(1);
    size = length && length->size() == 1 ? length->front() : Dim();
  } else if (inverse && onesided) {
    size = table.mul(table.sub(size, 1), 2);
  }
  if (onesided && !inverse && size.is_known()) size = table.add(table.floordiv(size, 2), 1);
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}

Status evaluate_dft(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  const int64_t parts = x.rank() < 2 ? 0 : x.shape().back();
  if (parts != 1 && parts != 2)
    return Status::invalid_argument(
        "input 0 has shape {}, expected [..., 1] (real) or [..., 2] (complex)",
        to_string(x.shape()));
  int64_t axis = -2;
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(axis, int_of(context.input(2), "axis"));
  }
  SHIPWAY_ASSIGN_OR_RETURN(axis, transformed_axis(axis, x.rank()));
  const bool inverse = context.int_attribute("inverse") != 0,
             onesided = context.int_attribute("onesided") != 0;
  if (onesided && !inverse && parts == 2)
    return Status::invalid_argument(
        "input 0 is complex, but attribute 'onesided' asks for a transform of real numbers");
  const int64_t given = x.dim(static_cast<size_t>(axis));
  const bool real_result = inverse && onesided;
  int64_t length = real_result ? 2 * (given - 1) : given;
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(length, int_of(context.input(1), "dft_length"));
  }
  if (length < 1)
    return Status::invalid_argument("the transform's length is {}, expected at least 1", length);
  const int64_t kept = onesided && !inverse ? length / 2 + 1 : length;
  Shape shape = x.shape();
  shape[static_cast<size_t>(axis)] = kept;
  shape.back() = real_result ? 1 : 2;
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kFloat64, shape).status());
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kComplex128, {length}).status());

  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(x));
  std::vector<double> results(static_cast<size_t>(count));
  Shape signals = x.shape();
  signals.pop_back();
  const auto [outer, size, inner] = Lines::along(signals, axis);
  const Fourier fourier(static_cast<size_t>(length), inverse);
  const int64_t read = std::min(given, real_result ? length / 2 + 1 : length);
  const int64_t out_parts = shape.back();
  std::vector<std::complex<double>> line(static_cast<size_t>(length));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      std::fill(line.begin(), line.end(), 0);
      for (int64_t n = 0; n < read; ++n) {
        const double* part = values.data() + ((o * size + n) * inner + i) * parts;
        line[static_cast<size_t>(n)] = {part[0], parts == 2 ? part[1] : 0};
      }
      if (real_result)  // the other half of a real signal's spectrum is its mirror image
        for (int64_t n = length / 2 + 1; n < length; ++n)
          line[static_cast<size_t>(n)] = std::conj(line[static_cast<size_t>(length - n)]);
      fourier.transform(line);
      for (int64_t k = 0; k < kept; ++k) {
        double* part = results.data() + ((o * kept + k) * inner + i) * out_parts;
        const std::complex<double> value =
            line[static_cast<size_t>(k)] / (inverse ? static_cast<double>(length) : 1.0);
        part[0] = value.real();
        if (out_parts == 2) part[1] = value.imag();
      }
    }
  }
  return write_output(context, 0, x.dtype(), shape, results);
}

/// The axis becomes an input.
Status upgrade_dft_17(NodeRewrite& rewrite) {
  rewrite.set_input(2, rewrite.add_constant("axis", Tensor::scalar(rewrite.int_attribute("axis"))));
  if (rewrite.has_attribute("axis")) rewrite.remove_attribute("axis");
  return Status::ok();
}

// The axis becomes an attribute; version 17 counted it from the front.
Status downgrade_dft_20(NodeRewrite& rewrite) {
  int64_t axis = -2;
  if (rewrite.node().input(2).is_valid()) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> given, constant_ints(rewrite, 2, "axis"));
    if (given.size() != 1) return Status::invalid_model("input 2 ('axis') is no scalar");
    axis = given[0];
    rewrite.set_input(2, {});
  }
  if (axis < 0) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
    axis += rank;
  }
  rewrite.set_attribute({"axis", axis});
  return Status::ok();
}

}  // namespace

const Operator& dft_operator() {
  static const Operator definition{
      .name = "DFT",
      .summary = "Discrete Fourier transform along one axis, forwards or back.",
      .versions = {{.since = 17,
                    .signature = "(input: T1, dft_length?: T2) -> (output: T1)",
                    .types = "T1: floats bfloat16; T2: int32 int64",
                    .attributes = "axis: int = 1; inverse: int = 0; onesided: int = 0",
                    .upgrade = upgrade_dft_17},
                   {.since = 20,
                    .signature = "(input: T1, dft_length?: T2, axis?: int64) -> (output: T1)",
                    .types = "T1: floats bfloat16; T2: int32 int64",
                    .attributes = "inverse: int = 0; onesided: int = 0",
                    .downgrade = downgrade_dft_20}},
      .infer = infer_dft,
      .evaluate = evaluate_dft,
  };
  return definition;
}

}  // namespace shipway
