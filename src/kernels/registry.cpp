// The table of kernels, and the choice among its rows.
#include <algorithm>

#include "kernels/kernels.h"
#include "kernels/rows.h"

namespace shipway::kernels {
namespace {

/// One kernel for each instruction set that it is compiled for, widest first.
#define SHIPWAY_EVERY_ISA(name, kind, prepare_function, bind_function)                 \
  {name "_avx512", KernelKind::kind, Isa::kAvx512, prepare_function, bind_function},   \
      {name "_avx2", KernelKind::kind, Isa::kAvx2, prepare_function, bind_function}, { \
    name "_sse4", KernelKind::kind, Isa::kSse4, prepare_function, bind_function        \
  }

constexpr KernelRow kTable[] = {
    SHIPWAY_EVERY_ISA("attention", kAttention, prepare_attention, bind_attention),
    SHIPWAY_EVERY_ISA("conv_depthwise", kConv, prepare_conv_depthwise, bind_conv_depthwise),
    SHIPWAY_EVERY_ISA("conv_winograd", kConv, prepare_conv_winograd, bind_conv_winograd),
    SHIPWAY_EVERY_ISA("conv_blocked", kConv, prepare_conv_blocked, bind_conv_direct),
    SHIPWAY_EVERY_ISA("conv_first", kConv, prepare_conv_first, bind_conv_direct),
    SHIPWAY_EVERY_ISA("conv_few_outputs", kConv, prepare_conv_few_outputs, bind_conv_few_outputs),
    SHIPWAY_EVERY_ISA("conv_transposed", kConv, prepare_conv_transposed, bind_conv_taps),
    SHIPWAY_EVERY_ISA("conv_plain", kConv, prepare_conv_plain, bind_conv_plain),
    SHIPWAY_EVERY_ISA("elementwise", kElementwise, prepare_elementwise, bind_elementwise),
    SHIPWAY_EVERY_ISA("gemm", kGemm, prepare_gemm, bind_gemm),
    SHIPWAY_EVERY_ISA("norm", kNorm, prepare_norm, bind_norm),
    SHIPWAY_EVERY_ISA("pool", kPool, prepare_pool, bind_pool),
    SHIPWAY_EVERY_ISA("recurrent", kRecurrent, prepare_recurrent, bind_recurrent),
    SHIPWAY_EVERY_ISA("reduce", kReduce, prepare_reduce, bind_reduce),
    SHIPWAY_EVERY_ISA("reorder", kReorder, prepare_reorder, bind_reorder),
    SHIPWAY_EVERY_ISA("resize", kResize, prepare_resize, bind_resize),
    SHIPWAY_EVERY_ISA("softmax", kSoftmax, prepare_softmax, bind_softmax),
    SHIPWAY_EVERY_ISA("strided_copy", kStridedCopy, prepare_strided_copy, bind_strided_copy),
};

/// The row's own prepare, after the checks that hold for all rows.
Prepared prepare_row(const KernelRow& row, const Problem& problem, Isa isa) {
  if (row.kind != kind_of(problem))
    return Prepared::refuse(RefusalCode::kKind, "another kind of problem");
  // A row for a narrower set would run, but its layout and packing would not fit its neighbours in
  // the plan.
  if (row.isa != isa)
    return Prepared::refuse(RefusalCode::kIsa, "written for another instruction set");
  Prepared prepared = row.prepare(problem, isa);
  if (prepared.plan) {
    prepared.plan->row = static_cast<int32_t>(&row - kTable);
    prepared.plan->isa = isa;
    prepared.plan->problem = problem;
  }
  prepared.refusal.kernel = row.name;
  return prepared;
}

}  // namespace

std::string_view to_string(KernelKind kind) {
  constexpr std::string_view kNames[] = {"elementwise",  "gemm",    "conv",      "pool",
                                         "softmax",      "norm",    "reduce",    "resize",
                                         "strided_copy", "reorder", "recurrent", "attention"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view to_string(RefusalCode code) {
  constexpr std::string_view kNames[] = {
      "none",     "isa",      "kind",         "layout",        "shape",  "group", "stride",
      "dilation", "epilogue", "mode",         "dtype",         "size",   "cost",  "operator",
      "forced",   "rank",     "not-constant", "dynamic-shape", "outputs"};
  return kNames[static_cast<size_t>(code)];
}

std::span<const KernelRow> kernel_table() { return kTable; }

Result<KernelPlan> prepare(const Problem& problem, Isa isa, std::vector<Refusal>* refusals) {
  std::string reasons;
  for (const KernelRow& row : kTable) {
    if (row.kind != kind_of(problem)) continue;
    Prepared prepared = prepare_row(row, problem, isa);
    if (prepared.plan) return *prepared.plan;
    if (prepared.refusal.code == RefusalCode::kIsa) continue;
    if (refusals && prepared.refusal.code != RefusalCode::kKind)
      refusals->push_back(prepared.refusal);
    reasons += (reasons.empty() ? "" : "; ") + std::string(row.name) + ": " + prepared.refusal.text;
  }
  if (reasons.empty()) reasons = "it has none for this kind";
  return Status::unsupported("no {} kernel for instruction set {} ({})",
                             to_string(kind_of(problem)), to_string(isa), reasons);
}

std::vector<KernelPlan> prepare_all(const Problem& problem, Isa isa) {
  std::vector<KernelPlan> plans;
  for (const KernelRow& row : kTable)
    if (Prepared prepared = prepare_row(row, problem, isa); prepared.plan)
      plans.push_back(*prepared.plan);
  return plans;
}

Result<BoundKernel> bind(const KernelPlan& plan, const Dims& dims) {
  if (plan.row < 0 || static_cast<size_t>(plan.row) >= std::size(kTable))
    return Status::internal("a kernel plan names row {} of {}", plan.row, std::size(kTable));
  if (dims.index() != plan.problem.index())
    return Status::internal("dims of a {} kernel bound to a {} plan",
                            to_string(static_cast<KernelKind>(dims.index())),
                            to_string(kind_of(plan.problem)));
  Result<BoundKernel> bound = kTable[plan.row].bind(plan, dims);
  if (!bound.is_ok()) return bound.status().with_context("kernel {}", kTable[plan.row].name);
  bound->plan = &plan;
  return bound;
}

int channel_block(Isa isa) {
  switch (isa) {
    case Isa::kAvx512:
      return 16;
    case Isa::kAvx2:
      return 8;
    case Isa::kSse4:
      return 4;
    case Isa::kScalar:
      return 0;
  }
  return 0;
}

}  // namespace shipway::kernels
