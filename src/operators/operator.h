// Operator: everything Shipway knows about one operator, in one value. And the two contexts through
// which its functions see the world: InferContext before the run, EvaluateContext during it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/patch.h"
#include "operators/schema.h"
#include "shipway/model.h"

namespace shipway {

class InferContext;
class EvaluateContext;
class Emitter;  // appends operators for gradients and tracing; comes with autograd

/// How far an evaluation may be from the exact result; tests and comparisons take their tolerance
/// from it.
struct Accuracy {
  enum class Kind : uint8_t {
    kExact,     // moves or compares data, or rounds once
    kRounding,  // sums and functions: relative error bound below, per float32 operation
    kRandom,    // the result is random: only type, shape and range can be compared; never folded or
                // merged
  };
  Kind kind = Kind::kRounding;
  double relative = 1e-6;
  static Accuracy exact() { return {Kind::kExact, 0}; }
  static Accuracy rounding(double relative = 1e-6) { return {Kind::kRounding, relative}; }
  static Accuracy random() { return {Kind::kRandom, 0}; }
};

/// One operator: its declaration in every version, and its meaning in the newest. Older versions
/// reach the newest through the `upgrade` steps in `versions`; so infer, evaluate and gradient only
/// ever see the newest.
struct Operator {
  std::string domain;  // "" is ai.onnx
  std::string name;
  std::string summary;  // one line, for help and docs
  VersionList versions;
  /// Types and shapes of the outputs from those of the inputs. Null: nothing is inferred.
  Status (*infer)(InferContext&) = nullptr;
  /// The readable truth: plain loops over every declared dtype. Null: cannot run here (yet).
  Status (*evaluate)(EvaluateContext&) = nullptr;
  /// Gradients of the inputs, written in other operators. Null: not differentiable.
  Status (*gradient)(Emitter&) = nullptr;
  Accuracy accuracy = Accuracy::rounding();
  /// For a user's own operator: handed to its callbacks through the contexts' `op()`.
  void* user_data = nullptr;
  std::shared_ptr<void> user_owner;  // keeps user_data alive

  bool is_random() const { return accuracy.kind == Accuracy::Kind::kRandom; }
};

/// A node's attributes, with the schema's defaults where the node has none. A node whose attributes
/// do not have the kinds its schema declares never gets here (check_form refuses it), so reading
/// cannot fail.
class AttributeReader {
 public:
  AttributeReader(const Node& node, const Schema& schema) : node_(&node), schema_(&schema) {}

  const Node& node() const { return *node_; }
  const Schema& schema() const { return *schema_; }
  /// True when the node itself has it.
  bool has_attribute(std::string_view name) const { return node_->attribute(name) != nullptr; }
  /// The value, else the schema's default, else 0 / "" / nothing.
  int64_t int_attribute(std::string_view name) const;
  float float_attribute(std::string_view name) const;
  const std::string& string_attribute(std::string_view name) const;
  std::span<const int64_t> ints_attribute(std::string_view name) const;
  std::span<const float> floats_attribute(std::string_view name) const;
  std::span<const std::string> strings_attribute(std::string_view name) const;
  /// Null (an invalid id) when the node has none.
  const Tensor* tensor_attribute(std::string_view name) const;
  const SparseTensor* sparse_tensor_attribute(std::string_view name) const;
  const Type* type_attribute(std::string_view name) const;
  GraphId graph_attribute(std::string_view name) const;

 private:
  template <typename T>
  const T* find(std::string_view name) const;
  const Node* node_;
  const Schema* schema_;
};

/// Number of inputs and outputs, attribute names and kinds, required ones: what a node must have
/// before anything else may look at it. Types of inputs are the checker's.
Status check_form(const Node& node, const Schema& schema);

/// The elements of a small integer tensor (rank 0 or 1) before the run, as numbers or expressions.
using Contents = std::vector<Dim>;

/// What an operator's `infer` may ask and say. Inputs that are left out have an unknown Type.
class InferContext : public AttributeReader {
 public:
  /// What is known of one input.
  struct Input {
    Type type;
    const Tensor* constant = nullptr;               // its data, when the same in every run
    std::shared_ptr<const Contents> contents = {};  // its elements, when followed symbolically
    bool present = false;
  };
  struct Output {
    Type type;
    std::shared_ptr<const Contents> contents;
  };
  /// Infers a subgraph whose inputs have these types; gives the types of its outputs.
  using SubgraphInference =
      std::function<Result<std::vector<Type>>(GraphId, std::span<const Type>)>;

