// Small integer values whose elements inference proves to be numbers become initializers: what is
// left of Shape -> Gather
// -> Mul -> Concat when some sizes are symbols and others are not.
#include "base/text.h"
#include "passes/match.h"
#include "passes/pipelines.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

std::optional<Tensor> proven(const Value& value, const std::vector<Dim>& contents) {
  const Type& type = value.type();
  const Dims* dims = type.is_tensor() ? type.dims() : nullptr;
  if (!dims || dims->size() > 1 || kind_of(type.dtype()) != DTypeKind::kSigned) return std::nullopt;
  if (dims->size() == 1 ? (*dims)[0] != Dim(static_cast<int64_t>(contents.size()))
                        : contents.size() != 1)
    return std::nullopt;
  std::vector<int64_t> numbers;
  for (Dim dim : contents) {
    if (!dim.is_constant()) return std::nullopt;
    numbers.push_back(dim.value());
  }
  Shape shape;
  if (dims->size() == 1) shape.push_back(static_cast<int64_t>(numbers.size()));
  Result<Tensor> tensor = from_ints(type.dtype(), std::move(shape), numbers);
  return tensor.is_ok() ? std::optional(*std::move(tensor)) : std::nullopt;
}

Status fold_shape_arithmetic(PassContext& context) {
  const Model& model = context.model();
  SHIPWAY_ASSIGN_OR_RETURN(const ContentsMap contents, context.infer());
  for (GraphId graph : context.graphs()) {
    for (NodeId id = model.graph(graph).first_node(); id.is_valid() && !context.is_exhausted();) {
      const Node& node = model.node(id);
      id = node.next();
      if (node.outputs().size() != 1 || !node.output(0).is_valid() || !node.subgraphs().empty())
        continue;
      const auto index = static_cast<size_t>(node.output(0).index);
      if (!contents[index]) continue;
      std::optional<Tensor> tensor = proven(model.value(node.output(0)), *contents[index]);
      if (!tensor) continue;
      Patch patch(node.id());
      patch.remove_node(node.id());
      patch.make_constant(node.output(0), *std::move(tensor));
      SHIPWAY_RETURN_IF_ERROR(context.apply(std::move(patch)));
    }
  }
  return Status::ok();
}

}  // namespace

const Pass kFoldShapeArithmetic = {"fold_shape_arithmetic",
                                   "replaces small integers that inference proves", 2, nullptr,
                                   fold_shape_arithmetic};

}  // namespace shipway
