#include "graph/model_copier.h"

#include <utility>

namespace shipway {

ModelCopier::ModelCopier(const Model& from, Model& to, DimTables dims, Names names)
    : from_(from),
      to_(to),
      dim_tables_(dims),
      names_(std::move(names)),
      values_(from.value_count()),
      graphs_(from.graph_count()),
      sources_(from.source_count()) {
  if (dims == DimTables::kTake) to.dims() = from.dims();
  graphs_[index(from.main_graph())] = to.main_graph();
}

void ModelCopier::copy_head() {
  Model& to = to_.model();
  to.dialect = from_.dialect;
  to.ir_version = from_.ir_version;
  to.producer_name = from_.producer_name;
  to.producer_version = from_.producer_version;
  to.domain = from_.domain;
  to.doc_string = from_.doc_string;
  to.model_version = from_.model_version;
  to.opset_imports = from_.opset_imports;
  to.metadata = from_.metadata;
  to.path = from_.path;
  annotate({Entity::Kind::kModel, 0, {}}, {Entity::Kind::kModel, 0, {}});
}

void ModelCopier::describe_main_graph() {
  const Annotation* said = from_.annotation({Entity::Kind::kGraph, from_.main_graph().index, {}});
  if (!said || (said->doc_string.empty() && said->metadata.empty())) return;
  Annotation& copy = to_.annotate({Entity::Kind::kGraph, to_.model().main_graph().index, {}});
  copy.doc_string = said->doc_string;
  copy.metadata = said->metadata;
}

void ModelCopier::annotate(const Entity& from, Entity to) {
  if (const Annotation* annotation = from_.annotation(from))
    to_.annotate(std::move(to)) = *annotation;
}

void ModelCopier::annotate_attributes(int32_t from, int32_t to) {
  const auto& all = from_.annotations();
  for (auto at = all.lower_bound({Entity::Kind::kAttribute, from, ""});
       at != all.end() && at->first.kind == Entity::Kind::kAttribute && at->first.index == from;
       ++at)
    to_.annotate({Entity::Kind::kAttribute, to, at->first.attribute}) = at->second;
}

Dim ModelCopier::dim(Dim dim) {
  if (dim_tables_ == DimTables::kTake || !dim.is_expression()) return dim;
  const DimTable& theirs = from_.dims();
  DimTable& ours = to_.model().dims();
  if (theirs.mentions_fresh(dim)) return Dim::unknown();
  // Another expression than a symbol becomes a symbol of its text, as it does in a file.
  const Dim copy = ours.symbol(theirs.to_string(dim));
  if (theirs.is_symbol(dim)) ours.set_range(copy, theirs.range(dim));
  return copy;
}

Type ModelCopier::type(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kTensor:
    case TypeKind::kSparseTensor: {
      if (!type.dims()) return type;
      Dims dims;
      for (Dim one : *type.dims()) dims.push_back(dim(one));
      return type.with_dims(std::move(dims));
    }
    case TypeKind::kSequence:
      return Type::sequence(this->type(type.element()));
    case TypeKind::kOptional:
      return Type::optional(this->type(type.element()));
    case TypeKind::kMap:
      return Type::map(type.dtype(), this->type(type.element()));
    default:
      return type;
  }
}

SourceId ModelCopier::source(SourceId id) {
  SourceId& copy = sources_[index(id)];
  if (!copy.is_valid()) copy = to_.add_source(from_.source(id));
  return copy;
}

ValueId ModelCopier::value(ValueId id) {
  if (!id.is_valid()) return id;
  ValueId& copy = values_[index(id)];
  if (copy.is_valid()) return copy;
  const Value& value = from_.value(id);
  copy = to_.add_value(graphs_[index(value.graph())],
                       names_.value ? names_.value(value) : value.name(), type(value.type()));
  annotate({Entity::Kind::kValue, id.index, {}}, {Entity::Kind::kValue, copy.index, {}});
  return copy;
}

ValueId ModelCopier::initializer(ValueId id) {
  const ValueId copy = value(id);
  if (replaced_.contains(id) || to_.model().value(copy).is_initializer()) return copy;
  to_.add_initializer(copy, *from_.value(id).constant());
  annotate({Entity::Kind::kInitializer, id.index, {}},
           {Entity::Kind::kInitializer, copy.index, {}});
  return copy;
}

