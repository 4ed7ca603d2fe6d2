// Loop: runs a subgraph again and again, carrying values from one iteration to the next.
#include <array>
#include <limits>

#include "operators/contents.h"
#include "operators/iterate.h"
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(M?: I, cond?: B, v_initial...{0}~: V) -> (v_final_and_scan_outputs...~: V)";

Status infer_loop(InferContext& context) {
  const std::array<Type, 2> leading = {Type::tensor(DType::kInt64, {}),
                                       Type::tensor(DType::kBool, {})};
  std::vector<Type> states;
  for (size_t i = 2; i < context.input_count(); ++i) states.push_back(context.input_type(i));
  SHIPWAY_ASSIGN_OR_RETURN(
      const BodyTypes types,
      infer_body(context, context.graph_attribute("body"), leading, std::move(states), {}, 1));
  if (types.states.size() + types.others.size() != context.output_count())
    return Status::invalid_model("attribute 'body' yields {} values, but the node has {} outputs",
                                 types.states.size() + types.others.size(), context.output_count());
  for (size_t i = 0; i < types.states.size(); ++i) context.set_output(i, types.states[i]);
  for (size_t i = 0; i < types.others.size(); ++i) {
    const Type& slice = types.others[i];
    const size_t output = types.states.size() + i;
    if (!slice.dims()) {
      context.set_output_dtype(output, slice.dtype());
      continue;
    }
    Dims dims = {Dim::unknown()};  // how often the body runs is known only afterwards
    // A size that the body made up belongs to one iteration.
    for (Dim dim : *slice.dims())
      dims.push_back(dim.is_known() && context.dims().mentions_fresh(dim) ? Dim::unknown() : dim);
    context.set_output(output, slice.dtype(), std::move(dims));
  }
  return Status::ok();
}

Status evaluate_loop(EvaluateContext& context) {
  const GraphId body = context.graph_attribute("body");
  int64_t most = std::numeric_limits<int64_t>::max();
  if (context.has_input(0)) {
    SHIPWAY_ASSIGN_OR_RETURN(most, int_of(context.input(0), "M"));
  }
  bool goes_on = true;
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t condition, int_of(context.input(1), "cond"));
    goes_on = condition != 0;
  }
  std::vector<RuntimeValue> states;
  for (size_t i = 2; i < context.input_count(); ++i) states.push_back(context.input_value(i));
  if (context.output_count() < states.size())
    return Status::invalid_model("has {} outputs, expected at least {}", context.output_count(),
                                 states.size());
  std::vector<Stack> stacks(context.output_count() - states.size());

  for (int64_t iteration = 0; goes_on && iteration < most; ++iteration) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    std::vector<RuntimeValue> inputs = {Tensor::scalar(iteration), Tensor::scalar(true)};
    inputs.insert(inputs.end(), states.begin(), states.end());
    states.clear();  // the body may reuse their memory
    auto outputs = context.run_subgraph(body, inputs);
    if (!outputs.is_ok()) return outputs.status().with_context("iteration {}", iteration);
    if (outputs->size() != context.output_count() + 1)
      return Status::invalid_model("attribute 'body' has {} outputs, expected {}", outputs->size(),
                                   context.output_count() + 1);
    const Tensor* condition = (*outputs)[0].tensor();
    if (!condition) return Status::invalid_model("attribute 'body' yields no condition");
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t value, int_of(*condition, "condition"));
    goes_on = value != 0;
    const size_t state_count = inputs.size() - 2;
    for (size_t i = 0; i < state_count; ++i) states.push_back(std::move((*outputs)[1 + i]));
    for (size_t i = 0; i < stacks.size(); ++i)
      SHIPWAY_RETURN_IF_ERROR(stacks[i].add((*outputs)[1 + state_count + i]));
  }
  for (size_t i = 0; i < states.size(); ++i) context.set_output(i, std::move(states[i]));
  for (size_t i = 0; i < stacks.size(); ++i) {
    const size_t output = states.size() + i;
    SHIPWAY_RETURN_IF_ERROR(
        stacks[i].finish(context, output, context.subgraph_output_type(body, output + 1)));
  }
  return Status::ok();
}

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
      .infer = infer_loop,
      .evaluate = evaluate_loop,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
