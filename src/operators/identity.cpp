// Identity: hands its input on.
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status evaluate_identity(EvaluateContext& context) {
  context.set_output(0, context.input_value(0));
  return Status::ok();
}

}  // namespace

const Operator& identity_operator() {
  static const Operator definition{
      .name = "Identity",
      .summary = "Hands its input on.",
      .versions = {{.since = 1, .signature = "(input: T) -> (output: T)", .types = "T: all_ir3"},
                   {.since = 13, .signature = "(input: T) -> (output: T)", .types = "T: all_ir4"},
                   {.since = 14,
                    .signature = "(input: V) -> (output: V)",
                    .types = "V: all_ir4 seq(all_ir3)"},
                   {.since = 16,
                    .signature = "(input: V) -> (output: V)",
                    .types = "V: all_ir4 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3))"},
                   {.since = 19,
                    .signature = "(input: V) -> (output: V)",
                    .types = "V: all_ir9 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3))"},
                   {.since = 21,
                    .signature = "(input: V) -> (output: V)",
                    .types = "V: all_ir10 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3))"},
                   {.since = 23,
                    .signature = "(input: V) -> (output: V)",
                    .types = "V: all_ir11 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3))"},
                   {.since = 24,
                    .signature = "(input: V) -> (output: V)",
                    .types = "V: all_ir12 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3))"},
                   {.since = 25,
                    .signature = "(input: V) -> (output: V)",
                    .types = "V: all_ir13 seq(all_ir3) optional(all_ir3) optional(seq(all_ir3))"}},
      .infer = infer_same_as_first_input,
      .evaluate = evaluate_identity,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
