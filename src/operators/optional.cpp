// Optionals: values that may be absent.
#include "operators/operator.h"

namespace shipway {

namespace {

// At run time an optional that holds something is the thing itself, and an empty one is absent.

Status infer_optional(InferContext& context) {
  if (context.has_input(0)) {
    if (context.input_type(0).kind() != TypeKind::kUnknown)
      context.set_output(0, Type::optional(context.input_type(0)));
  } else if (const Type* type = context.type_attribute("type")) {
    context.set_output(0, Type::optional(*type));
  } else {
    return Status::invalid_model("has neither an input nor the attribute 'type'");
  }
  return Status::ok();
}

Status evaluate_optional(EvaluateContext& context) {
  context.set_output(0, context.has_input(0) ? context.input_value(0) : RuntimeValue());
  return Status::ok();
}

Status infer_optional_get_element(InferContext& context) {
  const Type& type = context.input_type(0);
  context.set_output(0, type.kind() == TypeKind::kOptional ? type.element() : type);
  return Status::ok();
}

Status evaluate_optional_get_element(EvaluateContext& context) {
  if (!context.has_input(0)) return Status::invalid_argument("the optional holds nothing");
  context.set_output(0, context.input_value(0));
  return Status::ok();
}

Status infer_optional_has_element(InferContext& context) {
  context.set_output(0, DType::kBool, {});
  return Status::ok();
}

Status evaluate_optional_has_element(EvaluateContext& context) {
  context.set_output(0, Tensor::scalar(context.has_input(0)));
  return Status::ok();
}

}  // namespace

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
      .infer = infer_optional,
      .evaluate = evaluate_optional,
      .accuracy = Accuracy::exact(),
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
      .infer = infer_optional_get_element,
      .evaluate = evaluate_optional_get_element,
      .accuracy = Accuracy::exact(),
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
      .infer = infer_optional_has_element,
      .evaluate = evaluate_optional_has_element,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
