// Window functions for spectra: Blackman, Hamming, Hann.
#include "operators/operator.h"

namespace shipway {
namespace {

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
  };
  return definition;
}

}  // namespace shipway
