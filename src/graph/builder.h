// ModelBuilder: makes Models. For readers, tracing and the text parser; passes edit through Patch
// instead.
#pragma once

#include "shipway/model.h"

namespace shipway {

/// A node to be made. Outputs are values without a producer (an invalid id: an output left out).
struct NodeSpec {
  std::string op_type;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<Attribute> attributes;
  std::string name;
  std::string domain;
  std::string overload;
};

/// The primitive edits, each O(its own size), each keeping uses, producers and captures right. They
/// check only what would break the data structure; whether the graph is legal is the checker's
/// question (graph/verify.h, shipway/checker.h). Graphs are built inside out or outside in: a
/// subgraph's GraphId must exist before the node that owns it is added.
class ModelBuilder {
 public:
  explicit ModelBuilder(Model& model) : model_(model) {}
  Model& model() { return model_; }

  GraphId add_graph(std::string name);
  void set_graph_name(GraphId graph, std::string name);
  ValueId add_value(GraphId graph, std::string name, Type type = {});
  void add_input(GraphId graph, ValueId value);
  /// Inputs that have data stop being inputs: nobody can override them any more.
  void drop_inputs_with_data(GraphId graph);
  void add_output(GraphId graph, ValueId value);
  /// Gives the value data; it becomes an initializer of its graph.
  void add_initializer(ValueId value, Constant constant);
  void add_state(GraphId graph, StatePair state);
  void add_function(Function function);
  /// Every function then imports what the model imports (after a step that brought all bodies to
  /// those opsets).
  void import_model_opsets_in_functions();

  /// Appends, or inserts before `before`. The node's source is itself (a new SourceNode) unless
  /// `sources` are given.
  Result<NodeId> add_node(GraphId graph, NodeSpec spec, NodeId before = {},
                          std::optional<std::vector<SourceId>> sources = {});
  SourceId add_source(SourceNode source);
  /// Detaches the node from the values it uses and makes. Its outputs stay as values without a
  /// producer, its subgraphs as graphs without an owner: give them to another node, or
  /// remove_graph.
  void remove_node(NodeId node);
  /// Forgets all that a graph without an owner holds, the graphs inside it too.
  void remove_graph(GraphId graph);
  /// Forgets a value that has no producer, no uses and is no input or output.
  Status remove_value(ValueId value);

  void set_input(NodeId node, size_t input, ValueId value);
  void set_inputs(NodeId node, std::span<const ValueId> inputs);
  void set_attribute(NodeId node, Attribute attribute);
  void remove_attribute(NodeId node, std::string_view name);
  void set_op(NodeId node, std::string domain, std::string op_type);
  void set_type(ValueId value, Type type) { value_at(value).type_ = std::move(type); }
  void set_name(ValueId value, std::string name);
  void set_output(GraphId graph, size_t output, ValueId value);
  /// Drops the data of these initializers (the order of the others is kept). Linear in each graph's
  /// initializers, so drop many at once.
  void remove_initializers(std::span<const ValueId> values);
  /// Replaces the data of an initializer.
  void set_constant(ValueId value, Constant constant);

  Annotation& annotate(Entity entity) { return model_.annotations_[std::move(entity)]; }
  void remove_annotation(const Entity& entity) { model_.annotations_.erase(entity); }
  /// `hint`, or `hint_1`, `hint_2`, ...: a name no value or node of the model has.
  std::string unique_name(std::string_view hint);

 private:
  Value& value_at(ValueId id) { return model_.values_[static_cast<size_t>(id.index)]; }
  Node& node_at(NodeId id) { return model_.nodes_[static_cast<size_t>(id.index)]; }
  Graph& graph_at(GraphId id) { return model_.graphs_[static_cast<size_t>(id.index)]; }
  int32_t add_use(ValueId value, Use use);
  void remove_use(ValueId value, int32_t slot);
  int32_t& slot_of(const Use& use, ValueId value);
  void attach_inputs(Node& node, std::span<const ValueId> inputs);
  void detach_inputs(Node& node);
  void attach_captures(Node& node);
  void detach_captures(Node& node);
  void add_capture(GraphId where, ValueId value);
  void drop_capture(GraphId where, ValueId value);
  bool node_captures(Node& node, ValueId value);
  bool node_lets_go(Node& node, ValueId value);

  Model& model_;
};

}  // namespace shipway