Result<Attribute> ModelCopier::attribute(const Attribute& attribute) {
  Attribute copy = attribute;
  if (GraphId* graph = std::get_if<GraphId>(&copy.value)) {
    SHIPWAY_ASSIGN_OR_RETURN(*graph, subgraph(*graph));
  } else if (auto* graphs = std::get_if<std::vector<GraphId>>(&copy.value)) {
    for (GraphId& one : *graphs) {
      SHIPWAY_ASSIGN_OR_RETURN(one, subgraph(one));
    }
  } else if (Type* one = std::get_if<Type>(&copy.value)) {
    *one = type(*one);
  } else if (auto* types = std::get_if<std::vector<Type>>(&copy.value)) {
    for (Type& each : *types) each = type(each);
  }
  return copy;
}

Status ModelCopier::node(const Node& node) {
  NodeSpec copy;
  copy.op_type = node.op_type();
  copy.domain = node.domain();
  copy.overload = node.overload();
  copy.name = names_.node ? names_.node(node) : node.name();
  if (const Function* function =
          names_.function ? from_.find_function(node.domain(), node.op_type(), node.overload())
                          : nullptr)
    copy.op_type = names_.function(*function);
  for (ValueId input : node.inputs()) copy.inputs.push_back(value(input));
  for (const Attribute& one : node.attributes()) {
    SHIPWAY_ASSIGN_OR_RETURN(copy.attributes.emplace_back(), attribute(one));
  }
  for (ValueId output : node.outputs()) {
    ValueId made = value(output);
    // What a caller now gives as an input, the node still makes, for nobody.
    if (made.is_valid() && to_.model().value(made).is_input())
      made =
          to_.add_value(graphs_[index(node.graph())], to_.unique_name(from_.value(output).name()),
                        to_.model().value(made).type());
    copy.outputs.push_back(made);
  }
  std::vector<SourceId> sources;
  for (SourceId one : node.sources()) sources.push_back(source(one));
  SHIPWAY_ASSIGN_OR_RETURN(const NodeId id, to_.add_node(graphs_[index(node.graph())],
                                                         std::move(copy), {}, std::move(sources)));
  annotate({Entity::Kind::kNode, node.id().index, {}}, {Entity::Kind::kNode, id.index, {}});
  annotate_attributes(node.id().index, id.index);
  return Status::ok();
}

Status ModelCopier::nodes(GraphId graph) {
  for (const Node& one : from_.nodes(graph)) SHIPWAY_RETURN_IF_ERROR(node(one));
  return Status::ok();
}

Result<GraphId> ModelCopier::subgraph(GraphId id) {
  const Graph& graph = from_.graph(id);
  const GraphId copy = graphs_[index(id)] = to_.add_graph(graph.name());
  for (ValueId input : graph.inputs()) to_.add_input(copy, value(input));
  for (ValueId one : graph.initializers()) initializer(one);
  SHIPWAY_RETURN_IF_ERROR(nodes(id));
  for (ValueId output : graph.outputs()) to_.add_output(copy, value(output));
  for (const StatePair& one : graph.states()) state(one);
  annotate({Entity::Kind::kGraph, id.index, {}}, {Entity::Kind::kGraph, copy.index, {}});
  return copy;
}

void ModelCopier::state(const StatePair& state) {
  to_.add_state(graphs_[index(from_.value(state.input).graph())],
                {value(state.input), value(state.output), state.initial});
}

Status ModelCopier::main_graph() {
  const Graph& graph = from_.graph();
  for (ValueId one : graph.initializers()) initializer(one);
  SHIPWAY_RETURN_IF_ERROR(nodes(from_.main_graph()));
  for (const StatePair& one : graph.states()) state(one);
  return Status::ok();
}

Status ModelCopier::function(size_t position) {
  Function copy = from_.functions()[position];
  const auto new_position = static_cast<int32_t>(to_.model().functions().size());
  const auto old_position = static_cast<int32_t>(position);
  // Names inside a body are its own.
  Names inside;
  inside.function = names_.function;
  std::swap(names_, inside);
  const Result<GraphId> body = subgraph(copy.body);
  Status status = body.status();
  for (Attribute& one : copy.attribute_defaults) {
    if (!status.is_ok()) break;
    Result<Attribute> copied = attribute(one);
    status = copied.status();
    if (status.is_ok()) one = *std::move(copied);
  }
  std::swap(names_, inside);
  SHIPWAY_RETURN_IF_ERROR(status.with_context("function '{}'", copy.name));
  if (names_.function) copy.name = names_.function(from_.functions()[position]);
  copy.body = *body;
  to_.add_function(std::move(copy));
  annotate({Entity::Kind::kFunction, old_position, {}},
           {Entity::Kind::kFunction, new_position, {}});
  annotate_attributes(-1 - old_position, -1 - new_position);
  return Status::ok();
}

}  // namespace shipway
