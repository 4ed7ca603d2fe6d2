// Reductions: many elements become one, over all or some axes.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kTypesSince13 = "T: floats int32 int64 uint32 uint64 bfloat16";
constexpr std::string_view kAttributes = "keepdims: int = 1; noop_with_empty_axes: int = 0";
constexpr std::string_view kTypesReduceMaxSince13 =
    "T: floats uint8 int8 int32 int64 uint32 uint64 bfloat16";

}  // namespace

const Operator& reduce_l1_operator() {
  static const Operator definition{
      .name = "ReduceL1",
      .summary = "Sum of absolute values over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_l2_operator() {
  static const Operator definition{
      .name = "ReduceL2",
      .summary = "Square root of the sum of squares over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_log_sum_operator() {
  static const Operator definition{
      .name = "ReduceLogSum",
      .summary = "Logarithm of the sum over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes},
                   {.since = 28,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_log_sum_exp_operator() {
  static const Operator definition{
      .name = "ReduceLogSumExp",
      .summary = "Logarithm of the sum of exponentials over axes, without overflow.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes},
                   {.since = 28,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_max_operator() {
  static const Operator definition{
      .name = "ReduceMax",
      .summary = "Largest element over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = kAttributes},
                   {.since = 20,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 bool uint32 uint64 bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_mean_operator() {
  static const Operator definition{
      .name = "ReduceMean",
      .summary = "Mean over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_min_operator() {
  static const Operator definition{
      .name = "ReduceMin",
      .summary = "Smallest element over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 12,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesReduceMaxSince13,
                    .attributes = kAttributes},
                   {.since = 20,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = "T: floats uint8 int8 int32 int64 bool uint32 uint64 bfloat16",
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_prod_operator() {
  static const Operator definition{
      .name = "ReduceProd",
      .summary = "Product over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_sum_operator() {
  static const Operator definition{
      .name = "ReduceSum",
      .summary = "Sum over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes}},
  };
  return definition;
}

const Operator& reduce_sum_square_operator() {
  static const Operator definition{
      .name = "ReduceSumSquare",
      .summary = "Sum of squares over axes.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 11,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = "T: floats int32 int64 uint32 uint64",
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 13,
                    .signature = "(data: T) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = "axes: ints?; keepdims: int = 1"},
                   {.since = 18,
                    .signature = "(data: T, axes?: int64) -> (reduced: T)",
                    .types = kTypesSince13,
                    .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
