// Model: a graph of operators over values, in any dialect, with everything its file said.
//
// Nodes, values and graphs are addressed by ids that stay valid for the Model's life and are never
// reused. Everything is read through const accessors; a ModelBuilder (graph/builder.h) makes
// Models, and a Patch (graph/patch.h) is the only way to edit one. A Model can be copied: tensors
// are shared, the rest is its own.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "shipway/dim.h"
#include "shipway/tensor.h"

namespace shipway {

template <typename Tag>
struct Id {
  int32_t index = -1;
  constexpr bool is_valid() const { return index >= 0; }
  friend constexpr auto operator<=>(Id, Id) = default;
};
using ValueId = Id<struct ValueTag>;  // an invalid one stands for an optional input left out
using NodeId = Id<struct NodeTag>;
using GraphId = Id<struct GraphTag>;
using SourceId = Id<struct SourceTag>;  // a node of the source file (see Provenance)

// ----------------------------------------------------------------------------------------------
// types

enum class TypeKind : uint8_t {
  kUnknown,
  kTensor,
  kSparseTensor,
  kSequence,
  kOptional,
  kMap,
  kOpaque
};

using Dims = InlineVector<Dim, 4>;

/// What is known of a value before the run: a tree, for sequences of tensors and the like. Cheap to
/// copy.
class Type {
 public:
  static constexpr int kMaxDepth = 100;

  Type() = default;  // nothing known
  static Type tensor(DType dtype) { return Type(TypeKind::kTensor, dtype); }
  static Type tensor(DType dtype, Dims dims);
  static Type sparse_tensor(DType dtype, std::optional<Dims> dims = {});
  static Type sequence(Type element);
  static Type optional(Type element);
  static Type map(DType key, Type value);
  static Type opaque(std::string domain, std::string name);

  TypeKind kind() const { return kind_; }
  bool is_tensor() const { return kind_ == TypeKind::kTensor; }
  /// Of a tensor or sparse tensor: its elements; of a map: its keys. kUndefined when not known.
  DType dtype() const { return dtype_; }
  /// Of a tensor or sparse tensor: its sizes, null when even the rank is unknown.
  const Dims* dims() const { return has_dims_ ? &dims_ : nullptr; }
  /// Of a sequence, an optional or a map: what it holds.
  const Type& element() const;
  const std::string& opaque_domain() const;
  const std::string& opaque_name() const;
  /// How deep the tree is: 1 for a tensor. Readers refuse trees past kMaxDepth.
  int depth() const { return depth_; }
  /// The shape when every size is a number.
  std::optional<Shape> constant_shape() const;
  /// The same tensor type with other sizes.
  Type with_dims(Dims dims) const;

  friend bool operator==(const Type& a, const Type& b);

 private:
  explicit Type(TypeKind kind, DType dtype = DType::kUndefined) : kind_(kind), dtype_(dtype) {}
  TypeKind kind_ = TypeKind::kUnknown;
  DType dtype_ = DType::kUndefined;
  bool has_dims_ = false;
  uint8_t depth_ = 1;
  Dims dims_;
  std::shared_ptr<const Type> element_;
  std::shared_ptr<const std::pair<std::string, std::string>> opaque_;  // domain, name
};

/// ONNX's notation with dims: "float[N,3,H*2,W]", "float" (rank unknown), "seq(int64[?])",
/// "map(string,float)".
std::string to_string(const Type& type, const DimTable& dims);

// ----------------------------------------------------------------------------------------------
// attributes

using AttributeValue =
    std::variant<std::monostate, int64_t, float, std::string, Tensor, SparseTensor, GraphId, Type,
                 std::vector<int64_t>, std::vector<float>, std::vector<std::string>,
                 std::vector<Tensor>, std::vector<SparseTensor>, std::vector<GraphId>,
                 std::vector<Type>>;

/// The kinds in the order of AttributeValue's alternatives.
enum class AttributeKind : uint8_t {
  kUndefined,
  kInt,
  kFloat,
  kString,
  kTensor,
  kSparseTensor,
  kGraph,
  kType,
  kInts,
  kFloats,
  kStrings,
  kTensors,
  kSparseTensors,
  kGraphs,
  kTypes,
};
/// "int", "float", "string", "tensor", "sparse_tensor", "graph", "type_proto", "ints", ...
std::string_view to_string(AttributeKind kind);

/// A named constant of a node. Strings are bytes. Inside a function's body it may instead refer to
/// an attribute of the function (`refers_to`), and then has its declared kind but no value of its
/// own.
struct Attribute {
  std::string name;
  AttributeValue value;
  std::string refers_to;
  AttributeKind declared_kind = AttributeKind::kUndefined;  // only when refers_to is set

