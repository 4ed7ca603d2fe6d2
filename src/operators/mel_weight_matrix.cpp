// MelWeightMatrix: triangular filters that turn a spectrum into mel bands.
#include <cmath>

#include "operators/contents.h"
#include "operators/loops.h"

namespace shipway {
namespace {

Result<DType> output_dtype(const AttributeReader& context) {
  const int64_t number = context.int_attribute("output_datatype");
  if (!is_valid_dtype(number))
    return Status::invalid_model("attribute 'output_datatype' is {}, which is no dtype", number);
  return static_cast<DType>(number);
}

Status infer_mel(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, output_dtype(context));
  const std::optional<Contents> bins = context.input_contents(0),
                                length = context.input_contents(1);
  const auto single = [](const std::optional<Contents>& contents) {
    return contents && contents->size() == 1 ? contents->front() : Dim();
  };
  const Dim rows = single(length).is_known()
                       ? context.dims().add(context.dims().floordiv(single(length), 2), 1)
                       : Dim();
  context.set_output(0, dtype, {rows, single(bins)});
  return Status::ok();
}

Result<double> number_of(const EvaluateContext& context, size_t i, std::string_view name) {
  if (context.input(i).element_count() != 1)
    return Status::invalid_argument("input {} ('{}') has shape {}, expected a scalar", i, name,
                                    to_string(context.input(i).shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(context.input(i)));
  return values[0];
}

/// mel(f) = 2595 log10(1 + f / 700)
double mel(double hertz) { return 2595 * std::log1p(hertz / 700) / std::log(10.0); }
double hertz(double mel) { return 700 * std::expm1(mel / 2595 * std::log(10.0)); }

/// Triangles whose corners lie evenly on the mel scale, rounded down to whole frequency bins; rows
/// are bins.
Status evaluate_mel(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, output_dtype(context));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bands, int_of(context.input(0), "num_mel_bins"));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t length, int_of(context.input(1), "dft_length"));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rate, int_of(context.input(2), "sample_rate"));
  SHIPWAY_ASSIGN_OR_RETURN(const double lower, number_of(context, 3, "lower_edge_hertz"));
  SHIPWAY_ASSIGN_OR_RETURN(const double upper, number_of(context, 4, "upper_edge_hertz"));
  if (bands < 1 || length < 1 || rate < 1)
    return Status::invalid_argument(
        "num_mel_bins is {}, dft_length {}, sample_rate {}, expected positive numbers", bands,
        length, rate);
  const int64_t bins = length / 2 + 1;
  SHIPWAY_RETURN_IF_ERROR(context.allocate(DType::kFloat64, {bins, bands}).status());
  const double low = mel(lower), step = (mel(upper) - low) / static_cast<double>(bands + 2);
  std::vector<int64_t> corners;
  for (int64_t i = 0; i < bands + 2; ++i) {
    const double corner =
        std::floor(static_cast<double>(length + 1) * hertz(low + step * static_cast<double>(i)) /
                   static_cast<double>(rate));
    if (!(corner >= 0 && corner < static_cast<double>(bins)))
      return Status::invalid_argument(
          "edges of {} and {} hertz reach beyond the {} bins of sample rate {}", lower, upper, bins,
          rate);
    corners.push_back(static_cast<int64_t>(corner));
  }
  std::vector<double> values(static_cast<size_t>(bins * bands), 0.0);
  for (int64_t band = 0; band < bands; ++band) {
    const auto at = [&](int64_t bin) -> double& {
      return values[static_cast<size_t>(bin * bands + band)];
    };
    const int64_t left = corners[static_cast<size_t>(band)],
                  centre = corners[static_cast<size_t>(band) + 1];
    const int64_t right = corners[static_cast<size_t>(band) + 2];
    if (left == centre) at(centre) = 1;
    for (int64_t bin = left; left < centre && bin <= centre; ++bin)
      at(bin) = static_cast<double>(bin - left) / static_cast<double>(centre - left);
    for (int64_t bin = centre; bin < right; ++bin)
      at(bin) = static_cast<double>(right - bin) / static_cast<double>(right - centre);
  }
  return write_output(context, 0, dtype, {bins, bands}, values);
}

}  // namespace

const Operator& mel_weight_matrix_operator() {
  static const Operator definition{
      .name = "MelWeightMatrix",
      .summary = "Triangular filters that turn a spectrum into mel bands.",
      .versions = {{.since = 17,
                    .signature =
                        "(num_mel_bins: T1, dft_length: T1, sample_rate: T1, lower_edge_hertz: T2, "
                        "upper_edge_hertz: T2) -> (output: T3)",
                    .types = "T1: int32 int64; T2: floats bfloat16; T3: numeric bfloat16",
                    .attributes = "output_datatype: int = 1"}},
      .infer = infer_mel,
      .evaluate = evaluate_mel,
  };
  return definition;
}

}  // namespace shipway
