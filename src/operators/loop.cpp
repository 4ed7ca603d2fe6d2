// Loop: runs a subgraph again and again, carrying values from one iteration to the next.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(M?: I, cond?: B, v_initial...{0}~: V) -> (v_final_and_scan_outputs...~: V)";

}  // namespace

const Operator& loop_operator() {
  static const Operator definition{
      .name = "Loop",
      .summary = "Runs a subgraph again and again, carrying values from one iteration to the next.",
      .versions =
          {{.since = 1,
            .signature = "(M?: I, cond?: B, v_initial...~: V) -> (v_final_and_scan_outputs...~: V)",
            .types = "V: all_ir3; I: int64; B: bool",
            .attributes = "body: graph!"},
           {.since = 11,
            .signature = kSignature,
            .types = "V: all_ir3; I: int64; B: bool",
            .attributes = "body: graph!"},
           {.since = 13,
            .signature = kSignature,
            .types = "V: all_ir3 seq(all_ir3); I: int64; B: bool",
            .attributes = "body: graph!"},
           {.since = 16,
            .signature = kSignature,
            .types = "V: all_ir4 seq(all_ir4) optional(all_ir4) optional(seq(all_ir4)); I: int64; "
                     "B: bool",
            .attributes = "body: graph!"},
           {.since = 19,
            .signature = kSignature,
            .types = "V: all_ir9 seq(all_ir9) optional(all_ir9) optional(seq(all_ir4)); I: int64; "
                     "B: bool",
            .attributes = "body: graph!"},
           {.since = 21,
            .signature = kSignature,
            .types =
                "V: all_ir10 seq(all_ir10) optional(all_ir10) optional(seq(all_ir4)); I: int64; "
                "B: bool",
            .attributes = "body: graph!"},
           {.since = 23,
            .signature = kSignature,
            .types =
                "V: all_ir11 seq(all_ir11) optional(all_ir11) optional(seq(all_ir4)); I: int64; "
                "B: bool",
            .attributes = "body: graph!"},
           {.since = 24,
            .signature = kSignature,
            .types =
                "V: all_ir12 seq(all_ir12) optional(all_ir12) optional(seq(all_ir4)); I: int64; "
                "B: bool",
            .attributes = "body: graph!"},
           {.since = 25,
            .signature = kSignature,
            .types =
                "V: all_ir13 seq(all_ir13) optional(all_ir13) optional(seq(all_ir4)); I: int64; "
                "B: bool",
            .attributes = "body: graph!"}},
  };
  return definition;
}

}  // namespace shipway
