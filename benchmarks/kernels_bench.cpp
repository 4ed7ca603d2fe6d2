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

Epilogue bias_relu() {
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

std::vector<KernelCase> conv_shapes(Isa isa) {
  using testing::ConvShape;
  const auto square = [](int64_t in, int64_t out, int64_t group, int64_t image, int64_t kernel,
                         int64_t stride) {
    const int64_t pad = (kernel - 1) / 2;
    return ConvShape{1,
                     in,
                     out,
                     group,
                     {1, image, image},
                     {1, kernel, kernel},
                     {1, stride, stride},
                     {1, 1, 1},
                     {0, pad, pad},
                     {0, pad, pad}};
  };
  std::vector<KernelCase> cases;
  for (const ConvShape& shape : std::initializer_list<ConvShape>{
           // ResNet-50
           square(3, 64, 1, 224, 7, 2), square(64, 64, 1, 56, 1, 1), square(64, 64, 1, 56, 3, 1),
           square(64, 256, 1, 56, 1, 1), square(256, 128, 1, 56, 1, 1),
           square(128, 128, 1, 56, 3, 2), square(128, 128, 1, 28, 3, 1),
           square(256, 512, 1, 56, 1, 2), square(256, 256, 1, 14, 3, 1),
           square(1024, 256, 1, 14, 1, 1), square(512, 512, 1, 7, 3, 1),
           square(512, 2048, 1, 7, 1, 1),
           // MobileNet-V2
           square(3, 32, 1, 224, 3, 2), square(32, 32, 32, 112, 3, 1),
           square(96, 96, 96, 112, 3, 2), square(144, 144, 144, 56, 3, 1),
           square(384, 384, 384, 14, 3, 1), square(960, 960, 960, 7, 3, 1),
           square(16, 96, 1, 112, 1, 1), square(96, 24, 1, 56, 1, 1), square(24, 144, 1, 56, 1, 1),
           square(960, 320, 1, 7, 1, 1),
           // SRCNN
           square(3, 64, 1, 384, 9, 1), square(64, 32, 1, 384, 1, 1), square(32, 3, 1, 384, 5, 1),
           square(64, 64, 1, 256, 3, 1),
           // ResNeXt, whisper, a segmentation head
           square(128, 128, 32, 56, 3, 1),
           ConvShape{
               1, 384, 384, 1, {1, 1, 1500}, {1, 1, 3}, {1, 1, 1}, {1, 1, 1}, {0, 0, 1}, {0, 0, 1}},
           ConvShape{1,
                     128,
                     64,
                     1,
                     {1, 64, 64},
                     {1, 2, 2},
                     {1, 2, 2},
                     {1, 1, 1},
                     {0, 0, 0},
                     {0, 0, 0},
                     true}}) {
    KernelCase kernel_case =
        testing::conv_case(shape, bias_relu(), Layout::plain(), Layout::plain());
    auto& problem = std::get<ConvProblem>(kernel_case.problem);
    const LayoutChoice layouts = preferred_layouts(problem, isa);
    problem.input = layouts.input;
    problem.output = layouts.output;
    cases.push_back(kernel_case);
  }
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

std::vector<KernelCase> pool_shapes(Isa isa) {
  std::vector<KernelCase> cases;
  for (Layout layout : {Layout::plain(), Layout::blocked(channel_block(isa))}) {
    const std::string suffix = layout.is_blocked() ? "_blocked" : "_plain";
    PoolProblem window{
        .kind = PoolKind::kMax, .kernel = {1, 3, 3}, .strides = {1, 2, 2}, .layout = layout};
    cases.push_back({"max3x3s2_64x112" + suffix, window,
                     PoolDims{1, 64, {1, 112, 112}, {1, 56, 56}, {0, 1, 1}, {0, 1, 1}}});
    window.kind = PoolKind::kAverage;
    cases.push_back({"average3x3s2_64x112" + suffix, window,
                     PoolDims{1, 64, {1, 112, 112}, {1, 56, 56}, {0, 1, 1}, {0, 1, 1}}});
    cases.push_back({"global_2048x7" + suffix,
                     PoolProblem{.kind = PoolKind::kAverage, .global = true, .layout = layout},
                     PoolDims{1, 2048, {1, 7, 7}, {1, 1, 1}, {}, {}}});
  }
  return cases;
}

std::vector<KernelCase> resize_shapes() {
  std::vector<KernelCase> cases;
  for (int64_t inner : {1, 16}) {
    ResizeDims d{
        .outer = 3, .inner = inner, .in = {1, 128, 128}, .out = {1, 384, 384}, .scales = {1, 3, 3}};
    const std::string suffix = "_128to384_inner" + std::to_string(inner);
    cases.push_back(
        {"nearest" + suffix,
         ResizeProblem{.coordinates = CoordinateMode::kAsymmetric, .nearest = NearestMode::kFloor},
         d});
    cases.push_back({"linear" + suffix, ResizeProblem{.mode = ResizeMode::kLinear}, d});
    cases.push_back({"cubic" + suffix, ResizeProblem{.mode = ResizeMode::kCubic}, d});
  }
  return cases;
}

std::vector<KernelCase> shapes_of(KernelKind kind, Isa isa) {
  switch (kind) {
    case KernelKind::kElementwise:
      return elementwise_shapes();
    case KernelKind::kGemm:
      return gemm_shapes();
    case KernelKind::kConv:
      return conv_shapes(isa);
    case KernelKind::kPool:
      return pool_shapes(isa);
    case KernelKind::kResize:
      return resize_shapes();
    case KernelKind::kSoftmax:
      return {{"12x128x128", SoftmaxProblem{}, SoftmaxDims{12 * 128, 128, 1}},
              {"1x1000", SoftmaxProblem{}, SoftmaxDims{1, 1000, 1}},
              {"axis1_of_64x21x4096", SoftmaxProblem{}, SoftmaxDims{4, 21, 4096}}};
    case KernelKind::kNorm:
      return {{"layer_128x768", NormProblem{}, NormDims{128, 1, 768}},
              {"rms_128x768", NormProblem{.kind = NormKind::kRms}, NormDims{128, 1, 768}},
              {"instance_64x56x56", NormProblem{.kind = NormKind::kGroup}, NormDims{1, 64, 3136}}};
    case KernelKind::kReduce:
      return {{"last_1024x1024", ReduceProblem{}, ReduceDims{1024, 1024, 1, 1}},
              {"first_1024x1024", ReduceProblem{}, ReduceDims{1, 1024, 1024, 1}},
              {"spatial_of_nhwc", ReduceProblem{ReduceKind::kMean}, ReduceDims{1, 3136, 64, 1}}};
    case KernelKind::kStridedCopy:
      return {testing::transpose_case({1024, 1024}, {1, 0}),
              testing::transpose_case({1, 128, 12, 64}, {0, 2, 1, 3}),
              testing::transpose_case({1, 128, 12, 64}, {0, 2, 3, 1}),
              testing::transpose_case({1, 64, 3136}, {0, 2, 1})};
    case KernelKind::kReorder:
      return {
          {"to_blocked_64x3136",
           ReorderProblem{Layout::plain(), Layout::blocked(channel_block(isa))},
           ReorderDims{1, 64, 3136}},
          {"to_plain_64x3136", ReorderProblem{Layout::blocked(channel_block(isa)), Layout::plain()},
           ReorderDims{1, 64, 3136}}};
  }
  return {};
}

/// With `cold` the calls go through so many copies of all operands that none is in any cache, as
/// weights are in a large model.
void time_plan(benchmark::State& state, const KernelPlan& plan, const Dims& dims, bool cold) {
  const Result<BoundKernel> bound = bind(plan, dims);
  if (!bound.is_ok()) return state.SkipWithError(bound.status().message().c_str());
  const testing::Instance instance =
      testing::make_instance({"", plan.problem, dims}, 1, /*expect=*/false);
  constexpr double kBeyondCaches = 128 << 20;
  const size_t copies = cold ? static_cast<size_t>(kBeyondCaches / bound->cost.bytes) + 1 : 1;
  std::vector<std::unique_ptr<testing::PreparedRun>> runs;
  for (size_t i = 0; i < copies; ++i)
    runs.push_back(
        std::make_unique<testing::PreparedRun>(plan, *bound, instance, /*alignment=*/64));
  size_t next = 0;
  for (auto _ : state) {
    runs[next]->run({0, bound->parts});
    next = (next + 1) % copies;
  }
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
    for (const KernelCase& kernel_case : shapes_of(row.kind, row.isa))
      for (const KernelPlan& plan : prepare_all(kernel_case.problem, row.isa))
        if (&kernel_table()[static_cast<size_t>(plan.row)] == &row)
          for (bool cold : {false, true}) {
            if (cold && plan.weights.kind == PackKind::kNone) continue;
            benchmark::RegisterBenchmark(
                (std::string(row.name) + "/" + kernel_case.name + (cold ? "/cold" : "")).c_str(),
                [plan, dims = kernel_case.dims, cold](benchmark::State& state) {
                  time_plan(state, plan, dims, cold);
                });
          }
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
