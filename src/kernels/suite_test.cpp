// The shared suite: every row of the kernel table, on every instruction set of this machine, over
// every case of its kind. Results are compared with plain loops in double, and must be the same
// bytes when the work units run one by one, backwards.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "kernels/kernels.h"
#include "kernels/testing/cases.h"
#include "kernels/testing/runner.h"

namespace shipway::kernels {
namespace {

using testing::KernelCase;

/// Isa and kind: a test each, so that ctest runs them in parallel.
class KernelTable : public ::testing::TestWithParam<std::tuple<Isa, KernelKind>> {};

/// What is wrong with the division of work: every unit writes outputs, and no output is written by
/// two of them.
std::string work_done_alone(const KernelPlan& plan, const BoundKernel& bound,
                            const testing::Instance& instance) {
  testing::PreparedRun run(plan, bound, instance);
  std::vector<std::vector<int64_t>> writers(instance.outputs.size());
  for (size_t j = 0; j < instance.outputs.size(); ++j) writers[j].resize(run.output(j).size(), -1);
  for (int64_t part = 0; part < bound.parts; ++part) {
    run.forget_outputs();
    run.run({part, part + 1});
    bool wrote = false;
    for (size_t j = 0; j < instance.outputs.size(); ++j)
      for (size_t i = 0; i < run.output(j).size(); ++i) {
        if (run.output(j).data()[i] == std::byte{0xff}) continue;
        wrote = true;
        if (writers[j][i] >= 0)
          return "unit " + std::to_string(part) + " writes what " + std::to_string(writers[j][i]) +
                 " wrote";
        writers[j][i] = part;
      }
    if (!wrote) return "unit " + std::to_string(part) + " writes nothing";
  }
  return "";
}

TEST_P(KernelTable, AgreesWithPlainLoops) {
  const auto [isa, kind] = GetParam();
  if (isa > cpu_features().isa) GTEST_SKIP() << "this machine has no " << to_string(isa);
  std::set<std::string_view> rows_run;
  uint64_t seed = 1;
  for (const KernelCase& kernel_case : testing::cases_of(kind)) {
    const std::vector<KernelPlan> plans = prepare_all(kernel_case.problem, isa);
    if (plans.empty()) continue;
    const testing::Instance instance = testing::make_instance(kernel_case, seed++);
    for (const KernelPlan& plan : plans) {
      const std::string_view row = kernel_table()[static_cast<size_t>(plan.row)].name;
      SCOPED_TRACE(std::string(row) + " " + kernel_case.name + " seed " + std::to_string(seed - 1));
      rows_run.insert(row);
      const Result<BoundKernel> bound = bind(plan, kernel_case.dims);
      ASSERT_TRUE(bound.is_ok()) << bound.status().message();
      testing::PreparedRun whole(plan, *bound, instance), pieces(plan, *bound, instance);
      whole.run({0, bound->parts});
      for (int64_t part = bound->parts - 1; part >= 0; --part) pieces.run({part, part + 1});
      EXPECT_EQ(work_done_alone(plan, *bound, instance), "");
      for (size_t j = 0; j < instance.outputs.size(); ++j) {
        EXPECT_EQ(testing::compare_output(whole, instance, j, plan.output), "");
        EXPECT_TRUE(whole.output(j).size() == 0 ||
                    std::memcmp(whole.output(j).data(), pieces.output(j).data(),
                                whole.output(j).size()) == 0)
            << "other bytes when divided";
      }
      EXPECT_TRUE(whole.is_intact() && pieces.is_intact()) << "wrote past an end";
      if (HasFailure()) return;
    }
  }
  for (const KernelRow& row : kernel_table())
    if (row.isa == isa && row.kind == kind) {
      EXPECT_TRUE(rows_run.contains(row.name)) << row.name << " took no case";
    }
}

/// Operations and bytes by the definition of each kind; nothing where a kernel counts its own way.
struct Work {
  std::optional<double> flops, bytes;
};
Work work_of(const KernelCase& kernel_case) {
  const auto product = [](const auto&... sizes) { return (static_cast<double>(sizes) * ...); };
  const auto volume = [&](const Spatial& s) { return product(s[0], s[1], s[2]); };
  switch (kind_of(kernel_case.problem)) {
    case KernelKind::kElementwise: {
      const auto& p = std::get<ElementwiseProgram>(kernel_case.problem);
      const auto& d = std::get<ElementwiseDims>(kernel_case.dims);
      double elements = 1;
      for (int i = 0; i < d.rank; ++i) elements *= static_cast<double>(d.sizes[size_t(i)]);
      return {elements * p.instruction_count, 4 * elements * (p.input_count + p.output_count)};
    }
    case KernelKind::kGemm: {
      const auto& d = std::get<GemmDims>(kernel_case.dims);
      double batch = 1;
      for (int i = 0; i < d.batch_rank; ++i) batch *= static_cast<double>(d.batch_sizes[size_t(i)]);
      const bool packed = std::get<GemmProblem>(kernel_case.problem).packed_b;
      return {2 * batch * product(d.m, d.n, d.k),
              4 * (batch * (product(d.m, d.k) + product(d.m, d.n)) +
                   (packed ? 1 : batch) * product(d.n, d.k))};
    }
    case KernelKind::kConv: {
      const auto& p = std::get<ConvProblem>(kernel_case.problem);
      const auto& d = std::get<ConvDims>(kernel_case.dims);
      const double weights =
          product(p.channels_in, p.channels_out) * volume(p.kernel) / static_cast<double>(p.group);
      return {2 * product(d.batch) * volume(p.transposed ? d.in : d.out) * weights,
              4 * (product(d.batch) * (volume(d.in) * product(p.channels_in) +
                                       volume(d.out) * product(p.channels_out)) +
                   weights)};
    }
    case KernelKind::kPool: {
      const auto& p = std::get<PoolProblem>(kernel_case.problem);
      const auto& d = std::get<PoolDims>(kernel_case.dims);
      const double planes = product(d.batch, stored_channels(p.layout, d.channels));
      return {planes * (p.global ? volume(d.in) : volume(d.out) * volume(p.kernel)),
              4 * planes * (volume(d.in) + (p.global ? 1 : volume(d.out)))};
    }
    case KernelKind::kSoftmax: {
      const auto& d = std::get<SoftmaxDims>(kernel_case.dims);
      return {std::nullopt, 8 * product(d.outer, d.width, d.inner)};
    }
    case KernelKind::kNorm: {
      const auto& d = std::get<NormDims>(kernel_case.dims);
      return {std::nullopt, 8 * product(d.batch, d.channels, d.width)};
    }
    case KernelKind::kReduce: {
      const auto& d = std::get<ReduceDims>(kernel_case.dims);
      const double elements = product(d.kept0, d.reduced0, d.kept1, d.reduced1);
      return {elements, 4 * elements};
    }
    case KernelKind::kResize: {
      const auto& p = std::get<ResizeProblem>(kernel_case.problem);
      const auto& d = std::get<ResizeDims>(kernel_case.dims);
      const double planes = product(d.outer, d.inner), out = volume(d.out);
      const double bytes = 4 * planes * (volume(d.in) + out);
      if (p.antialias) return {std::nullopt, bytes};
      const bool moves = p.coordinates == CoordinateMode::kTfCropAndResize ||
                         p.coordinates == CoordinateMode::kTfHalfPixelForNn;
      const auto taps = [&](size_t axis) {
        const bool keeps = d.in[axis] == d.out[axis] && d.scales[axis] == 1 && !moves;
        if (p.mode == ResizeMode::kNearest || keeps) return 1;
        return p.mode == ResizeMode::kLinear ? 2 : 4;
      };
      // Rows of depth and height together, then along the width.
      return {2 * planes * out * (taps(0) * taps(1) + taps(2)), bytes};
    }
    case KernelKind::kStridedCopy: {
      const auto& d = std::get<StridedCopyDims>(kernel_case.dims);
      double elements = 1;
      for (int i = 0; i < d.rank; ++i) elements *= static_cast<double>(d.sizes[size_t(i)]);
      return {0, 2 * elements * std::get<StridedCopyProblem>(kernel_case.problem).element_size};
    }
    case KernelKind::kReorder: {
      const auto& d = std::get<ReorderDims>(kernel_case.dims);
      return {0, 8 * product(d.batch, d.channels, d.spatial)};
    }
    case KernelKind::kRecurrent: {
      const auto& p = std::get<RecurrentProblem>(kernel_case.problem);
      const auto& d = std::get<RecurrentDims>(kernel_case.dims);
      const int gates = p.cell == RecurrentCell::kRnn ? 1 : p.cell == RecurrentCell::kGru ? 3 : 4;
      return {2 * product(d.steps, d.batch, p.directions, gates, p.hidden, p.input + p.hidden),
              std::nullopt};
    }
    case KernelKind::kAttention: {
      const auto& d = std::get<AttentionDims>(kernel_case.dims);
      int64_t pairs = 0;
      for (int64_t i = 0; i < d.queries; ++i)
        for (int64_t j = 0; j < d.keys; ++j) pairs += !d.causal || j <= i + d.offset;
      const int64_t sizes = d.size + d.value_size;
      return {2 * product(d.batch, d.heads, pairs, sizes),
              4 * (product(d.batch, d.heads, d.queries, sizes) +
                   product(d.batch, d.kv_heads, d.keys, sizes))};
    }
  }
  return {};
}

TEST(KernelTable, CountsOperationsAndBytes) {
  for (const KernelRow& row : kernel_table())
    for (const KernelCase& kernel_case : testing::cases_of(row.kind))
      for (const KernelPlan& plan : prepare_all(kernel_case.problem, row.isa)) {
        if (kernel_table()[static_cast<size_t>(plan.row)].name != row.name) continue;
        SCOPED_TRACE(std::string(row.name) + " " + kernel_case.name);
        const Result<BoundKernel> bound = bind(plan, kernel_case.dims);
        ASSERT_TRUE(bound.is_ok()) << bound.status().message();
        if (bound->parts == 0) continue;  // nothing to do
        const Work work = work_of(kernel_case);
        ASSERT_DOUBLE_EQ(bound->cost.flops, work.flops.value_or(bound->cost.flops));
        ASSERT_DOUBLE_EQ(bound->cost.bytes, work.bytes.value_or(bound->cost.bytes));
      }
}

TEST(PackedWeights, GiveTheirSourceBack) {
  std::map<PackKind, int> seen;
  for (KernelKind kind : {KernelKind::kGemm, KernelKind::kConv})
    for (const KernelCase& kernel_case : testing::cases_of(kind))
      for (Isa isa : {Isa::kAvx2, Isa::kAvx512})
        for (const KernelPlan& plan : prepare_all(kernel_case.problem, isa)) {
          if (!is_unpackable(plan.weights) || plan.weights.kind == PackKind::kNone ||
              ++seen[plan.weights.kind] > 50)
            continue;
          const testing::Instance instance = testing::make_instance(kernel_case, 1);
          const auto& values = instance.inputs[1].values;
          const std::vector<float> source(values.begin(), values.end());
          testing::Buffer packed(static_cast<size_t>(packed_size(plan.weights)), 64);
          pack(plan.weights, source.data(), packed.data());
          std::vector<float> back(source.size());
          unpack(plan.weights, packed.data(), back);
          ASSERT_EQ(back, source) << kernel_case.name;
        }
  EXPECT_EQ(seen.size(), 4u) << "a kind of packing that no case uses";
}

std::vector<KernelKind> kinds_of_table() {
  std::set<KernelKind> kinds;
  for (const KernelRow& row : kernel_table()) kinds.insert(row.kind);
  return {kinds.begin(), kinds.end()};
}

INSTANTIATE_TEST_SUITE_P(Every, KernelTable,
                         ::testing::Combine(::testing::Values(Isa::kSse4, Isa::kAvx2, Isa::kAvx512),
                                            ::testing::ValuesIn(kinds_of_table())),
                         [](const auto& parameters) {
                           return std::string(to_string(std::get<0>(parameters.param))) + "_" +
                                  std::string(to_string(std::get<1>(parameters.param)));
                         });

TEST(KernelTable, RefusesScalarWithASentence) {
  const Result<KernelPlan> plan = prepare(testing::single_operation(Opcode::kAdd), Isa::kScalar);
  ASSERT_FALSE(plan.is_ok());
  EXPECT_EQ(plan.status().message(),
            "no elementwise kernel for instruction set scalar (it has none for this kind)");
}

TEST(KernelTable, ConvolvesGroupsOfWholeBlocksInBlockedLayout) {
  for (const Isa isa : {Isa::kSse4, Isa::kAvx2, Isa::kAvx512}) {
    const Layout blocked = Layout::blocked(channel_block(isa));
    ConvProblem problem{.channels_in = 64, .channels_out = 32, .group = 2};
    problem.kernel = {1, 3, 3};
    problem.input = problem.output = blocked;
    const Result<KernelPlan> plan = prepare(problem, isa);
    ASSERT_TRUE(plan.is_ok()) << plan.status().message();
    EXPECT_EQ(kernel_table()[static_cast<size_t>(plan->row)].name,
              "conv_blocked_" + std::string(to_string(isa)));
    problem.group = 0;
    EXPECT_TRUE(prepare_all(problem, isa).empty());
  }
}

TEST(KernelTable, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const KernelRow& row : kernel_table())
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

}  // namespace
}  // namespace shipway::kernels
