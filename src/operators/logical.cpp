// Logic on booleans, with broadcasting.
#include <functional>

#include "operators/broadcast_upgrade.h"
#include "operators/follow_binary.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// Output 0 [bool] = f(input 0, input 1), both 0 or 1.
template <typename F>
Status evaluate_logic(EvaluateContext& context) {
  return zip_elements<uint64_t>(context, DType::kBool,
                                [](uint64_t x, uint64_t y) { return F()(x, y); });
}

Status evaluate_not(EvaluateContext& context) {
  return map_elements<uint64_t>(context, DType::kBool, [](uint64_t x) { return x == 0; });
}

Dim and_dims(DimTable&, Dim x, Dim y) {
  if (x == Dim(0) || y == Dim(0)) return 0;
  return x == Dim(1) && y == Dim(1) ? Dim(1) : Dim::unknown();
}
Dim or_dims(DimTable&, Dim x, Dim y) {
  if (x == Dim(1) || y == Dim(1)) return 1;
  return x == Dim(0) && y == Dim(0) ? Dim(0) : Dim::unknown();
}
Dim xor_dims(DimTable&, Dim x, Dim y) {
  return x.is_constant() && y.is_constant() ? Dim(int64_t{x != y}) : Dim::unknown();
}

template <Dim (*f)(DimTable&, Dim, Dim)>
Status infer_logic(InferContext& context) {
  SHIPWAY_RETURN_IF_ERROR(infer_broadcast_to_bool(context));
  follow_elementwise(context, f);
  return Status::ok();
}

Status infer_not(InferContext& context) {
  context.set_output(0, context.input_type(0));
  if (std::optional<Contents> contents = context.input_contents(0)) {
    for (Dim& dim : *contents) dim = dim.is_constant() ? Dim(1 - dim.value()) : Dim::unknown();
    context.set_output_contents(0, std::move(*contents));
  }
  return Status::ok();
}

}  // namespace

const Operator& and_operator() {
  static const Operator definition{
      .name = "And",
      .summary = "True where both operands are true, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .downgrade = downgrade_broadcast_either_way}},
      .infer = infer_logic<and_dims>,
      .evaluate = evaluate_logic<std::bit_and<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& not_operator() {
  static const Operator definition{
      .name = "Not",
      .summary = "Turns true into false and back.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: bool"}},
      .infer = infer_not,
      .evaluate = evaluate_not,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& or_operator() {
  static const Operator definition{
      .name = "Or",
      .summary = "True where either operand is true, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .downgrade = downgrade_broadcast_either_way}},
      .infer = infer_logic<or_dims>,
      .evaluate = evaluate_logic<std::bit_or<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& xor_operator() {
  static const Operator definition{
      .name = "Xor",
      .summary = "True where exactly one operand is true, broadcasting.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .attributes = "axis: int?; broadcast: int = 0",
                    .upgrade = upgrade_broadcast_attributes},
                   {.since = 7,
                    .signature = "(A: T, B: T) -> (C: T1)",
                    .types = "T: bool; T1: bool",
                    .downgrade = downgrade_broadcast_either_way}},
      .infer = infer_logic<xor_dims>,
      .evaluate = evaluate_logic<std::bit_xor<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
