#include "operators/infer.h"

#include <algorithm>

#include "base/text.h"
#include "graph/builder.h"
#include "operators/contents.h"
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

Type type_of_constant(const Constant& constant) {
  Dims dims;
  if (constant.sparse) {
    for (int64_t size : constant.sparse->shape) dims.push_back(size);
    return Type::sparse_tensor(constant.sparse->values.dtype(), std::move(dims));
  }
  for (int64_t size : constant.tensor.shape()) dims.push_back(size);
  return Type::tensor(constant.tensor.dtype(), std::move(dims));
}

class Inference {
 public:
  Inference(Model& model, const Registry& registry, const InferOptions& options)
      : model_(model),
        builder_(model),
        registry_(registry),
        options_(options),
        contents_(model.value_count()),
        known_(model.value_count()) {
    declared_.reserve(model.value_count());
    for (size_t i = 0; i < model.value_count(); ++i)
      declared_.push_back(model.value(ValueId{static_cast<int32_t>(i)}).type());
  }

  Status run(std::span<const std::pair<ValueId, Type>> inputs) {
    const GraphId graph = options_.graph.is_valid() ? options_.graph : model_.main_graph();
    for (ValueId id : model_.graph(graph).inputs())
      builder_.set_type(id, with_symbols(model_.value(id).type()));
    for (const auto& [id, type] : inputs) {
      SHIPWAY_ASSIGN_OR_RETURN(
          Type merged,
          merge(model_.value(id).type(), type).value_with_context("input", model_, id));
      builder_.set_type(id, std::move(merged));
    }
    return infer_graph(graph);
  }
  ContentsMap take_contents() { return std::move(contents_); }

 private:
  struct Merged {
    Result<Type> type;
    Result<Type> value_with_context(std::string_view what, const Model& model, ValueId id) && {
      if (type.is_ok()) return std::move(type).value();
      return type.status().with_context("{} {}", what, quoted(model.value(id).name()));
    }
  };
  Merged merge(const Type& declared, const Type& inferred) {
    return {merge_types(declared, inferred, model_.dims())};
  }

  /// True when `inferred` says of its shape no more than a rank, which is not the declared one.
  bool is_vague_rank(const Type& declared, const Type& inferred) const {
    const Dims* dims = inferred.dims();
    if (!dims || !declared.dims() || dims->size() == declared.dims()->size()) return false;
    return std::all_of(dims->begin(), dims->end(), [&](Dim dim) {
      return dim.is_unknown() || model_.dims().mentions_fresh(dim);
    });
  }

  static bool is_same_but_for_shape(const Type& declared, const Type& inferred) {
    return declared.kind() == TypeKind::kTensor && inferred.kind() == TypeKind::kTensor &&
           declared.dtype() == inferred.dtype();
  }

  /// Sizes that the file leaves open get symbols of their own.
  Type with_symbols(const Type& type) {
    if (!type.dims()) return type;
    Dims dims = *type.dims();
    for (Dim& dim : dims)
      if (dim.is_unknown()) dim = model_.dims().fresh();
    return type.with_dims(std::move(dims));
  }

  Status infer_graph(GraphId graph) {
    for (ValueId id : model_.graph(graph).initializers()) {
      const Value& value = model_.value(id);
      if (value.is_input()) continue;  // may be overridden: its declared type counts
      builder_.set_type(id, type_of_constant(*value.constant()));
    }
    for (const Node& node : model_.nodes(graph)) SHIPWAY_RETURN_IF_ERROR(infer_node(node));
    return Status::ok();
  }

  Status infer_node(const Node& node) {
    const Operator* op = registry_.find(node.domain(), node.op_type());
    const Schema* schema = op ? op->versions.newest() : nullptr;
    if (!op || !op->infer || !schema) return Status::ok();
    const Status status = infer_known_node(node, *op, *schema);
    if (status.is_ok() || !options_.strict || (options_.graph_wins && depth_ > 0))
      return Status::ok();
    if (options_.on_problem) {
      options_.on_problem(node.id(), status);
      return Status::ok();
    }
    return status.with_context("{}", model_.describe(node.id()));
  }

