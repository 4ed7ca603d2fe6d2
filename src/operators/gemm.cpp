// Gemm: product of two matrices, optionally transposed, plus a third: alpha A B + beta C.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributesSince1 =
    "alpha: float = 1.0; beta: float = 1.0; broadcast: int = 0; transA: int = 0; "
    "transB: int = 0";
constexpr std::string_view kAttributesSince7 =
    "alpha: float = 1.0; beta: float = 1.0; transA: int = 0; transB: int = 0";

}  // namespace

const Operator& gemm_operator() {
  static const Operator definition{
      .name = "Gemm",
      .summary =
          "Product of two matrices, optionally transposed, plus a third: alpha A B + beta C.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince1},
                   {.since = 6,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince1},
                   {.since = 7,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince7},
                   {.since = 9,
                    .signature = "(A: T, B: T, C: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = kAttributesSince7},
                   {.since = 11,
                    .signature = "(A: T, B: T, C?: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = kAttributesSince7},
                   {.since = 13,
                    .signature = "(A: T, B: T, C?: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64 bfloat16",
                    .attributes = kAttributesSince7}},
  };
  return definition;
}

}  // namespace shipway
