// Optionals: values that may be absent.
#include "operators/operator.h"

namespace shipway {

const Operator& optional_operator() {
  static const Operator definition{
      .name = "Optional",
      .summary = "Wraps a value, or nothing, as an optional.",
      .versions = {{.since = 15,
                    .signature = "(input?: V) -> (output: O)",
                    .types = "V: all_ir3 seq(all_ir3); O: optional(all_ir3) optional(seq(all_ir3))",
                    .attributes = "type: type_proto?"},
                   {.since = 28,
                    .signature = "(input?: V) -> (output: O)",
                    .types =
                        "V: all_ir14 seq(all_ir14); O: optional(all_ir14) optional(seq(all_ir14))",
                    .attributes = "type: type_proto?"}},
  };
  return definition;
}

const Operator& optional_get_element_operator() {
  static const Operator definition{
      .name = "OptionalGetElement",
      .summary = "Takes the value out of an optional.",
      .versions = {{.since = 15,
                    .signature = "(input: O) -> (output: V)",
                    .types =
                        "O: optional(all_ir3) optional(seq(all_ir3)); V: all_ir3 seq(all_ir3)"},
                   {.since = 18,
                    .signature = "(input: O) -> (output: V)",
                    .types = "O: all_ir3 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3)); "
                             "V: all_ir3 seq(all_ir3)"},
                   {.since = 28,
                    .signature = "(input: O) -> (output: V)",
                    .types =
                        "O: all_ir14 seq(all_ir14) optional(all_ir14) optional(seq(all_ir14)); "
                        "V: all_ir14 seq(all_ir14)"}},
  };
  return definition;
}

const Operator& optional_has_element_operator() {
  static const Operator definition{
      .name = "OptionalHasElement",
      .summary = "True when an optional holds a value.",
      .versions =
          {{.since = 15,
            .signature = "(input: O) -> (output: B)",
            .types = "O: optional(all_ir3) optional(seq(all_ir3)); B: bool"},
           {.since = 18,
            .signature = "(input?: O) -> (output: B)",
            .types = "O: all_ir3 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3)); B: bool"},
           {.since = 28,
            .signature = "(input?: O) -> (output: B)",
            .types =
                "O: all_ir14 seq(all_ir14) optional(all_ir14) optional(seq(all_ir14)); B: bool"}},
  };
  return definition;
}

}  // namespace shipway
