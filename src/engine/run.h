// Running a BoundPlan. Private to the engine.
#pragma once

#include "base/thread_pool.h"
#include "engine/plan.h"
#include "operators/reference.h"
#include "shipway/session.h"

namespace shipway {

/// The memory of one run at a time; kept by the session between runs.
class RunContext {
 public:
  RunContext(const Model& model, const Registry& registry, const Plan& plan)
      : plan_(plan), model_(model), runner_(model, registry) {}

  /// `inputs` by graph input (absent: its default). Gives the graph's outputs in order.
  Result<std::vector<RuntimeValue>> run(const BoundPlan& bound,
                                        std::span<const RuntimeValue> inputs, int threads,
                                        const RunLimits& limits, std::vector<StepProfile>* profile);

 private:
  Status prepare_memory(const BoundPlan& bound, std::span<const RuntimeValue> inputs, int threads);
  Status run_kernel(const BoundPlan& bound, size_t index, ThreadPool::Hold& hold);
  Status run_reference(const BoundPlan& bound, const Step& step);
  Status run_dynamic(const BoundPlan& bound, const Step& step);
  Result<RuntimeValue> value_for(const BoundPlan& bound, ValueId id, const Step& step);
  Result<Tensor> plain_tensor(const BoundPlan& bound, int32_t value);
  std::byte* memory_of(const BoundPlan& bound, int32_t value) {
    return value < 0 ? nullptr
                     : memory_[static_cast<size_t>(bound.root[static_cast<size_t>(value)])];
  }

  const Plan& plan_;
  const Model& model_;
  ReferenceRunner runner_;
  RunLimits limits_;
  std::shared_ptr<Storage> arena_;
  std::shared_ptr<Storage> scratch_;
  int64_t scratch_bytes_ = 0;
  std::vector<std::byte*> memory_;      // by lowered value (roots only)
  std::vector<Tensor> output_tensors_;  // by lowered value that leaves
  std::vector<RuntimeValue> dynamic_;   // by ValueId::index
};

}  // namespace shipway
