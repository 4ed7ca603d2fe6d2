// Times every row of the kernel table on the shapes of common networks, one thread, one work unit
// after the other.
//
//   kernels_bench --benchmark_filter='gemm_avx512'
//
// Counters: GFLOP/s and GB/s (read and written once). "tile" rows are the micro-kernels in L1: the
// peak to compare with.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>

#include "kernels/kernels.h"
#include "kernels/testing/cases.h"
#include "kernels/testing/runner.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

using testing::KernelCase;

[[maybe_unused]] Epilogue bias_relu() {
  Epilogue epilogue;
  epilogue.has_bias = true;
  epilogue.step_count = 1;
  epilogue.steps[0].op = Opcode::kRelu;
  return epilogue;
}

std::vector<KernelCase> gemm_shapes() {
  std::vector<KernelCase> cases;
  GemmProblem weights;
  weights.packed_b = true;
  weights.epilogue.has_bias = true;
  for (const auto& [m, n, k] : std::initializer_list<std::array<int64_t, 3>>{{128, 768, 768},
                                                                             {128, 3072, 768},
                                                                             {128, 768, 3072},
                                                                             {1024, 1024, 1024},
                                                                             {196, 256, 2304},
                                                                             {49, 512, 4608},
                                                                             {3136, 64, 64},
                                                                             {1, 1000, 2048},
                                                                             {1, 4096, 4096},
                                                                             {3, 4096, 4096}})
    cases.push_back(testing::gemm_case(weights, m, n, k));
  GemmProblem scores;
  scores.transpose_b = true;
  cases.push_back(testing::gemm_case(scores, 128, 128, 64, 12));
  cases.push_back(testing::gemm_case(GemmProblem{}, 128, 64, 128, 12));
  cases.push_back(testing::gemm_case(GemmProblem{}, 512, 512, 512));
  return cases;
}

std::vector<KernelCase> elementwise_shapes() {
  std::vector<KernelCase> cases;
  for (Opcode op : {Opcode::kAdd, Opcode::kRelu, Opcode::kSigmoid, Opcode::kTanh, Opcode::kErf,
                    Opcode::kGelu, Opcode::kExp, Opcode::kLog, Opcode::kHardSwish}) {
    const ElementwiseProgram program = testing::single_operation(op, 0.3f, 0.6f);
    cases.push_back({to_string(op), program, testing::elementwise_dims(program, {1 << 16})});
  }
  return cases;
}

std::vector<KernelCase> shapes_of(KernelKind kind) {
  switch (kind) {
    case KernelKind::kElementwise:
      return elementwise_shapes();
    case KernelKind::kGemm:
      return gemm_shapes();
    default:
      return {};
  }
}

void time_plan(benchmark::State& state, const KernelPlan& plan, const Dims& dims) {
  const Result<BoundKernel> bound = bind(plan, dims);
  if (!bound.is_ok()) return state.SkipWithError(bound.status().message().c_str());
  testing::Instance instance =
      testing::make_instance({"", plan.problem, dims}, 1, /*expect=*/false);
  testing::PreparedRun run(plan, *bound, instance);
  for (auto _ : state) run.run({0, bound->parts});
  using benchmark::Counter;
  state.counters["GFLOP/s"] = Counter(bound->cost.flops * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] = Counter(bound->cost.bytes * 1e-9, Counter::kIsIterationInvariantRate);
}

void time_tile(benchmark::State& state, const TileTable& tiles, int rows) {
  constexpr int64_t kDepth = 256;
  std::vector<float> a(static_cast<size_t>(rows * kDepth), 1),
      b(static_cast<size_t>(2 * tiles.lanes * kDepth), 1),
      c(static_cast<size_t>(rows * 2 * tiles.lanes));
  const Segment segment{0, kDepth};
  TileArguments t;
  t.a = a.data();
  t.a_row_stride = kDepth;
  t.segments = &segment;
  t.segment_count = 1;
  t.b = b.data();
  t.c = c.data();
  t.c_row_stride = 2 * tiles.lanes;
  t.c_vector_stride = tiles.lanes;
  for (auto _ : state) {
    tiles.packed[1][rows - 1](t);
    benchmark::DoNotOptimize(c.data());
  }
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * kDepth * rows * 2 * tiles.lanes,
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

void register_all() {
  for (Isa isa : {Isa::kAvx512, Isa::kAvx2, Isa::kSse4}) {
    if (isa > active_isa()) continue;
    const TileTable& tiles = tiles_for(isa);
    benchmark::RegisterBenchmark(
        ("tile_" + std::string(to_string(isa))).c_str(),
        [&tiles](benchmark::State& state) { time_tile(state, tiles, tiles.max_rows); });
  }
  for (const KernelRow& row : kernel_table()) {
    if (row.isa > active_isa()) continue;
    for (const KernelCase& kernel_case : shapes_of(row.kind))
      for (const KernelPlan& plan : prepare_all(kernel_case.problem, row.isa))
        if (&kernel_table()[static_cast<size_t>(plan.row)] == &row)
          benchmark::RegisterBenchmark((std::string(row.name) + "/" + kernel_case.name).c_str(),
                                       [plan, dims = kernel_case.dims](benchmark::State& state) {
                                         time_plan(state, plan, dims);
                                       });
  }
}

}  // namespace
}  // namespace shipway::kernels

int main(int argc, char** argv) {
  shipway::kernels::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
