// Where along an axis the largest or smallest element stands.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "axis: int = 0; keepdims: int = 1; select_last_index: int = 0";

}  // namespace

const Operator& arg_max_operator() {
  static const Operator definition{
      .name = "ArgMax",
      .summary = "Position of the largest element along an axis.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& arg_min_operator() {
  static const Operator definition{
      .name = "ArgMin",
      .summary = "Position of the smallest element along an axis.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric",
                    .attributes = kAttributes},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: int64)",
                    .types = "T: numeric bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
