// TopK: the k largest or smallest elements along an axis, with their positions.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(X: T, K: int64) -> (Values: T, Indices: I)";

}  // namespace

const Operator& top_k_operator() {
  static const Operator definition{
      .name = "TopK",
      .summary = "The k largest or smallest elements along an axis, with their positions.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Values: T, Indices: I)",
                    .types = "T: floats; I: int64",
                    .attributes = "axis: int = -1; k: int!"},
                   {.since = 10,
                    .signature = kSignature,
                    .types = "T: floats; I: int64",
                    .attributes = "axis: int = -1"},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T: numeric; I: int64",
                    .attributes = "axis: int = -1; largest: int = 1; sorted: int = 1"},
                   {.since = 24,
                    .signature = kSignature,
                    .types = "T: numeric bfloat16; I: int64",
                    .attributes = "axis: int = -1; largest: int = 1; sorted: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
