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
      for (size_t j = 0; j < instance.outputs.size(); ++j) {
        EXPECT_EQ(testing::compare_output(whole, instance, j, plan.output), "");
        EXPECT_TRUE(whole.output(j).size() == 0 ||
                    std::memcmp(whole.output(j).data(), pieces.output(j).data(),
                                whole.output(j).size()) == 0)
            << "other bytes when divided";
      }
      if (HasFailure()) return;
    }
  }
  for (const KernelRow& row : kernel_table())
    if (row.isa == isa && row.kind == kind) {
      EXPECT_TRUE(rows_run.contains(row.name)) << row.name << " took no case";
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
