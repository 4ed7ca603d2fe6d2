#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,4,H,W]) -> (y: float[N,4,H,W]) {";
const std::string kGroups =
    " parts: int64[3] = {0, 2, -1}\n whole: int64[4] = {0, 4, -1, 8}\n s: float[2] = {1, 2}\n b: "
    "float[2] = {3, 4}\n g: float[4,1,1] = {1, 2, 3, 4}\n two: float[] = {2}\n r: float[N,2,?] = "
    "Reshape(x, parts)\n";
const std::string kNorm =
    kGroups + " i: float[N,2,?] = InstanceNormalization[epsilon=0.001](r, s, b)\n";
const std::string kBack = " n: float[N,4,H,W] = Reshape(i, whole)\n";

std::string group(const char* scale, const char* bias) {
  return kHead + " s: float[4] = " + scale + "\n b: float[4] = " + bias +
         "\n y = GroupNormalization[epsilon=0.001, num_groups=2](x, s, b) }";
}

TEST(FuseGroupNormalization, ByWayOfInstances) {
  expect_rewrite(kFuseGroupNormalization, kHead + kNorm + " y = Reshape(i, whole) }",
                 group("{1, 1, 2, 2}", "{3, 3, 4, 4}"));
}

TEST(FuseGroupNormalization, TakesScaleAndBiasOfItsChannels) {
  expect_rewrite(kFuseGroupNormalization, kHead + kNorm + kBack + " y = Mul(n, g) }",
                 group("{1, 2, 6, 8}", "{3, 6, 12, 16}"));
  expect_rewrite(kFuseGroupNormalization, kHead + kNorm + kBack + " y = Add(g, n) }",
                 group("{1, 1, 2, 2}", "{4, 5, 7, 8}"));
  expect_rewrite(kFuseGroupNormalization,
                 kHead + kNorm + kBack + " m: float[N,4,H,W] = Mul(two, n)\n y = Add(m, two) }",
                 group("{2, 2, 4, 4}", "{8, 8, 10, 10}"));
}

TEST(FuseGroupNormalization, LeavesOtherForms) {
  const std::string back = " y = Reshape(i, whole) }";
  // Statistics over other parts, of another shape, or wanted by others.
  expect_no_rewrite(kFuseGroupNormalization,
                    "graph (x: float[M,4,H,W]) -> (y: float[M,4,H,W]) {" + kNorm + back);
  expect_no_rewrite(kFuseGroupNormalization,
                    "graph (x: float[N,4,H,W]) -> (y: float[N,4,W,H]) {" + kNorm + back);
  expect_no_rewrite(kFuseGroupNormalization,
                    "graph (x: float[N,4,H,W]) -> (y: float[N,4,H,W], i) {" + kNorm + back);
  expect_no_rewrite(kFuseGroupNormalization,
                    "graph (x: float[N,3,H,W]) -> (y: float[N,3,H,W]) {" + kNorm + back);
  const std::string norm =
      " s: float[4] = {1, 1, 2, 2}\n b: float[4] = fill 0\n n: float[N,4,H,W] = "
      "GroupNormalization[num_groups=2](x, s, b)\n";
  for (const char* shape : {"4", "4,1", "4,1,1,1", "1,1,1,1,1"})
    expect_no_rewrite(kFuseGroupNormalization,
                      kHead + norm + " k: float[" + shape + "] = fill 2\n y = Mul(n, k) }");
  expect_no_rewrite(kFuseGroupNormalization, "graph (x: float[N,4,H,W], k: float[4,1,1]) -> (y) {" +
                                                 norm + " y = Mul(n, k) }");
  expect_no_rewrite(kFuseGroupNormalization, "graph (x: float[N,4,H,W]) -> (y, n) {" + norm +
                                                 " two: float[] = {2}\n y = Mul(n, two) }");
}

}  // namespace
}  // namespace shipway