  InferContext(const Operator& op, const Node& node, const Schema& schema,
               std::vector<Input> inputs, size_t output_count, DimTable& dims,
               SubgraphInference infer_subgraph = {})
      : AttributeReader(node, schema),
        op_(&op),
        inputs_(std::move(inputs)),
        outputs_(output_count),
        dims_(&dims),
        infer_subgraph_(std::move(infer_subgraph)) {}

  const Operator& op() const { return *op_; }
  DimTable& dims() { return *dims_; }

  size_t input_count() const { return inputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i].present; }
  const Type& input_type(size_t i) const;
  DType input_dtype(size_t i) const { return input_type(i).dtype(); }
  /// Null when the rank is unknown (or the input left out, or no tensor).
  const Dims* input_dims(size_t i) const { return input_type(i).dims(); }
  /// Null unless the input is the same in every run.
  const Tensor* input_constant(size_t i) const {
    return i < inputs_.size() ? inputs_[i].constant : nullptr;
  }
  /// The elements of a small integer input of rank 0 or 1, from its constant or followed through
  /// the graph. Single elements may be unknown.
  std::optional<Contents> input_contents(size_t i) const;
  /// The elements when all are numbers.
  std::optional<std::vector<int64_t>> input_ints(size_t i) const;

  size_t output_count() const { return outputs_.size(); }
  bool has_output(size_t i) const { return i < outputs_.size() && node().output(i).is_valid(); }
  void set_output(size_t i, Type type);
  void set_output(size_t i, DType dtype, Dims dims) {
    set_output(i, Type::tensor(dtype, std::move(dims)));
  }
  /// A tensor of unknown rank.
  void set_output_dtype(size_t i, DType dtype) { set_output(i, Type::tensor(dtype)); }
  /// The elements of an integer output of rank 0 or 1.
  void set_output_contents(size_t i, Contents contents);
  std::span<const Output> outputs() const { return outputs_; }

  Result<std::vector<Type>> infer_subgraph(GraphId graph, std::span<const Type> inputs) const;

 private:
  const Operator* op_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  DimTable* dims_;
  SubgraphInference infer_subgraph_;
};

/// Limits of one run, shared by everything in it. Default: none.
struct RunLimits {
  int64_t max_bytes = -1;           // for all tensors a run holds at once; -1: unlimited
  int64_t deadline_ns = -1;         // steady clock; -1: none
  const bool* cancelled = nullptr;  // set by another thread (relaxed reads are enough)
  /// kLimit or kCancelled when the run must end; asked per node, loop iteration and big piece of
  /// work.
  Status poll() const;
};

/// What an operator's `evaluate` may ask and say.
class EvaluateContext : public AttributeReader {
 public:
  /// Runs a subgraph on these inputs; captured values are found by the caller.
  using SubgraphRunner =
      std::function<Result<std::vector<RuntimeValue>>(GraphId, std::span<const RuntimeValue>)>;
  /// Where the engine wants an output: a tensor of that dtype and shape, or an error.
  using OutputAllocator = std::function<Result<Tensor>(size_t output, DType, const Shape&)>;

  EvaluateContext(const Operator& op, const Node& node, const Schema& schema,
                  std::span<const RuntimeValue> inputs, std::span<RuntimeValue> outputs)
      : AttributeReader(node, schema), op_(&op), inputs_(inputs), outputs_(outputs) {}
  void set_limits(const RunLimits* limits) { limits_ = limits; }
  void set_subgraph_runner(SubgraphRunner runner) { run_subgraph_ = std::move(runner); }
  void set_output_allocator(OutputAllocator allocator) { allocate_ = std::move(allocator); }
  /// Where the subgraphs are declared.
  void set_model(const Model* model) { model_ = model; }
  const Operator& op() const { return *op_; }

