// Patch: the only way to edit a Model. A rule returns one; the driver applies it.
#pragma once

#include "graph/builder.h"

namespace shipway {

/// A list of edits, made while reading the Model and applied at once. A value that is made anew has
/// a provisional id until then, which may stand in any later call on the same Patch.
///
/// Values keep their ids and names: a new node that makes an existing value `y` "takes y over" (its
/// old producer must be removed by the same Patch), so uses of y and graph outputs need no edit.
/// New nodes go before `anchor`, in the order they were added, and count as made from the source
/// nodes of every node that the Patch removes.
class Patch {
 public:
  /// `anchor`: a node of the graph to edit; new nodes are inserted before it (it may itself be
  /// removed).
  explicit Patch(NodeId anchor) : anchor_(anchor) {}
  /// For edits that add no nodes.
  Patch() = default;

  /// A new value; its name is made from `hint`.
  ValueId add_value(std::string hint, Type type = {});
  /// A new initializer.
  ValueId add_constant(std::string hint, Tensor tensor);
  /// A new node. Outputs may be provisional or existing values (taken over).
  void add_node(NodeSpec spec);
  /// The common case: a new node with one new output, whose id is returned.
  ValueId add_node(std::string op_type, std::vector<ValueId> inputs,
                   std::vector<Attribute> attributes = {}, std::string hint = "", Type type = {});
  /// Its outputs must be unused afterwards or taken over.
  void remove_node(NodeId node) { removed_nodes_.push_back(node); }
  /// Every use of `value` (inputs of nodes, in subgraphs too, and graph outputs) becomes a use of
  /// `with`. Graph outputs keep their names: where `value` is one, an Identity stays.
  void replace_uses(ValueId value, ValueId with) { replaced_.push_back({value, with}); }
  void set_input(NodeId node, size_t input, ValueId value) {
    inputs_.push_back({node, input, value});
  }
  void set_inputs(NodeId node, std::vector<ValueId> inputs) {
    input_lists_.push_back({node, std::move(inputs)});
  }
  void set_attribute(NodeId node, Attribute attribute) {
    attributes_.push_back({node, std::move(attribute)});
  }
  void remove_attribute(NodeId node, std::string name) {
    dropped_attributes_.push_back({node, std::move(name)});
  }
  void set_type(ValueId value, Type type) { types_.push_back({value, std::move(type)}); }
  void set_op(NodeId node, std::string domain, std::string op_type) {
    ops_.push_back({node, std::move(domain), std::move(op_type)});
  }
  /// Gives an existing value data: it becomes an initializer with its id, name and uses. Its
  /// producer must be removed by the same Patch. Its type becomes the tensor's.
  void make_constant(ValueId value, Tensor tensor) {
    constants_.push_back({value, std::move(tensor)});
  }
  /// Values without a producer, uses or place among inputs and outputs (initializers included) are
  /// forgotten.
  void remove_value(ValueId value) { removed_values_.push_back(value); }

  bool empty() const;
  NodeId anchor() const { return anchor_; }
  /// How many edits it holds, for `--max-rewrites` and logs.
  size_t size() const;

  /// The nodes around what it edits, itself not yet applied: what a driver looks at again. Of a
  /// value with very many users only the first 64.
  std::vector<NodeId> neighbourhood(const Model& model) const;

  /// Makes the edits. On error the Model must not be used further (errors here are mistakes of a
  /// rule, kInternal).
  Status apply(Model& model) &&;

 private:
  struct NewValue {
    std::string hint;
    Type type;
    Tensor constant;
  };
  struct Replacement {
    ValueId value, with;
  };
  struct Input {
    NodeId node;
    size_t input;
    ValueId value;
  };
  struct InputList {
    NodeId node;
    std::vector<ValueId> inputs;
  };
  struct NodeAttribute {
    NodeId node;
    Attribute attribute;
  };
  struct NodeName {
    NodeId node;
    std::string name;
  };
  struct Op {
    NodeId node;
    std::string domain, op_type;
  };

  NodeId anchor_;
  std::vector<NewValue> new_values_;  // provisional id -2 - i
  std::vector<NodeSpec> new_nodes_;
  std::vector<NodeId> removed_nodes_;
  std::vector<Replacement> replaced_;
  std::vector<Input> inputs_;
  std::vector<InputList> input_lists_;
  std::vector<NodeAttribute> attributes_;
  std::vector<NodeName> dropped_attributes_;
  std::vector<std::pair<ValueId, Type>> types_;
  std::vector<Op> ops_;
  std::vector<std::pair<ValueId, Tensor>> constants_;
  std::vector<ValueId> removed_values_;
};

}  // namespace shipway
