// Times every row of the kernel table on the shapes of common networks: one thread, all work units
// one after the other.
//
//   kernels_bench [--filter TEXT] [--seconds S] [--json] [--list]
//
// A line for each row and shape whose "row/shape" contains TEXT: the least time of one call,
// GFLOP/s (two for each multiply-add), share of the multiply-add peak of the row's instruction set
// measured in the same process, GB/s (read and written once). "/cold" goes round copies of all
// operands that no cache holds, as weights lie in a large model. "tile" rows are the micro-kernels
// of products in L1. --list only names them, and exits with 1 when a row of this machine has no
// shape.
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <set>

#include "kernels/kernels.h"
#include "kernels/peak.h"
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
    case KernelKind::kRecurrent:
      return {{"lstm_50x1_256to256",
               RecurrentProblem{.cell = RecurrentCell::kLstm, .input = 256, .hidden = 256},
               RecurrentDims{50, 1}},
              {"gru_50x8_128to256",
               RecurrentProblem{.cell = RecurrentCell::kGru, .input = 128, .hidden = 256},
               RecurrentDims{50, 8}}};
    case KernelKind::kAttention:
      return {testing::attention_case({1, 12, 12, 128, 128, 64, 64}, true),
              testing::attention_case({1, 6, 6, 1500, 1500, 64, 64}, true),
              testing::attention_case({1, 12, 12, 512, 512, 64, 64, true}, false),
              testing::attention_case({1, 12, 12, 1, 1024, 64, 64}, false)};
  }
  return {};
}

struct Arguments {
  std::string filter;
  double seconds = 0.2;  // for one line
  bool json = false, list = false;
};

struct Line {
  std::string name;
  double nanoseconds = 0, flops = 0, bytes = 0;
  double peak_gflops = 0;
};

/// The least nanoseconds of a call, in windows of at least some ten microseconds.
template <typename Call>
double least_time(double seconds, const Call& call) {
  using Clock = std::chrono::steady_clock;
  const auto time = [&](int64_t calls) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < calls; ++i) call();
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  };
  time(1);
  constexpr double kWindow = 2e4;
  const int64_t calls = std::max<int64_t>(1, static_cast<int64_t>(kWindow / time(1)));
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  double least = time(calls);
  while (Clock::now() < end) least = std::min(least, time(calls));
  return least / static_cast<double>(calls);
}

double peak_gflops(Isa isa) {
  constexpr int64_t kRounds = 20'000;
  const PeakFunctions& peak = peak_functions(isa);
  volatile float sink = 0;
  const double ns = least_time(0.05, [&] { sink = sink + peak.multiply_add(kRounds); });
  return static_cast<double>(kRounds * peak.flops) / ns;
}

/// With `cold` the calls go through so many copies of all operands that none is in any cache.
Result<Line> time_plan(const KernelPlan& plan, const Dims& dims, bool cold, double seconds) {
  SHIPWAY_ASSIGN_OR_RETURN(const BoundKernel bound, bind(plan, dims));
  const testing::Instance instance =
      testing::make_instance({"", plan.problem, dims}, 1, /*expect=*/false);
  constexpr double kBeyondCaches = 128 << 20;
  const size_t copies = cold ? static_cast<size_t>(kBeyondCaches / bound.cost.bytes) + 1 : 1;
  std::vector<std::unique_ptr<testing::PreparedRun>> runs;
  for (size_t i = 0; i < copies; ++i)
    runs.push_back(std::make_unique<testing::PreparedRun>(plan, bound, instance, /*alignment=*/64));
  size_t next = 0;
  Line line;
  line.flops = bound.cost.flops;
  line.bytes = bound.cost.bytes;
  line.nanoseconds = least_time(seconds, [&] {
    runs[next]->run({0, bound.parts});
    next = (next + 1) % copies;
  });
  return line;
}

Line time_tile(const TileTable& tiles, int rows, double seconds) {
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
  Line line;
  line.flops = 2.0 * kDepth * rows * 2 * tiles.lanes;
  line.bytes = 4.0 * static_cast<double>(a.size() + b.size() + c.size());
  line.nanoseconds = least_time(seconds, [&] { tiles.packed[1][rows - 1](t); });
  return line;
}

