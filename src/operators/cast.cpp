// Conversion of elements to another dtype: Cast, CastLike.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kTypesSince13 =
    "T1: numeric string bool bfloat16; T2: numeric string bool bfloat16";
constexpr std::string_view kTypesSince19 =
    "T1: numeric float8s string bool bfloat16; T2: numeric float8s string bool bfloat16";
constexpr std::string_view kTypesSince21 =
    "T1: numeric float8s int4s string bool bfloat16; "
    "T2: numeric float8s int4s string bool bfloat16";
constexpr std::string_view kTypesSince23 =
    "T1: numeric float8s int4s string bool bfloat16 float4e2m1; "
    "T2: numeric float8s int4s string bool bfloat16 float4e2m1";
constexpr std::string_view kTypesSince24 =
    "T1: numeric float8s int4s string bool bfloat16 float4e2m1 float8e8m0; "
    "T2: numeric float8s int4s string bool bfloat16 float4e2m1 float8e8m0";
constexpr std::string_view kCastAttributes =
    "round_mode: string = 'up'; saturate: int = 1; to: int!";
constexpr std::string_view kTypesSince25 =
    "T1: numeric float8s int4s int2s string bool bfloat16 float4e2m1 float8e8m0; "
    "T2: numeric float8s int4s int2s string bool bfloat16 float4e2m1 float8e8m0";
constexpr std::string_view kCastLikeSignature = "(input: T1, target_type: T2) -> (output: T2)";

}  // namespace

const Operator& cast_operator() {
  static const Operator definition{
      .name = "Cast",
      .summary = "Converts every element to another dtype.",
      .versions = {{.since = 1,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool; T2: numeric bool",
                    .attributes = "to: string!"},
                   {.since = 6,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric bool; T2: numeric bool",
                    .attributes = "to: int!"},
                   {.since = 9,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric string bool; T2: numeric string bool",
                    .attributes = "to: int!"},
                   {.since = 13,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince13,
                    .attributes = "to: int!"},
                   {.since = 19,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince19,
                    .attributes = "saturate: int = 1; to: int!"},
                   {.since = 21,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince21,
                    .attributes = "saturate: int = 1; to: int!"},
                   {.since = 23,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince23,
                    .attributes = "saturate: int = 1; to: int!"},
                   {.since = 24,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince24,
                    .attributes = kCastAttributes},
                   {.since = 25,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = kTypesSince25,
                    .attributes = kCastAttributes},
                   {.since = 28,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: numeric float8s int4s int2s float6s string bool bfloat16 "
                             "float4e2m1 float8e8m0; "
                             "T2: numeric float8s int4s int2s float6s string bool bfloat16 "
                             "float4e2m1 float8e8m0",
                    .attributes = kCastAttributes}},
  };
  return definition;
}

const Operator& cast_like_operator() {
  static const Operator definition{
      .name = "CastLike",
      .summary = "Converts every element to the dtype of a second tensor.",
      .versions = {{.since = 15, .signature = kCastLikeSignature, .types = kTypesSince13},
                   {.since = 19,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince19,
                    .attributes = "saturate: int = 1"},
                   {.since = 21,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince21,
                    .attributes = "saturate: int = 1"},
                   {.since = 23,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince23,
                    .attributes = "saturate: int = 1"},
                   {.since = 24,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince24,
                    .attributes = "round_mode: string = 'up'; saturate: int = 1"},
                   {.since = 25,
                    .signature = kCastLikeSignature,
                    .types = kTypesSince25,
                    .attributes = "round_mode: string = 'up'; saturate: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