  AttributeKind kind() const {
    return refers_to.empty() ? static_cast<AttributeKind>(value.index()) : declared_kind;
  }
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
};

// ----------------------------------------------------------------------------------------------
// values

/// The data of an initializer: dense or sparse, and where its file kept it when outside.
struct ExternalData {
  std::string location;  // relative to the model's folder
  int64_t offset = 0;
  int64_t length = -1;  // -1: to the end of the file
  std::vector<std::pair<std::string, std::string>>
      entries;  // as written, "checksum" and unknown keys included
};
struct Constant {
  Tensor tensor;  // of a sparse initializer: undefined
  std::shared_ptr<const SparseTensor> sparse;
  std::shared_ptr<const ExternalData> external;
};

/// One place where a value goes in. `input` counts the node's inputs; kCapture stands for a use
/// inside one of the node's subgraphs.
struct Use {
  static constexpr int32_t kCapture = -1;
  NodeId node;
  int32_t input = 0;
  friend bool operator==(const Use&, const Use&) = default;
};

/// An edge: made by one node's output, a graph input or an initializer, and used anywhere in its
/// graph and in the graphs inside.
class Value {
 public:
  ValueId id() const { return id_; }
  const std::string& name() const { return name_; }
  const Type& type() const { return type_; }
  GraphId graph() const { return graph_; }
  /// The node that makes it; invalid for graph inputs and initializers.
  NodeId producer() const { return producer_; }
  int32_t producer_output() const { return producer_output_; }
  bool is_input() const { return is_input_; }
  /// How often it stands in its graph's outputs.
  int output_count() const { return output_count_; }
  bool is_initializer() const { return constant_ != nullptr; }
  /// Its data when it is an initializer, also one that is an input too, which a caller may override
  /// at run time: use Model::constant_tensor to ask for what cannot change.
  const Constant* constant() const { return constant_.get(); }
  const std::shared_ptr<const Constant>& shared_constant() const { return constant_; }
  std::span<const Use> uses() const { return uses_; }
  bool is_removed() const { return removed_; }

 private:
  friend class ModelBuilder;
  friend class Verifier;
  friend class VerifyTest;  // breaks what the verifier must find
  friend class Model;
  ValueId id_;
  GraphId graph_;
  NodeId producer_;
  int32_t producer_output_ = 0;
  int32_t output_count_ = 0;
  bool is_input_ = false;
  bool removed_ = false;
  std::string name_;
  Type type_;
  std::shared_ptr<const Constant> constant_;
  InlineVector<Use, 2> uses_;
};

// ----------------------------------------------------------------------------------------------
// nodes, graphs

/// One use of an operator.
class Node {
 public:
  NodeId id() const { return id_; }
  GraphId graph() const { return graph_; }
  const std::string& name() const { return name_; }
  /// "" for ai.onnx (readers write "ai.onnx" as ""); "shipway" for operators that only Shipway has.
  const std::string& domain() const { return domain_; }
  const std::string& op_type() const { return op_type_; }
  const std::string& overload() const { return overload_; }
  bool is(std::string_view op_type, std::string_view domain = "") const {
    return op_type_ == op_type && domain_ == domain;
  }
  std::span<const ValueId> inputs() const { return inputs_; }
  /// The id of input i; invalid when left out or past the end.
  ValueId input(size_t i) const { return i < inputs_.size() ? inputs_[i] : ValueId{}; }
  std::span<const ValueId> outputs() const { return outputs_; }
  ValueId output(size_t i) const { return i < outputs_.size() ? outputs_[i] : ValueId{}; }
  /// Outer values that its subgraphs use, each once, sorted.
  std::span<const ValueId> captures() const { return captures_; }
  std::span<const Attribute> attributes() const { return attributes_; }
  const Attribute* attribute(std::string_view name) const;
  /// The graphs in its attributes, in order.
  std::vector<GraphId> subgraphs() const;
  /// The nodes of the source file that it stands for, sorted.
  std::span<const SourceId> sources() const { return sources_; }
  NodeId next() const { return next_; }
  NodeId previous() const { return previous_; }
  bool is_removed() const { return removed_; }

