#include "base/cpu.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace shipway {
namespace {

TEST(Cpu, IsaNamesGoBothWays) {
  for (Isa isa : {Isa::kScalar, Isa::kSse4, Isa::kAvx2, Isa::kAvx512})
    EXPECT_EQ(isa_from_string(to_string(isa)), isa);
  EXPECT_EQ(isa_from_string("neon"), std::nullopt);
}

TEST(Cpu, RequestOnlyLowersTheIsa) {
  EXPECT_EQ(choose_isa(Isa::kAvx512, "avx2"), Isa::kAvx2);
  EXPECT_EQ(choose_isa(Isa::kAvx2, "avx512"), Isa::kAvx2);
  EXPECT_EQ(choose_isa(Isa::kAvx2, "scalar"), Isa::kScalar);
  EXPECT_EQ(choose_isa(Isa::kAvx2, "typo"), Isa::kAvx2);
  EXPECT_EQ(choose_isa(Isa::kAvx2, ""), Isa::kAvx2);
}

TEST(Cpu, FeaturesAgreeWithTheCompilersOwnDetection) {
  const CpuFeatures& features = cpu_features();
  EXPECT_EQ(features.isa >= Isa::kAvx2,
            __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(features.isa >= Isa::kAvx512,
            __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"));
  EXPECT_GT(features.l1_bytes, 0);
  EXPECT_GT(features.l2_bytes, 0);
  EXPECT_GE(usable_cores(), 1);
}

class CgroupCores : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }
  std::filesystem::path root_;
};

TEST_F(CgroupCores, Version2TakesTheSmallestQuotaOnThePath) {
  write("cpu.max", "max 100000");
  write("a/cpu.max", "150000 100000");
  write("a/b/cpu.max", "400000 100000");
  EXPECT_EQ(cgroup_cores(root_.string(), "0::/a/b\n"), 2);
}

TEST_F(CgroupCores, Version2WithoutQuotaGivesNothing) {
  write("cpu.max", "max 100000");
  EXPECT_EQ(cgroup_cores(root_.string(), "0::/\n"), std::nullopt);
}

TEST_F(CgroupCores, Version1ReadsQuotaAndPeriod) {
  write("cpu,cpuacct/x/cpu.cfs_quota_us", "50000");
  write("cpu,cpuacct/x/cpu.cfs_period_us", "100000");
  EXPECT_EQ(cgroup_cores(root_.string(), "5:memory:/x\n4:cpu,cpuacct:/x\n"), 1);
  write("cpu,cpuacct/x/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(cgroup_cores(root_.string(), "4:cpu,cpuacct:/x\n"), std::nullopt);
}

}  // namespace
}  // namespace shipway
