// Softmax and its relatives LogSoftmax and Hardmax.
#include "operators/operator.h"

namespace shipway {

const Operator& hardmax_operator() {
  static const Operator definition{
      .name = "Hardmax",
      .summary = "One at the first maximum along an axis, zero elsewhere.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1"}},
  };
  return definition;
}

const Operator& log_softmax_operator() {
  static const Operator definition{
      .name = "LogSoftmax",
      .summary = "Logarithm of Softmax, computed without overflow.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1"}},
  };
  return definition;
}

const Operator& softmax_operator() {
  static const Operator definition{
      .name = "Softmax",
      .summary = "Exponentials divided by their sum along an axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 11,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "axis: int = 1"},
                   {.since = 13,
                    .signature = "(input: T) -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "axis: int = -1"}},
  };
  return definition;
}

}  // namespace shipway
