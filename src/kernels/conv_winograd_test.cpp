// The rounding error of Winograd's convolution, against plain loops in double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "kernels/testing/cases.h"
#include "kernels/testing/runner.h"

namespace shipway::kernels {
namespace {

KernelPlan plan_of(const testing::KernelCase& kernel_case, Isa isa, std::string_view row) {
  for (const KernelPlan& plan : prepare_all(kernel_case.problem, isa))
    if (kernel_table()[static_cast<size_t>(plan.row)].name.starts_with(row)) return plan;
  ADD_FAILURE() << row << " does not take " << kernel_case.name;
  return {};
}

/// The largest error over the largest output.
double error_of(int64_t channels, Isa isa, std::string_view row) {
  const Layout blocked = Layout::blocked(channel_block(isa));
  const testing::KernelCase kernel_case = testing::conv_case({.batch = 1,
                                                              .in = channels,
                                                              .out = 32,
                                                              .group = 1,
                                                              .image = {1, 16, 16},
                                                              .kernel = {1, 3, 3},
                                                              .pads = {0, 1, 1},
                                                              .pads_end = {0, 1, 1}},
                                                             {}, blocked, blocked);
  const KernelPlan plan = plan_of(kernel_case, isa, row);
  const testing::Instance instance = testing::make_instance(kernel_case, 5);
  const BoundKernel bound = bind(plan, kernel_case.dims).value_or_throw();
  testing::PreparedRun run(plan, bound, instance);
  run.run({0, bound.parts});
  const auto* y = reinterpret_cast<const float*>(run.output(0).data());
  const testing::Operand& operand = instance.outputs[0];
  double error = 0, largest = 0;
  size_t i = 0;
  for (int64_t c = 0; c < operand.channels->channels; ++c)
    for (int64_t s = 0; s < operand.channels->spatial; ++s) {
      const double expected = operand.expected[i++];
      const float value = y[testing::layout_index(blocked, *operand.channels, 0, c, s)];
      error = std::max(error, std::abs(static_cast<double>(value) - expected));
      largest = std::max(largest, std::abs(expected));
    }
  return error / largest;
}

TEST(Winograd, RoundsWithinItsStatedBound) {
  for (const Isa isa : {Isa::kSse4, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > cpu_features().isa) continue;
    SCOPED_TRACE(to_string(isa));
    for (const auto& [channels, bound] : {std::pair<int64_t, double>{64, 2e-6}, {512, 2e-6}}) {
      const double error = error_of(channels, isa, "conv_winograd");
      EXPECT_LT(error, bound) << channels << " channels";
      EXPECT_GT(error, 0);
      const double direct = error_of(channels, isa, "conv_blocked");
      EXPECT_LT(direct, 1e-6) << "sums are cut, so that more channels lose no more";
      RecordProperty(
          "error_" + std::to_string(channels) + "_" + std::string(to_string(isa)),
          std::to_string(error * 1e6) + "e-6, direct " + std::to_string(direct * 1e6) + "e-6");
    }
  }
}

TEST(Winograd, LeavesSmallImagesAndFewChannelsToTheDirectKernel) {
  for (const Isa isa : {Isa::kSse4, Isa::kAvx2, Isa::kAvx512}) {
    ConvProblem problem{.channels_in = 64, .channels_out = 64, .kernel = {1, 3, 3}};
    problem.input = problem.output = Layout::blocked(channel_block(isa));
    const auto row = [&] {
      return std::string(
          kernel_table()[static_cast<size_t>(prepare(problem, isa).value_or_throw().row)].name);
    };
    const std::string winograd = "conv_winograd_" + std::string(to_string(isa)),
                      direct = "conv_blocked_" + std::string(to_string(isa));
    const auto expect_from = [&](int64_t& size, int64_t least) {
      size = least;
      EXPECT_EQ(row(), winograd);
      size = least - 1;
      EXPECT_EQ(row(), direct);
      size = least;
    };
    EXPECT_EQ(row(), winograd) << "an image of any size";
    expect_from(problem.known_pixels, 36);
    expect_from(problem.channels_in, 8);
    expect_from(problem.channels_out, 8);
    problem.channels_in = problem.channels_out = 256;
    expect_from(problem.known_pixels, 196);
  }
}

}  // namespace
}  // namespace shipway::kernels
