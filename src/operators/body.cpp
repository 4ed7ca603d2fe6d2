#include "operators/body.h"

#include <algorithm>

#include "graph/builder.h"
#include "operators/infer.h"
#include "operators/reference.h"
#include "operators/shape_rules.h"
#include "operators/upgrade.h"
#include "shipway/opset.h"

namespace shipway {
namespace {

/// The body of `node` as a patch; an error says what of its types is not known.
Result<Patch> body_of(const Model& model, const Node& node, const Schema& schema) {
  SHIPWAY_RETURN_IF_ERROR(check_form(node, schema));
  NodeRewrite rewrite(model, node, schema, newest_opset(""));
  SHIPWAY_RETURN_IF_ERROR(schema.upgrade(rewrite));
  return rewrite.take_patch();
}

/// The nodes of the graphs that a run computes, and whose operator has a body.
std::vector<NodeId> nodes_with_body(const Model& model, const Registry& registry) {
  const std::vector<const Function*> function_of = functions_of_graphs(model);
  std::vector<NodeId> found;
  for (size_t i = 0; i < model.node_count(); ++i) {
    const Node& node = model.node(NodeId{static_cast<int32_t>(i)});
    if (node.is_removed() || function_of[static_cast<size_t>(node.graph().index)]) continue;
    const Operator* op = registry.find(node.domain(), node.op_type());
    if (op && has_body(*op)) found.push_back(node.id());
  }
  return found;
}

/// A model of one node, to be replaced by its body; inputs and outputs are those of `like`.
class BodyModel {
 public:
  BodyModel(const Node& like, const Schema& schema) : schema_(&schema), builder_(model_) {
    model_.opset_imports = {{"", newest_opset("")}, {like.domain(), schema.since}};
    spec_.op_type = like.op_type();
    spec_.domain = like.domain();
    spec_.attributes.assign(like.attributes().begin(), like.attributes().end());
    for (size_t i = 0; i < like.outputs().size(); ++i) {
      ValueId id;
      if (like.output(i).is_valid()) {
        id = builder_.add_value(model_.main_graph(), "out" + std::to_string(i));
        builder_.add_output(model_.main_graph(), id);
      }
      spec_.outputs.push_back(id);
    }
  }

  Model& model() { return model_; }
  ValueId output(size_t i) const { return spec_.outputs[i]; }
  void leave_out_input() { spec_.inputs.emplace_back(); }
  void add_input(Type type, const Tensor* constant) {
    const ValueId id = builder_.add_value(
        model_.main_graph(), "in" + std::to_string(spec_.inputs.size()), std::move(type));
    if (constant)
      builder_.add_initializer(id, Constant{.tensor = *constant});
    else
      builder_.add_input(model_.main_graph(), id);
    spec_.inputs.push_back(id);
  }
  Status expand() {
    SHIPWAY_ASSIGN_OR_RETURN(const NodeId id, builder_.add_node(model_.main_graph(), spec_));
    SHIPWAY_ASSIGN_OR_RETURN(Patch body, body_of(model_, model_.node(id), *schema_));
    return std::move(body).apply(model_);
  }

 private:
  const Schema* schema_;
  Model model_;
  ModelBuilder builder_;
  NodeSpec spec_;
};

/// The element type of output `i` where the schema lets it follow from one input, or from nothing.
DType declared_dtype(const InferContext& context, size_t i) {
  const FormalParameter* output = context.schema().output(i);
  if (!output) return DType::kUndefined;
  for (size_t k = 0; k < context.input_count(); ++k)
    if (const FormalParameter* input = context.schema().input(k);
        input && input->type_name == output->type_name &&
        context.input_dtype(k) != DType::kUndefined)
      return context.input_dtype(k);
  const uint32_t dtypes = output->types.mask(TypeSet::Kind::kTensor);
  for (int n = 0; n < 32; ++n)
    if (dtypes == uint32_t{1} << n) return static_cast<DType>(n);
  return DType::kUndefined;
}

Status infer_body(const InferContext& context, BodyModel& body) {
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (context.has_input(i))
      body.add_input(context.input_type(i), context.input_constant(i));
    else
      body.leave_out_input();
  }
  SHIPWAY_RETURN_IF_ERROR(body.expand());
  return infer_shapes(body.model(), Registry::built_in());
}

/// Why a node is refused whatever its sizes turn out to be; nothing when they may help.
std::optional<std::string> lasting_refusal(const Model& model, const Node& node,
                                           const Schema& schema) {
  BodyModel body(node, schema);
  for (ValueId id : node.inputs()) {
    if (!id.is_valid()) {
      body.leave_out_input();
      continue;
    }
    const Type& type = model.value(id).type();
    if (!type.dims() || type.dtype() == DType::kUndefined) return std::nullopt;
    Dims dims = *type.dims();
    for (Dim& dim : dims)
      if (!dim.is_constant()) dim = 1;
    body.add_input(type.with_dims(std::move(dims)), model.constant_tensor(id));
  }
  const Status status = body.expand();
  if (status.code() != StatusCode::kUnsupported) return std::nullopt;
  return status.message();
}

}  // namespace

