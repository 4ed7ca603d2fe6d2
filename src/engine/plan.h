// Plan: a graph lowered to a flat list of steps over values with layouts; BoundPlan: the same for
// one set of input shapes.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/memory_plan.h"
#include "engine/weights.h"
#include "kernels/kernels.h"
#include "operators/registry.h"
#include "shipway/model.h"

namespace shipway {

/// A value of the graph in one layout. The logical shape is the graph value's; the layout says how
/// it lies in memory.
struct LoweredValue {
  enum class Kind : uint8_t { kInput, kConstant, kComputed };
  Kind kind = Kind::kComputed;
  kernels::Layout layout;
  DType dtype = DType::kUndefined;
  ValueId source;          // the graph's value
  Tensor constant;         // kConstant: plain, or already in its blocked layout
  bool is_output = false;  // of the graph: its memory is handed to the caller
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
  std::shared_ptr<const PackedWeights> weights;  // stands for inputs[1]
  std::vector<NodeId>
      nodes;            // of the graph that it does, in order; the last one gives the step its name
  std::string refused;  // why a faster way was not taken; empty when none was
};

/// Everything that does not depend on the sizes of a run.
struct Plan {
  std::vector<LoweredValue> values;
  std::vector<Step> steps;
  std::vector<int32_t> inputs;   // lowered (plain) value of each graph input, -1 when unused
  std::vector<int32_t> outputs;  // of each graph output
  Isa isa = Isa::kScalar;
};

struct LowerOptions {
  Isa isa = Isa::kScalar;
};
/// Chooses kernels, layouts and fusions for an optimised model at the newest opsets with inferred
/// shapes. Packs weights.
Result<Plan> lower(const Model& model, const Registry& registry, WeightStore& weights,
                   const LowerOptions& options);

/// The shape of a graph value for one set of input shapes; nothing when it is only known once the
/// run is there.
using ShapeTable = std::vector<std::optional<Shape>>;  // by ValueId::index

/// A step for concrete sizes.
struct BoundStep {
  enum class Kind : uint8_t {
    kKernel,     // runs `kernel` on pointers into the arena, constants, inputs and outputs
    kReference,  // one node on tensors over the same memory
    kDynamic,  // sizes are known only at run time: the nodes run one by one on tensors of their own
    kNothing,  // the output is the input's memory
  };
  Kind kind = Kind::kNothing;
  kernels::BoundKernel kernel;
  int64_t input_offset = 0, output_offset = 0;  // bytes into the first input and output, for pieces
  bool parallel = false;                        // worth more than one thread
};

/// A Plan for one set of input shapes. Immutable; runs share it, each with an arena of its own.
struct BoundPlan {
  std::vector<Shape> input_shapes;
  std::vector<BoundStep> steps;
  ShapeTable shapes;             // of graph values
  std::vector<int64_t> offsets;  // of lowered values in the arena; -1: elsewhere, -2: dynamic
  std::vector<int32_t> root;     // of lowered values: where their memory is (aliases followed)
  int64_t arena_bytes = 0, arena_lower_bound = 0;
  int64_t scratch_bytes = 0;  // per thread
  double cost_ns = 0;         // estimate for one thread
  std::vector<std::vector<int32_t>>
      dynamic_releases;  // by step: lowered values that nobody needs after it
};

constexpr int64_t kNotInArena = -1;
constexpr int64_t kDynamicValue = -2;

/// Binds `plan` to these shapes. Errors name the step.
Result<BoundPlan> bind(const Plan& plan, const Model& model, ShapeTable shapes, int threads);

/// Bytes of a value in a layout.
Result<int64_t> layout_bytes(DType dtype, const Shape& shape, kernels::Layout layout);

/// Name of a step for people: "conv_direct_avx512 (Conv+Relu)".
std::string describe(const Step& step, const Model& model);

}  // namespace shipway
