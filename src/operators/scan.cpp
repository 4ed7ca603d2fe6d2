// Scan: runs a subgraph over slices of its inputs, carrying state and stacking what it yields.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(initial_state_and_scan_inputs...~: V) -> (final_state_and_scan_outputs...~: V)";
constexpr std::string_view kAttributes =
    "body: graph!; num_scan_inputs: int!; scan_input_axes: ints?; "
    "scan_input_directions: ints?; scan_output_axes: ints?; "
    "scan_output_directions: ints?";

}  // namespace

const Operator& scan_operator() {
  static const Operator definition{
      .name = "Scan",
      .summary =
          "Runs a subgraph over slices of its inputs, carrying state and stacking what it yields.",
      .versions =
          {{.since = 8,
            .signature =
                "(sequence_lens?: I, "
                "initial_state_and_scan_inputs...~: V) -> (final_state_and_scan_outputs...~: V)",
            .types = "I: int64; V: all_ir3",
            .attributes = "body: graph!; directions: ints?; num_scan_inputs: int!"},
           {.since = 9, .signature = kSignature, .types = "V: all_ir3", .attributes = kAttributes},
           {.since = 11, .signature = kSignature, .types = "V: all_ir3", .attributes = kAttributes},
           {.since = 16, .signature = kSignature, .types = "V: all_ir4", .attributes = kAttributes},
           {.since = 19, .signature = kSignature, .types = "V: all_ir9", .attributes = kAttributes},
           {.since = 21,
            .signature = kSignature,
            .types = "V: all_ir10",
            .attributes = kAttributes},
           {.since = 23,
            .signature = kSignature,
            .types = "V: all_ir11",
            .attributes = kAttributes},
           {.since = 24,
            .signature = kSignature,
            .types = "V: all_ir12",
            .attributes = kAttributes},
           {.since = 25,
            .signature = kSignature,
            .types = "V: all_ir13",
            .attributes = kAttributes}},
  };
  return definition;
}

}  // namespace shipway
