// Running sums and products along an axis: CumSum, CumProd.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kTypes = "T: floats int32 int64 uint32 uint64 bfloat16; T2: int32 int64";

}  // namespace

const Operator& cum_prod_operator() {
  static const Operator definition{
      .name = "CumProd",
      .summary = "Running product along one axis.",
      .versions = {{.since = 26,
                    .signature = "(x: T, axis: T2) -> (y: T)",
                    .types = kTypes,
                    .attributes = "exclusive: int = 0; reverse: int = 0"}},
  };
  return definition;
}

const Operator& cum_sum_operator() {
  static const Operator definition{
      .name = "CumSum",
      .summary = "Running sum along one axis.",
      .versions = {{.since = 11,
                    .signature = "(x: T, axis: T2) -> (y: T)",
                    .types = "T: float int32 int64 double uint32 uint64; T2: int32 int64",
                    .attributes = "exclusive: int = 0; reverse: int = 0"},
                   {.since = 14,
                    .signature = "(x: T, axis: T2) -> (y: T)",
                    .types = kTypes,
                    .attributes = "exclusive: int = 0; reverse: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