void print_line(const Line& line, bool json, bool& first) {
  const double gflops = line.flops / line.nanoseconds, gbs = line.bytes / line.nanoseconds;
  if (json) {
    fmt::print(
        "{}\n {{\"name\": \"{}\", \"ns\": {:.1f}, \"gflops\": {:.2f}, \"peak_gflops\": {:.2f}, "
        "\"gbs\": {:.2f}}}",
        first ? "[" : ",", line.name, line.nanoseconds, gflops, line.peak_gflops, gbs);
  } else {
    if (first)
      fmt::print("{:>12}  {:>8}  {:>6}  {:>7}  kernel\n", "us", "GFLOP/s", "% peak", "GB/s");
    fmt::print("{:12.2f}  {:8.1f}  {:6.1f}  {:7.1f}  {}\n", line.nanoseconds / 1e3, gflops,
               100 * gflops / line.peak_gflops, gbs, line.name);
  }
  std::fflush(stdout);
  first = false;
}

int run(const Arguments& arguments) {
  const auto is_wanted = [&](const std::string& name) {
    return name.find(arguments.filter) != std::string::npos;
  };
  bool first = true;
  std::set<std::string_view> shown;
  for (Isa isa : {Isa::kAvx512, Isa::kAvx2, Isa::kSse4}) {
    if (isa > active_isa()) continue;
    const double peak = arguments.list ? 1 : peak_gflops(isa);
    const auto show = [&](const std::string& name, const auto& measure) {
      if (!is_wanted(name)) return true;
      if (arguments.list) {
        fmt::print("{}\n", name);
        return true;
      }
      Result<Line> line = measure();
      if (!line.is_ok()) {
        fmt::print(stderr, "{}: {}\n", name, line.status().message());
        return false;
      }
      line->name = name;
      line->peak_gflops = peak;
      print_line(*line, arguments.json, first);
      return true;
    };
    const TileTable& tiles = tiles_for(isa);
    if (!show("tile_" + std::string(to_string(isa)), [&]() -> Result<Line> {
          return time_tile(tiles, tiles.max_rows, arguments.seconds);
        }))
      return 1;
    for (const KernelRow& row : kernel_table()) {
      if (row.isa != isa) continue;
      for (const KernelCase& kernel_case : shapes_of(row.kind, isa))
        for (const KernelPlan& plan : prepare_all(kernel_case.problem, isa)) {
          if (&kernel_table()[static_cast<size_t>(plan.row)] != &row) continue;
          shown.insert(row.name);
          for (bool cold : {false, true}) {
            if (cold && plan.weights.kind == PackKind::kNone) continue;
            const std::string name =
                std::string(row.name) + "/" + kernel_case.name + (cold ? "/cold" : "");
            if (!show(name,
                      [&] { return time_plan(plan, kernel_case.dims, cold, arguments.seconds); }))
              return 1;
          }
        }
    }
  }
  if (arguments.json && !first) fmt::print("\n]\n");
  for (const KernelRow& row : kernel_table())
    if (row.isa <= active_isa() && !shown.contains(row.name)) {
      fmt::print(stderr, "no shape here is for {}\n", row.name);
      return 1;
    }
  return 0;
}

}  // namespace
}  // namespace shipway::kernels

int main(int argc, char** argv) {
  shipway::kernels::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--filter" && has_value) {
      arguments.filter = argv[++i];
    } else if (argument == "--seconds" && has_value) {
      arguments.seconds = std::atof(argv[++i]);
    } else if (argument == "--json") {
      arguments.json = true;
    } else if (argument == "--list") {
      arguments.list = true;
    } else {
      fmt::print(stderr, "usage: kernels_bench [--filter TEXT] [--seconds S] [--json] [--list]\n");
      return argument == "--help" ? 0 : 2;
    }
  }
  return shipway::kernels::run(arguments);
}
