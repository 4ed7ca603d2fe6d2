// ConstantOfShape: fills a tensor of a given shape with one value.
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

/// The one element of the attribute, 0.0f without it.
Result<Tensor> fill_value(const AttributeReader& node) {
  const Tensor* value = node.tensor_attribute("value");
  if (!value) return Tensor::scalar(0.0f);
  if (value->element_count() != 1)
    return Status::invalid_model("attribute 'value' has {} elements, expected one",
                                 value->element_count());
  return *value;
}

Status infer_constant_of_shape(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor value, fill_value(context));
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> sizes, sizes_of_input(context, 0, "input"));
  if (!sizes) {
    context.set_output_dtype(0, value.dtype());
    return Status::ok();
  }
  context.set_output(0, value.dtype(), *sizes);
  const bool is_short = sizes->empty() || (sizes->size() == 1 && (*sizes)[0].is_constant() &&
                                           (*sizes)[0].value() <= kMaxFollowed);
  if (is_short && is_followed(value.dtype())) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> element, to_ints(value));
    const int64_t count = sizes->empty() ? 1 : (*sizes)[0].value();
    follow_elements(context, 0, value.dtype(), Contents(static_cast<size_t>(count), element[0]));
  }
  return Status::ok();
}

Status evaluate_constant_of_shape(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor value, fill_value(context));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, shape_of(context.input(0), "input"));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements element, Elements::of(value));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, value.dtype(), shape));
  y.fill(element);
  return y.finish(context, 0);
}

Status expand_constant_of_shape(NodeRewrite& rewrite) {
  const Tensor* value = rewrite.tensor_attribute("value");
  rewrite.replace("Expand", {rewrite.add_constant("value", value ? *value : Tensor::scalar(0.0f)),
                             rewrite.node().input(0)});
  return Status::ok();
}

}  // namespace

const Operator& constant_of_shape_operator() {
  static const Operator definition{
      .name = "ConstantOfShape",
      .summary = "Fills a tensor of a given shape with one value.",
      .versions =
          {{.since = 9,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric bool",
            .attributes = "value: tensor?",
            .downgrade = expand_constant_of_shape},
           {.since = 20,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s bool bfloat16",
            .attributes = "value: tensor?"},
           {.since = 21,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s int4s bool bfloat16",
            .attributes = "value: tensor?"},
           {.since = 23,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s int4s bool bfloat16 float4e2m1",
            .attributes = "value: tensor?"},
           {.since = 24,
            .signature = "(input: T1) -> (output: T2)",
            .types = "T1: int64; T2: numeric float8s int4s bool bfloat16 float4e2m1 float8e8m0",
            .attributes = "value: tensor?"},
           {.since = 25,
            .signature = "(input: T1) -> (output: T2)",
            .types =
                "T1: int64; T2: numeric float8s int4s int2s bool bfloat16 float4e2m1 float8e8m0",
            .attributes = "value: tensor?"}},
      .infer = infer_constant_of_shape,
      .evaluate = evaluate_constant_of_shape,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
