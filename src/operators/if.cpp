// If: runs one of two subgraphs, as a condition says.
#include "operators/operator.h"

namespace shipway {

const Operator& if_operator() {
  static const Operator definition{
      .name = "If",
      .summary = "Runs one of two subgraphs, as a condition says.",
      .versions =
          {{.since = 1,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir3; B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 11,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir3; B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 13,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir3 seq(all_ir3); B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 16,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir4 seq(all_ir4) optional(all_ir4) optional(seq(all_ir4)); B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 19,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir9 seq(all_ir9) optional(all_ir9) optional(seq(all_ir4)); B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 21,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir10 seq(all_ir10) optional(all_ir10) optional(seq(all_ir4)); B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 23,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir11 seq(all_ir11) optional(all_ir11) optional(seq(all_ir4)); B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 24,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir12 seq(all_ir12) optional(all_ir12) optional(seq(all_ir4)); B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"},
           {.since = 25,
            .signature = "(cond: B) -> (outputs...~: V)",
            .types = "V: all_ir13 seq(all_ir13) optional(all_ir13) optional(seq(all_ir4)); B: bool",
            .attributes = "else_branch: graph!; then_branch: graph!"}},
  };
  return definition;
}

}  // namespace shipway
