// If: runs one of two subgraphs, as a condition says.
#include "operators/contents.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_if(InferContext& context) {
  const auto infer_branch = [&](std::string_view name) -> Result<std::vector<Type>> {
    auto types = context.infer_subgraph(context.graph_attribute(name), {});
    if (!types.is_ok()) return types.status().with_context("attribute '{}'", name);
    if (types->size() != context.output_count())
      return Status::invalid_model("attribute '{}' has {} outputs, expected {}", name,
                                   types->size(), context.output_count());
    return types;
  };
  const std::optional<std::vector<int64_t>> condition = context.input_ints(0);
  if (condition && condition->size() == 1) {
    const bool taken = (*condition)[0] != 0;
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<Type> types,
                             infer_branch(taken ? "then_branch" : "else_branch"));
    for (size_t i = 0; i < types.size(); ++i) context.set_output(i, types[i]);
    // The other one never runs: what is wrong in it does not matter.
    (void)infer_branch(taken ? "else_branch" : "then_branch").is_ok();
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<Type> on_true, infer_branch("then_branch"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<Type> on_false, infer_branch("else_branch"));
  for (size_t i = 0; i < on_true.size(); ++i)
    context.set_output(i, join_types(on_true[i], on_false[i]));
  return Status::ok();
}

Status evaluate_if(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t condition, int_of(context.input(0), "cond"));
  const std::string_view name = condition != 0 ? "then_branch" : "else_branch";
  auto outputs = context.run_subgraph(context.graph_attribute(name), {});
  if (!outputs.is_ok()) return outputs.status().with_context("attribute '{}'", name);
  if (outputs->size() != context.output_count())
    return Status::invalid_model("attribute '{}' has {} outputs, expected {}", name,
                                 outputs->size(), context.output_count());
  for (size_t i = 0; i < outputs->size(); ++i) context.set_output(i, std::move((*outputs)[i]));
  return Status::ok();
}

}  // namespace

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
      .infer = infer_if,
      .evaluate = evaluate_if,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