  Status infer_known_node(const Node& node, const Operator& op, const Schema& schema) {
    SHIPWAY_RETURN_IF_ERROR(check_form(node, schema));
    std::vector<InferContext::Input> inputs(node.inputs().size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      const ValueId id = node.input(i);
      if (!id.is_valid()) continue;
      inputs[i].present = true;
      inputs[i].type = model_.value(id).type();
      inputs[i].constant = model_.constant_tensor(id);
      if (!options_.follow_contents) continue;
      const auto index = static_cast<size_t>(id.index);
      inputs[i].contents = contents_[index];
      if (!inputs[i].constant) inputs[i].constant = known_[index].get();
    }
    const std::vector<RuntimeValue> known_inputs = known_values(inputs);
    InferContext context(op, node, schema, std::move(inputs), node.outputs().size(), model_.dims(),
                         [this](GraphId graph, std::span<const Type> types) {
                           return infer_subgraph(graph, types);
                         });
    SHIPWAY_RETURN_IF_ERROR(op.infer(context));
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const ValueId id = node.output(i);
      if (!id.is_valid()) continue;
      const InferContext::Output& output = context.outputs()[i];
      const Type& declared = declared_[static_cast<size_t>(id.index)];
      const Belief belief = options_.belief ? options_.belief(node) : Belief::kWhatFollows;
      const bool only_dtype =
          belief == Belief::kDeclaredShape ||
          (belief == Belief::kDeclaredRank && is_vague_rank(declared, output.type));
      Merged merged = only_dtype && output.type.is_tensor()
                          ? merge(declared, Type::tensor(output.type.dtype()))
                          : merge(declared, with_symbols(output.type));
      if (!merged.type.is_ok() && options_.graph_wins &&
          is_same_but_for_shape(declared, output.type))
        merged.type = with_symbols(output.type);
      SHIPWAY_ASSIGN_OR_RETURN(Type type,
                               std::move(merged).value_with_context("output", model_, id));
      builder_.set_type(id, std::move(type));
      if (!options_.follow_contents) continue;
      contents_[static_cast<size_t>(id.index)] = output.contents;
      known_[static_cast<size_t>(id.index)].reset();
    }
    if (!known_inputs.empty()) evaluate_known(node, op, schema, known_inputs);
    return Status::ok();
  }

  /// The inputs as tensors when all of them are small and the same in every run; else nothing.
  std::vector<RuntimeValue> known_values(std::span<const InferContext::Input> inputs) const {
    std::vector<RuntimeValue> values;
    for (const InferContext::Input& input : inputs) {
      if (!options_.follow_contents) return {};
      if (!input.present) {
        values.emplace_back();
      } else if (input.constant) {
        if (input.constant->element_count() > kMaxFollowed) return {};
        values.emplace_back(*input.constant);
      } else {
        const std::optional<Shape> shape = input.type.constant_shape();
        if (!input.contents || !shape) return {};
        std::vector<int64_t> elements;
        for (Dim dim : *input.contents) {
          if (!dim.is_constant()) return {};
          elements.push_back(dim.value());
        }
        const Result<int64_t> count = element_count(*shape);
        if (!count.is_ok() || *count != static_cast<int64_t>(elements.size())) return {};
        Result<Tensor> tensor = from_ints(input.type.dtype(), *shape, elements);
        if (!tensor.is_ok()) return {};
        values.emplace_back(std::move(tensor).value());
      }
    }
    return values;
  }

  /// Works out small outputs of a node whose inputs are known: exporters compute the pads of Pad by
  /// a chain of Concat, Reshape, Slice and Transpose whose elements stand in matrices, which
  /// `contents` does not follow.
  void evaluate_known(const Node& node, const Operator& op, const Schema& schema,
                      std::span<const RuntimeValue> inputs) {
    if (!op.evaluate || op.is_random() || !op.domain.empty() || !node.subgraphs().empty()) return;
    bool all_followed = true;
    for (ValueId id : node.outputs()) {
      if (!id.is_valid()) continue;
      const Type& type = model_.value(id).type();
      const std::optional<Shape> shape = type.constant_shape();
      const Result<int64_t> count =
          shape ? element_count(*shape) : Result<int64_t>(kMaxFollowed + 1);
      if (!count.is_ok() || *count > kMaxFollowed) return;
      const std::shared_ptr<const Contents>& contents = contents_[static_cast<size_t>(id.index)];
      all_followed = all_followed && contents &&
                     std::all_of(contents->begin(), contents->end(),
                                 [](Dim dim) { return dim.is_constant(); });
    }
    if (all_followed) return;
    std::vector<RuntimeValue> outputs(node.outputs().size());
    EvaluateContext context(op, node, schema, inputs, outputs);
    context.set_model(&model_);
    try {
      if (!op.evaluate(context).is_ok()) return;  // what is wrong is the run's to say
    } catch (const std::exception&) {
      return;
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Tensor* tensor = outputs[i].tensor();
      if (!node.output(i).is_valid() || !tensor) continue;
      const auto index = static_cast<size_t>(node.output(i).index);
      known_[index] = std::make_shared<const Tensor>(*tensor);
      if (!is_followed(tensor->dtype()) || tensor->rank() > 1 || !tensor->is_contiguous()) continue;
      if (const Result<std::vector<int64_t>> elements = to_ints(*tensor); elements.is_ok())
        contents_[index] = std::make_shared<const Contents>(to_contents(*elements));
    }
  }

  Result<std::vector<Type>> infer_subgraph(GraphId graph, std::span<const Type> inputs) {
    if (++depth_ > Type::kMaxDepth)
      return Status::limit("graphs are nested more than {} deep", Type::kMaxDepth);
    const std::span<const ValueId> formal = model_.graph(graph).inputs();
    for (size_t i = 0; i < formal.size(); ++i) {
      Type type = declared_[static_cast<size_t>(formal[i].index)];
      if (i < inputs.size()) {
        Merged merged = merge(type, inputs[i]);
        SHIPWAY_ASSIGN_OR_RETURN(
            type, std::move(merged).value_with_context("subgraph input", model_, formal[i]));
      }
      builder_.set_type(formal[i], with_symbols(type));
    }
    const Status status = infer_graph(graph);
    --depth_;
    SHIPWAY_RETURN_IF_ERROR(status);
    std::vector<Type> outputs;
    for (ValueId id : model_.graph(graph).outputs()) outputs.push_back(model_.value(id).type());
    return outputs;
  }

  Model& model_;
  ModelBuilder builder_;
  const Registry& registry_;
  const InferOptions& options_;
  ContentsMap contents_;
  std::vector<std::shared_ptr<const Tensor>>
      known_;  // small results that are the same in every run, by value
  std::vector<Type>
      declared_;  // as the file says, by value; subgraphs may be inferred more than once
  int depth_ = 0;
};

