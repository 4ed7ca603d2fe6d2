// Constant: a tensor written into the model itself.
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributes =
    "sparse_value: sparse_tensor?; value: tensor?; value_float: float?; "
    "value_floats: floats?; value_int: int?; value_ints: ints?; value_string: string?; "
    "value_strings: strings?";

/// The tensor that the one attribute given says, in whichever form.
Result<Tensor> constant_of(const AttributeReader& node) {
  if (const Tensor* value = node.tensor_attribute("value")) return *value;
  if (const SparseTensor* sparse = node.sparse_tensor_attribute("sparse_value"))
    return sparse->to_dense();
  if (node.has_attribute("value_int")) return Tensor::scalar(node.int_attribute("value_int"));
  if (node.has_attribute("value_float")) return Tensor::scalar(node.float_attribute("value_float"));
  if (node.has_attribute("value_string"))
    return Tensor::from_strings({}, {node.string_attribute("value_string")});
  if (node.has_attribute("value_ints")) return Tensor::vector(node.ints_attribute("value_ints"));
  if (node.has_attribute("value_floats")) {
    const std::span<const float> values = node.floats_attribute("value_floats");
    return Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
  }
  if (node.has_attribute("value_strings")) {
    const std::span<const std::string> values = node.strings_attribute("value_strings");
    return Tensor::from<std::string>({static_cast<int64_t>(values.size())}, values);
  }
  return Status::invalid_model("has none of the attributes that hold a value");
}

Status infer_constant(InferContext& context) {
  if (const SparseTensor* sparse = context.sparse_tensor_attribute("sparse_value")) {
    context.set_output(0, sparse->values.dtype(), to_dims(sparse->shape));
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor value, constant_of(context));
  context.set_output(0, value.dtype(), to_dims(value.shape()));
  if (is_followed(value.dtype()) && value.rank() <= 1 && value.element_count() <= kMaxFollowed) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> elements, to_ints(value));
    follow_elements(context, 0, value.dtype(), to_contents(elements));
  }
  return Status::ok();
}

Status evaluate_constant(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor value, constant_of(context));
  context.set_output(0, std::move(value));
  return Status::ok();
}

// Numbers and texts written as attributes of their own become the tensor they stand for.
Status downgrade_12(NodeRewrite& rewrite) {
  const Attribute& attribute = rewrite.node().attributes()[0];
  if (attribute.name == "value" || attribute.name == "sparse_value") return Status::ok();
  Tensor tensor;
  if (const auto* number = attribute.get<int64_t>()) tensor = Tensor::scalar(*number);
  if (const auto* number = attribute.get<float>()) tensor = Tensor::scalar(*number);
  if (const auto* text = attribute.get<std::string>()) tensor = Tensor::from_strings({}, {*text});
  if (const auto* list = attribute.get<std::vector<int64_t>>()) tensor = Tensor::vector(*list);
  if (const auto* list = attribute.get<std::vector<float>>())
    tensor = Tensor::from<float>({static_cast<int64_t>(list->size())}, *list);
  if (const auto* list = attribute.get<std::vector<std::string>>())
    tensor = Tensor::from_strings({static_cast<int64_t>(list->size())}, *list);
  if (!tensor.is_defined())
    return Status::unsupported("attribute '{}' came with opset 12", attribute.name);
  rewrite.remove_attribute(attribute.name);
  rewrite.set_attribute({"value", std::move(tensor)});
  return Status::ok();
}

// Version 1 held floats only; initializers always held everything.
Status downgrade_9(NodeRewrite& rewrite) {
  const Tensor* value = rewrite.tensor_attribute("value");
  if (!value) return Status::unsupported("attribute 'value' is missing");
  if (kind_of(value->dtype()) == DTypeKind::kFloat) return Status::ok();
  rewrite.replace("Identity", {rewrite.add_constant("value", *value)});
  return Status::ok();
}

}  // namespace

const Operator& constant_operator() {
  static const Operator definition{
      .name = "Constant",
      .summary = "A tensor written into the model itself.",
      .versions = {{.since = 1,
                    .signature = "() -> (output: T)",
                    .types = "T: floats",
                    .attributes = "value: tensor!"},
                   {.since = 9,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "value: tensor!",
                    .downgrade = downgrade_9},
                   {.since = 11,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "sparse_value: sparse_tensor?; value: tensor?"},
                   {.since = 12,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = kAttributes,
                    .downgrade = downgrade_12},
                   {.since = 13,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = kAttributes},
                   {.since = 19,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir9",
                    .attributes = kAttributes},
                   {.since = 21,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir10",
                    .attributes = kAttributes},
                   {.since = 23,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir11",
                    .attributes = kAttributes},
                   {.since = 24,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir12",
                    .attributes = kAttributes},
                   {.since = 25,
                    .signature = "() -> (output: T)",
                    .types = "T: all_ir13",
                    .attributes = kAttributes}},
      .infer = infer_constant,
      .evaluate = evaluate_constant,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