  size_t input_count() const { return inputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && !inputs_[i].is_absent(); }
  const RuntimeValue& input_value(size_t i) const { return inputs_[i]; }
  /// The tensor of input i, contiguous; an undefined tensor when left out or no tensor.
  const Tensor& input(size_t i) const;

  size_t output_count() const { return outputs_.size(); }
  bool has_output(size_t i) const { return i < outputs_.size() && node().output(i).is_valid(); }
  /// Memory for output i, uninitialised (below 8 bits: zeros), also remembered as the output. The
  /// size is checked against the run's limits before anything is allocated.
  Result<Tensor> allocate_output(size_t i, DType dtype, const Shape& shape);
  /// A tensor for intermediate results, under the same limits.
  Result<Tensor> allocate(DType dtype, const Shape& shape) const;
  void set_output(size_t i, RuntimeValue value) { outputs_[i] = std::move(value); }

  Result<std::vector<RuntimeValue>> run_subgraph(GraphId graph,
                                                 std::span<const RuntimeValue> inputs) const;
  /// What the model declares of a subgraph's output, for values that no iteration made; unknown
  /// without a model.
  Type subgraph_output_type(GraphId graph, size_t output) const;
  /// To be asked in long loops.
  Status poll() const { return limits_ ? limits_->poll() : Status::ok(); }
  const RunLimits* limits() const { return limits_; }

 private:
  const Operator* op_;
  std::span<const RuntimeValue> inputs_;
  std::span<RuntimeValue> outputs_;
  const RunLimits* limits_ = nullptr;
  SubgraphRunner run_subgraph_;
  OutputAllocator allocate_;
  const Model* model_ = nullptr;
};

/// What an `upgrade` or `downgrade` step of VersionSpec may do: turn one node of version `schema()`
/// into the neighbouring version. Reads attributes with the defaults of the version it comes from.
/// Values of the source graph keep their ids and names: the last node added takes the node's
/// outputs over.
class NodeRewrite : public AttributeReader {
 public:
  NodeRewrite(const Model& model, const Node& node, const Schema& from, int64_t to_since);

  const Model& model() const { return *model_; }
  /// The version the step goes to.
  int64_t to_since() const { return to_since_; }
  /// Its data when constant, else null.
  const Tensor* input_constant(size_t i) const { return model_->constant_tensor(node().input(i)); }
  const Type& input_type(size_t i) const;

  /// Edits of the node itself.
  void set_attribute(Attribute attribute);
  void remove_attribute(std::string_view name);
  /// Inputs grow as needed (left-out ones between).
  void set_input(size_t i, ValueId value);
  ValueId add_constant(std::string hint, Tensor tensor);
  ValueId add_ints(std::string hint, std::span<const int64_t> values) {
    return add_constant(std::move(hint), Tensor::vector(values));
  }
  /// A new node before this one (of the opset that the step goes to); gives its first output.
  ValueId insert(std::string op_type, std::vector<ValueId> inputs,
                 std::vector<Attribute> attributes = {}, std::string domain = "");
  /// The node goes; a new one of another kind makes its outputs (those that `outputs` lists by
  /// number; default: all).
  void replace(std::string op_type, std::vector<ValueId> inputs,
               std::vector<Attribute> attributes = {}, std::string domain = "",
               std::optional<std::vector<ValueId>> outputs = {});

  /// For the driver: the edits so far, and whether the node itself goes.
  bool is_replaced() const { return replaced_; }
  Patch take_patch();

 private:
  const Model* model_;
  int64_t to_since_;
  Patch patch_;
  std::vector<ValueId> inputs_;
  bool inputs_changed_ = false;
  bool replaced_ = false;
};

}  // namespace shipway