bool has_body(const Operator& op) {
  const Schema* newest = op.versions.newest();
  // What ONNX itself took back (Upsample, Scatter) has no step from its last version.
  return newest && newest->upgrade;
}

Status expand_bodies(Model& model, const Registry& registry) {
  const std::vector<NodeId> nodes = nodes_with_body(model, registry);
  if (nodes.empty()) return Status::ok();
  SHIPWAY_RETURN_IF_ERROR(infer_shapes(model, registry, {.graph_wins = true}));
  std::string refused;
  for (NodeId id : nodes) {
    const Node& node = model.node(id);
    const Operator& op = *registry.find(node.domain(), node.op_type());
    Result<Patch> body = body_of(model, node, *op.versions.newest());
    if (body.is_ok()) {
      SHIPWAY_RETURN_IF_ERROR(std::move(*body).apply(model).with_context("body of {}", op.name));
    } else if (const auto why = lasting_refusal(model, node, *op.versions.newest())) {
      refused += (refused.empty() ? "" : "; ") + model.describe(id) + ": " + *why;
    }  // else the run tells
  }
  return refused.empty() ? Status::ok() : Status::unsupported("{}", refused);
}

Status infer_by_body(InferContext& context) {
  BodyModel body(context.node(), context.schema());
  // Sizes are numbers in a table, so the body must share it.
  body.model().dims() = std::move(context.dims());
  const Status status = infer_body(context, body);
  context.dims() = std::move(body.model().dims());
  if (!status.is_ok() && status.code() != StatusCode::kUnsupported) return status;
  for (size_t i = 0; i < context.output_count(); ++i) {
    if (!status.is_ok())
      context.set_output_dtype(i, declared_dtype(context, i));
    else if (body.output(i).is_valid())
      context.set_output(i, body.model().value(body.output(i)).type());
  }
  return Status::ok();
}

Status evaluate_by_body(EvaluateContext& context) {
  BodyModel body(context.node(), context.schema());
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) {
      body.leave_out_input();
      continue;
    }
    const Tensor& tensor = context.input(i);
    if (!tensor.is_defined()) return Status::invalid_argument("input {} is no tensor", i);
    body.add_input(Type::tensor(tensor.dtype(), to_dims(tensor.shape())), &tensor);
  }
  SHIPWAY_RETURN_IF_ERROR(body.expand());
  ReferenceRunner runner(body.model(), Registry::built_in());
  if (context.limits()) runner.set_limits(*context.limits());
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<RuntimeValue> results, runner.run({}));
  size_t next = 0;
  for (size_t i = 0; i < context.output_count(); ++i)
    if (context.has_output(i)) context.set_output(i, std::move(results[next++]));
  return Status::ok();
}

Result<DType> known_dtype(const NodeRewrite& rewrite, size_t i) {
  const DType dtype = rewrite.input_type(i).dtype();
  if (dtype == DType::kUndefined)
    return Status::unsupported("the dtype of input {} is not known before the run", i);
  return dtype;
}

ValueId make_output(NodeRewrite& rewrite, size_t i, std::string op_type,
                    std::vector<ValueId> inputs, std::vector<Attribute> attributes) {
  const ValueId output = rewrite.node().output(i);
  if (!output.is_valid())
    return rewrite.insert(std::move(op_type), std::move(inputs), std::move(attributes));
  rewrite.replace(std::move(op_type), std::move(inputs), std::move(attributes), "", {{output}});
  return output;
}

}  // namespace shipway