 private:
  friend class ModelBuilder;
  friend class Verifier;
  friend class VerifyTest;  // breaks what the verifier must find
  NodeId id_, next_, previous_;
  GraphId graph_;
  bool removed_ = false;
  std::string name_, domain_, op_type_, overload_;
  InlineVector<ValueId, 4> inputs_;
  InlineVector<ValueId, 2> outputs_;
  InlineVector<ValueId, 1> captures_;
  // Where each input and each capture stands in its value's list of uses, so that a use leaves in
  // O(1) even when a million nodes share the value. Captures also count how many of the subgraphs
  // use the value.
  InlineVector<int32_t, 4> input_slots_;
  InlineVector<int32_t, 1> capture_slots_;
  InlineVector<int32_t, 1> capture_counts_;
  InlineVector<SourceId, 1> sources_;
  std::vector<Attribute> attributes_;
};

/// A pair of values that one run hands to the next: KV cache, recurrent state, a variable.
struct StatePair {
  ValueId input, output;
  Tensor initial;  // undefined: zeros of the input's type
};

class Graph {
 public:
  GraphId id() const { return id_; }
  const std::string& name() const { return name_; }
  /// The node whose attribute it is; invalid for the main graph and function bodies.
  NodeId owner() const { return owner_; }
  std::span<const ValueId> inputs() const { return inputs_; }
  std::span<const ValueId> outputs() const { return outputs_; }
  /// Values with data, in the file's order.
  std::span<const ValueId> initializers() const { return initializers_; }
  std::span<const StatePair> states() const { return states_; }
  NodeId first_node() const { return first_node_; }
  NodeId last_node() const { return last_node_; }
  size_t node_count() const { return node_count_; }

 private:
  friend class ModelBuilder;
  friend class Verifier;
  friend class VerifyTest;  // breaks what the verifier must find
  GraphId id_;
  NodeId owner_;
  std::string name_;
  std::vector<ValueId> inputs_, outputs_, initializers_;
  // Outer values used inside -> how often: inputs of its nodes, its outputs, captures of its nodes.
  std::map<ValueId, int32_t> captured_;
  std::vector<StatePair> states_;
  NodeId first_node_, last_node_;
  size_t node_count_ = 0;
};

/// An operator that the model defines itself. Its body's inputs and outputs are its own.
struct Function {
  std::string domain, name, overload;
  GraphId body;
  std::vector<std::pair<std::string, int64_t>> opset_imports;
  std::vector<std::string> attributes;        // required ones
  std::vector<Attribute> attribute_defaults;  // ones with a default
};

/// A node as its file had it, for errors, profiles and the viewer after passes have replaced it.
struct SourceNode {
  std::string name, domain, op_type;
  std::string location;  // source line, where the file says one
};

/// What a file said that Shipway does not compute with, kept so that writing loses nothing.
struct Annotation {
  std::string doc_string;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string unknown_fields;  // bytes in the file's wire format
  std::map<std::string, std::string>
      other;  // by the reader's own key: denotations, quantisation parameters, ...
};

/// What an Annotation belongs to.
struct Entity {
  enum class Kind : uint8_t {
    kModel,
    kGraph,
    kNode,
    kValue,
    kFunction,
    kInitializer,
    kAttribute
  } kind;
  int32_t index = 0;      // id of the graph, node or value; position of the function
  std::string attribute;  // for kAttribute: its name on node `index`
  friend auto operator<=>(const Entity&, const Entity&) = default;
};

// ----------------------------------------------------------------------------------------------
// the model

/// Iterates over the nodes of one graph in order. Nodes inserted or removed by a Patch while
/// iterating are safe as long as the current node is not removed.
class NodeRange;

class Model {
 public:
  Model();

