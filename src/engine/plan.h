// Plan: a graph lowered to a flat list of steps over values with layouts; BoundPlan: the same for
// one set of input shapes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/memory_plan.h"
#include "engine/weights.h"
#include "kernels/kernels.h"
#include "operators/registry.h"
#include "shipway/model.h"
#include "shipway/profile.h"

namespace shipway {

/// A value of the graph in one layout. The logical shape is the graph value's; the layout says how
/// it lies in memory.
struct LoweredValue {
  enum class Kind : uint8_t { kInput, kConstant, kComputed };
  Kind kind = Kind::kComputed;
  kernels::Layout layout;
  DType dtype = DType::kUndefined;
  ValueId source;       // the graph's value
  Tensor constant;      // kConstant: plain, or already in its blocked layout
  bool is_read = true;  // kConstant: as it is, not only in the packed form of a step's weights
};

/// How a step's kernel dims follow from the logical shapes of its inputs and outputs. Plain data
/// (it goes into plan files later); `numbers` is listed per kind in bind.cpp.
struct BindRule {
  enum class Kind : uint8_t {
    kElementwise,
    kGemm,
    kMatMul,
    kConv,
    kPool,
    kSoftmax,
    kNorm,
    kReduce,
    kResize,
    kTranspose,
    kConcatPiece,
    kSlicePiece,
    kExpand,
    kReorder,
    kRecurrent,
    kAttention,
  };
  Kind kind = Kind::kElementwise;
  std::vector<int64_t> numbers;
  std::vector<float> floats;
};

/// One step: a kernel over lowered values, a node run by its reference loops, or a node that only
/// gives its input's memory another shape.
struct Step {
  enum class Kind : uint8_t { kKernel, kReference, kAlias };
  Kind kind = Kind::kReference;
  kernels::KernelPlan plan;
  BindRule rule;
  std::vector<int32_t> inputs;  // lowered values in the kernel's (or node's) order; -1: none
  std::vector<int32_t> outputs;
  std::vector<int32_t> others;  // what its nodes read besides, when they run one by one
  std::shared_ptr<const PackedWeights> weights;  // stands for inputs[1]
  std::vector<NodeId>
      nodes;  // of the graph that it does, in order; the last one gives the step its name
  std::vector<Refusal> refusals;  // faster ways that were not taken, and why
};

/// Everything about one graph (the main graph, or a body of If, Loop, Scan, SequenceMap) that does
/// not depend on the sizes of a run.
struct Plan {
  GraphId graph;
  std::vector<LoweredValue> values;
  std::vector<Step> steps;
  std::vector<int32_t> inputs;    // lowered (plain) value of each graph input
  std::vector<int32_t> captures;  // lowered values of what a body reads of the graphs around it
  std::vector<int32_t> outputs;   // of each graph output
  Isa isa = Isa::kScalar;
};

/// A whole model, lowered.
struct LoweredModel {
  std::vector<Plan> plans;  // the main graph's first
  /// Constants that only packed forms are read of, and what the model should hold instead: the same
  /// elements without their memory.
  std::vector<std::pair<ValueId, Tensor>> released;
};

struct LowerOptions {
  Isa isa = Isa::kScalar;
};
/// Chooses kernels, layouts and fusions for an optimised model at the newest opsets with inferred
/// shapes. Packs weights.
Result<LoweredModel> lower(const Model& model, const Registry& registry, WeightStore& weights,
                           const LowerOptions& options);

/// The shapes of lowered values; nothing for what is no tensor, or when it is only known once the
/// run is there.
using ShapeTable = std::vector<std::optional<Shape>>;

/// A step for concrete sizes.
struct BoundStep {
  enum class Kind : uint8_t {
    kKernel,     // runs `kernel` on pointers into the arena, constants, inputs and outputs
    kReference,  // one node on tensors over the same memory
    kDynamic,    // the nodes run one by one on tensors of their own; sizes may come out of it
    kNothing,    // the output is the input's memory
  };
  Kind kind = Kind::kNothing;
  kernels::BoundKernel kernel;
  int64_t input_offset = 0, output_offset = 0;  // bytes into the first input and output, for pieces
  bool parallel = false;                        // worth more than one thread
};

/// Where a lowered value is found in a run.
enum class Place : uint8_t {
  kNowhere,  // not made yet
  kGiven,    // memory of the caller, or a constant
  kArena,
  kOutput,  // a tensor that goes to the caller
  kOwn,     // a value of its own: sizes known too late for the arena, sequences, strings
};

/// How the steps of a part are run.
enum class BindMode : uint8_t {
  kPlanned,
  kOneByOne,  // what came contradicts the inferred types: every node by itself, on what is there
};

/// As much of a Plan as the sizes known at one point of a run allow: all of it, unless sizes depend
/// on data (NonZero, a Loop's outputs); then another part follows, planned when they are there.
///
/// It assumes which values have a known size, and that no value takes more than `room`. Sizes that
/// keep to that share it, whatever they are: nothing here is worked out again when a size changes.
struct PartPlan {
  std::shared_ptr<const PartPlan> before;  // null: it begins the graph
  BindMode mode = BindMode::kPlanned;
  std::vector<bool> sized;             // lowered values whose shapes are known when it begins
  std::vector<int32_t> order;          // steps of the plan
  std::vector<BoundStep::Kind> kinds;  // of `order`
  std::vector<Place> places;           // of lowered values
  std::vector<int32_t> root;    // of lowered values: where their memory is (aliases followed)
  std::vector<int32_t> placed;  // values in this part's arena
  std::vector<int64_t> room, offsets;  // of `placed`, in bytes
  std::vector<int32_t> leaving;        // values made in this part in memory that goes to the caller
  int64_t arena_bytes = 0, arena_lower_bound = 0;
  std::vector<std::vector<int32_t>> releases;  // by step: own values that nobody needs after it
  std::vector<int32_t> open;  // values made in this part whose sizes only the run tells
  std::vector<int32_t> rest;  // steps of the plan left for the parts after it
  int32_t depth = 0;          // parts before it
};

/// Numbers that symbols stand for, by Dim::id.
using SymbolSizes = std::map<int32_t, int64_t>;

/// A PartPlan with one set of sizes. Immutable; runs share it, each with an arena of its own.
struct BoundPlan {
  std::shared_ptr<const PartPlan> part;
  std::shared_ptr<const BoundPlan> before;  // the part before with its sizes; null: none
  std::vector<std::optional<Shape>> key;    // of the plan's inputs, or of `open` of the part before
  SymbolSizes symbols;                      // what they were in `key`
  ShapeTable shapes;
  std::vector<BoundStep> steps;  // of `order`
  int64_t output_bytes = 0;
  int64_t scratch_bytes = 0;  // per thread
  double cost_ns = 0;         // estimate for one thread
};

/// Plans what `before` left of the plan (null: all of it) for values of these shapes; `room`, by
/// lowered value, is what to reserve for each in the arena where that is more than it takes (empty:
/// nothing). Errors name the step.
Result<PartPlan> plan_part(const Plan& plan, const Model& model, const ShapeTable& shapes,
                           std::span<const int64_t> room, std::shared_ptr<const PartPlan> before,
                           BindMode mode);
/// True when values of these shapes keep to what `part` assumes.
bool fits(const PartPlan& part, const Plan& plan, const ShapeTable& shapes);
/// Binds the kernels of `part` to shapes that fit it. Steps whose sizes are those of `like`,
/// another binding of the same part (or null), are taken from there. Errors name the step.
Result<BoundPlan> bind_part(const Plan& plan, const Model& model,
                            std::shared_ptr<const PartPlan> part, ShapeTable shapes,
                            const BoundPlan* like, int threads);

/// Bytes of a value in a layout.
Result<int64_t> layout_bytes(DType dtype, const Shape& shape, kernels::Layout layout);

/// Name of a step for people: "conv_blocked_avx512 (Conv 'c' + Relu 'r')".
std::string describe(const Step& step, const Model& model);
/// Every step as profiles and `explain` tell of it.
std::vector<std::shared_ptr<const PlanStep>> plan_steps(const Plan& plan, const Model& model);
/// The same where the reference loops run the model: by node id, null for nodes that are gone.
std::vector<std::shared_ptr<const PlanStep>> reference_steps(const Model& model);

}  // namespace shipway
