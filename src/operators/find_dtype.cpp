#include "operators/find_dtype.h"

#include "operators/registry.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

DType declared_dtype(const Model& model, ValueId id) {
  const Value& value = model.value(id);
  if (const Constant* constant = value.constant())
    return constant->sparse ? constant->sparse->values.dtype() : constant->tensor.dtype();
  return value.type().is_tensor() ? value.type().dtype() : DType::kUndefined;
}

}  // namespace

DType find_dtype(const Model& model, ValueId id) {
  constexpr int kMaxSteps = 10000;
  for (int step = 0; step < kMaxSteps && id.is_valid(); ++step) {
    if (const DType dtype = declared_dtype(model, id); dtype != DType::kUndefined) return dtype;
    if (const Tensor* tensor = model.constant_tensor(id)) return tensor->dtype();
    const Value& value = model.value(id);
    if (!value.producer().is_valid()) return DType::kUndefined;
    const Node& node = model.node(value.producer());
    if (node.is("Cast")) {
      const Attribute* to = node.attribute("to");
      const int64_t* number = to ? to->get<int64_t>() : nullptr;
      return number && is_valid_dtype(*number) ? static_cast<DType>(*number) : DType::kUndefined;
    }
    const Operator* op = Registry::built_in().find(node.domain(), node.op_type());
    const Schema* schema = op ? op->versions.newest() : nullptr;
    const FormalParameter* output =
        schema ? schema->output(static_cast<size_t>(value.producer_output())) : nullptr;
    if (!output) return DType::kUndefined;
    for (DType dtype : {DType::kBool, DType::kInt64, DType::kInt32, DType::kFloat32})
      if (output->types.texts() ==
          std::vector<std::string>{TypeSet::text(TypeSet::Kind::kTensor, dtype)})
        return dtype;
    // An input of the same type that is declared ends the walk; else it goes on with the first.
    ValueId next;
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const FormalParameter* input = schema->input(i);
      if (!node.input(i).is_valid() || !input || input->type_name != output->type_name) continue;
      if (const DType dtype = declared_dtype(model, node.input(i)); dtype != DType::kUndefined)
        return dtype;
      if (!next.is_valid()) next = node.input(i);
    }
    id = next;
  }
  return DType::kUndefined;
}

Result<ValueId> add_scalar_like(NodeRewrite& rewrite, size_t i, std::string hint, double value) {
  const DType dtype = find_dtype(rewrite.model(), rewrite.node().input(i));
  if (dtype == DType::kUndefined)
    return Status::unsupported(
        "a constant of the dtype of input {} is needed, which the model does not say", i);
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, from_doubles(dtype, {}, std::vector<double>{value}));
  return rewrite.add_constant(std::move(hint), std::move(tensor));
}

}  // namespace shipway
