// The state of one lowering, shared by the files lower*.cpp: which values exist in which layout,
// which nodes were taken into a neighbour's step. Private to the engine.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/plan.h"
#include "operators/operator.h"

namespace shipway {

class Lowering {
 public:
  Lowering(const Model& model, const Registry& registry, WeightStore& weights,
           const LowerOptions& options)
      : model_(model),
        registry_(registry),
        weights_(weights),
        isa_(options.isa),
        versions_(model.value_count()) {}
  Result<LoweredModel> run();

  // ------------------------------------------------------------------ facts
  const Model& model() const { return model_; }
  Isa isa() const { return isa_; }
  DType dtype(ValueId id) const { return model_.value(id).type().dtype(); }
  /// Null when the rank is unknown (or no value).
  const Dims* dims(ValueId id) const {
    return id.is_valid() ? model_.value(id).type().dims() : nullptr;
  }
  std::optional<Shape> constant_shape(ValueId id) const {
    return model_.value(id).type().constant_shape();
  }
  const Tensor* constant(ValueId id) const { return model_.constant_tensor(id); }
  bool is_float(ValueId id) const { return id.is_valid() && dtype(id) == DType::kFloat32; }
  /// One user node, and no graph output.
  const Node* only_user(ValueId id) const;
  AttributeReader attributes(const Node& node) const;

  // ------------------------------------------------------------------ values and steps
  /// The lowered value of `id` in `layout`; where it exists only in another, a reorder step is
  /// added.
  Result<int32_t> use(ValueId id, kernels::Layout layout);
  Result<int32_t> use_plain(ValueId id) { return use(id, kernels::Layout::plain()); }
  /// A new computed value.
  int32_t define(ValueId id, kernels::Layout layout);
  /// A step whose output is the memory of its input under another shape (both plain).
  void add_alias(const Node& node, int32_t input);
  /// The layout in which the value was made (plain for inputs and constants).
  kernels::Layout made_in(ValueId id) const;
  /// A layout blocked for this instruction set.
  kernels::Layout blocked() const { return kernels::Layout::blocked(kernels::channel_block(isa_)); }
  /// Adds a kernel step if some kernel takes the problem; false (and the reason kept for `explain`)
  /// otherwise.
  Result<bool> add_kernel(const kernels::Problem& problem, BindRule rule,
                          std::vector<int32_t> inputs, std::vector<int32_t> outputs,
                          std::vector<NodeId> nodes, const Tensor* weights = nullptr,
                          const WeightStore::Join& joined_weights = {});
  GraphId graph() const { return plan_.graph; }
  /// Notes why the node at hand gets no kernel, or not the better one; its step will say so.
  bool refuse(kernels::RefusalCode code, const char* reason, std::string_view kernel = {});

  // ------------------------------------------------------------------ what follows a matrix
  // product or convolution
  struct Epilogue {
    kernels::Epilogue steps;
    std::vector<ValueId> operands;
    ValueId bias;               // a constant [channels] found as an Add
    std::vector<NodeId> nodes;  // the producer and those taken in, in order
    ValueId result;             // what the last of them makes
  };
  /// The chain that begins with this product or convolution; null when nothing follows it.
  const Epilogue* epilogue_of(const Node& producer) const;
  /// The operands as lowered values, in the order kernels want them.
  Result<std::vector<int32_t>> lower_operands(const Epilogue& epilogue, kernels::Layout layout);

 private:
  friend class ElementwiseGroups;
  struct Versions {
    int32_t plain = -1, blocked = -1;
    bool made_blocked = false;
  };
  struct Group {  // an element-wise group, known by its last node
    std::vector<NodeId> nodes;
  };

  Result<Plan> lower_graph(GraphId graph);
  Status lower_nodes();
  void push_step(Step step);
  void find_epilogues();
  void extend_epilogue(const Node& producer, Epilogue& epilogue, size_t channel_axis_from_end,
                       Dim channels);
  void find_groups();
  Result<bool> lower_group(const Node& root, const Group& group);
  Result<bool> lower_node(const Node& node);
  bool refuse_elementwise(const Node& node);
  Status lower_reference(const Node& node);
  Status refuse_missing() const;
  std::vector<std::pair<ValueId, Tensor>> release_packed(std::vector<Plan>& plans);
  Versions& versions(ValueId id) { return versions_[static_cast<size_t>(id.index)]; }

  const Model& model_;
  const Registry& registry_;
  WeightStore& weights_;
  Isa isa_;
  Plan plan_;                                        // of the graph being lowered
  std::vector<Versions> versions_;                   // by value id, in plan_
  std::unordered_map<int32_t, Epilogue> epilogues_;  // by id of the last node
  std::unordered_map<int32_t, Group> groups_;        // by id of the last node
  std::unordered_map<int32_t, NodeId> taken_;  // node id -> last node of the step that does it
  std::vector<NodeId> missing_;                // nodes of operators that cannot run
  std::vector<Refusal> refusals_;              // of the node at hand
};

/// How one node becomes a step; true when it did, false after Lowering::refuse.
using LowerFunction = Result<bool> (*)(Lowering& lowering, const Node& node);
/// The function for an operator of ai.onnx or domain shipway; null: none, the reference runs it.
LowerFunction find_lowering(const Node& node);

/// The element-wise instructions that an operator becomes, over arguments numbered as in
/// ElementwiseProgram; nothing when it is no element-wise operator here. `arguments` are the
/// numbers of its tensor inputs.
struct ElementwiseForm {
  std::vector<kernels::Instruction>
      instructions;             // the last one is the result; arguments >= kLocal are local results
  std::vector<ValueId> inputs;  // tensor inputs in the order of arguments 0, 1, 2
  static constexpr uint8_t kLocal =
      200;  // argument kLocal + i: result of instruction i of this form
};
std::optional<ElementwiseForm> elementwise_form(const Lowering& lowering, const Node& node);
/// True for the operators that have such a form for some inputs.
bool is_elementwise_operator(const Node& node);

}  // namespace shipway