/// The more precise of two sizes; nothing when both are numbers that differ.
std::optional<Dim> merge_dims(Dim declared, Dim inferred, const DimTable& dims) {
  if (inferred.is_unknown() || declared == inferred) return declared;
  if (declared.is_unknown()) return inferred;
  if (declared.is_constant() && inferred.is_constant()) return std::nullopt;
  if (declared.is_constant()) {
    const DimRange range = dims.range(inferred);
    if (declared.value() < range.low || declared.value() > range.high) return std::nullopt;
    return declared;
  }
  if (inferred.is_constant()) return inferred;
  // Two expressions: the inferred one says more, unless all it says is "some size".
  return dims.mentions_fresh(inferred) && !dims.mentions_fresh(declared) ? declared : inferred;
}

}  // namespace

Result<Type> merge_types(const Type& declared, const Type& inferred, const DimTable& dims) {
  const auto conflict = [&] {
    return Status::invalid_model("declared as {}, but {} follows from the graph",
                                 to_string(declared, dims), to_string(inferred, dims));
  };
  if (inferred.kind() == TypeKind::kUnknown) return declared;
  if (declared.kind() == TypeKind::kUnknown) return inferred;
  if (declared.kind() != inferred.kind()) return conflict();
  switch (declared.kind()) {
    case TypeKind::kSequence:
    case TypeKind::kOptional:
    case TypeKind::kMap: {
      if (declared.dtype() != inferred.dtype()) return conflict();
      const Result<Type> element = merge_types(declared.element(), inferred.element(), dims);
      if (!element.is_ok()) return conflict();
      if (declared.kind() == TypeKind::kSequence) return Type::sequence(*element);
      if (declared.kind() == TypeKind::kOptional) return Type::optional(*element);
      return Type::map(declared.dtype(), *element);
    }
    case TypeKind::kTensor:
    case TypeKind::kSparseTensor:
      break;
    default:
      return declared;
  }
  if (inferred.dtype() != DType::kUndefined && declared.dtype() != DType::kUndefined &&
      inferred.dtype() != declared.dtype())
    return conflict();
  const Type& typed = declared.dtype() == DType::kUndefined ? inferred : declared;
  if (!inferred.dims()) return declared.dims() ? typed.with_dims(*declared.dims()) : typed;
  if (!declared.dims()) return typed.with_dims(*inferred.dims());
  if (declared.dims()->size() != inferred.dims()->size()) return conflict();
  Dims merged;
  for (size_t i = 0; i < declared.dims()->size(); ++i) {
    const std::optional<Dim> dim = merge_dims((*declared.dims())[i], (*inferred.dims())[i], dims);
    if (!dim) return conflict();
    merged.push_back(*dim);
  }
  return typed.with_dims(std::move(merged));
}

Status infer_shapes_for(Model& model, const Registry& registry,
                        std::span<const std::pair<ValueId, Type>> inputs,
                        const InferOptions& options) {
  return Inference(model, registry, options).run(inputs);
}

Status infer_shapes(Model& model, const Registry& registry, const InferOptions& options) {
  return infer_shapes_for(model, registry, {}, options);
}

Result<ContentsMap> infer_shapes_and_contents(Model& model, const Registry& registry,
                                              const InferOptions& options) {
  Inference inference(model, registry, options);
  SHIPWAY_RETURN_IF_ERROR(inference.run({}));
  return inference.take_contents();
}

}  // namespace shipway