  // What the file says of itself.
  std::string dialect = "onnx";  // the reader's format; legalize makes it "onnx"
  int64_t ir_version = 0;
  std::string producer_name, producer_version, domain, doc_string;
  int64_t model_version = 0;
  std::vector<std::pair<std::string, int64_t>> opset_imports;  // in the file's order
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string path;  // of the file it came from; "" when from memory

  /// The opset version of `domain` ("" for ai.onnx), 0 when not imported.
  int64_t opset(std::string_view domain = "") const;

  GraphId main_graph() const { return main_graph_; }
  const Graph& graph() const { return graph(main_graph_); }
  const Graph& graph(GraphId id) const { return graphs_[static_cast<size_t>(id.index)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id.index)]; }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id.index)]; }
  std::span<const Function> functions() const { return functions_; }
  const Function* find_function(std::string_view domain, std::string_view name,
                                std::string_view overload = "") const;
  const SourceNode& source(SourceId id) const { return sources_[static_cast<size_t>(id.index)]; }

  /// How many ids exist; removed ones are counted too.
  size_t graph_count() const { return graphs_.size(); }
  size_t node_count() const { return nodes_.size(); }
  size_t value_count() const { return values_.size(); }
  size_t source_count() const { return sources_.size(); }

  NodeRange nodes(GraphId graph) const;
  NodeRange nodes() const;

  /// The tensor of a value that is the same in every run: an initializer no caller can override, or
  /// the output of a Constant node. Null otherwise.
  const Tensor* constant_tensor(ValueId id) const;
  /// The first value of this name in `graph` or the graphs around it. Linear: for tests and tools.
  ValueId find_value(std::string_view name, GraphId graph) const;
  ValueId find_value(std::string_view name) const { return find_value(name, main_graph_); }
  /// "node 'conv1' (Conv)", or "node #12 (Conv)" when it has no name; with the names of its sources
  /// when made by a pass.
  std::string describe(NodeId id) const;

  const DimTable& dims() const { return dims_; }
  DimTable& dims() { return dims_; }

  const Annotation* annotation(const Entity& entity) const;
  const std::map<Entity, Annotation>& annotations() const { return annotations_; }

 private:
  friend class ModelBuilder;
  friend class Verifier;
  friend class VerifyTest;  // breaks what the verifier must find
  GraphId main_graph_;
  std::deque<Graph> graphs_;  // deques: references stay valid while others are added
  std::deque<Node> nodes_;
  std::deque<Value> values_;
  std::vector<Function> functions_;
  std::vector<SourceNode> sources_;
  std::map<Entity, Annotation> annotations_;
  DimTable dims_;
  std::unordered_set<std::string> used_names_;  // filled when the first name has to be made
  std::unordered_map<std::string, size_t> next_suffix_;  // of each hint that a name was made from
};

class NodeRange {
 public:
  class Iterator {
   public:
    using value_type = Node;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Model* model, NodeId id) : model_(model), id_(id) {}
    const Node& operator*() const { return model_->node(id_); }
    const Node* operator->() const { return &model_->node(id_); }
    Iterator& operator++() {
      id_ = model_->node(id_).next();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.id_ == b.id_; }

   private:
    const Model* model_ = nullptr;
    NodeId id_;
  };
  NodeRange(const Model* model, NodeId first) : model_(model), first_(first) {}
  Iterator begin() const { return {model_, first_}; }
  Iterator end() const { return {model_, NodeId{}}; }

 private:
  const Model* model_;
  NodeId first_;
};

inline NodeRange Model::nodes(GraphId id) const { return {this, graph(id).first_node()}; }
inline NodeRange Model::nodes() const { return nodes(main_graph_); }

}  // namespace shipway
