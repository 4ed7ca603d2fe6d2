// Numbers by hand: scale 2 and 6, bias 1 and 0, mean 3 and 1, variance 4 - epsilon and 9 - epsilon
// with epsilon 0.5, so that the factors are 2/2 = 1 and 6/3 = 2.
#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kStatistics =
    " scale: float[2] = {2, 6}\n bias: float[2] = {1, 0}\n mean: float[2] = {3, 1}\n var: float[2] "
    "= {3.5, 8.5}\n";
const std::string kNorm = " y = BatchNormalization[epsilon=0.5](c, scale, bias, mean, var) }";
const std::string kHead = "graph (x: float[N,2,H,W]) -> (y) {";

TEST(FuseConvBatchNorm, FoldsStatisticsIntoWeights) {
  expect_rewrite(kFuseConvBatchNorm,
                 kHead + kStatistics +
                     " w: float[2,2,1,1] = {1, 2, 3, 4}\n b: float[2] = {5, 6}\n" +
                     " c = Conv[pads=[1, 1, 1, 1]](x, w, b) @conv\n" + kNorm,
                 kHead + " w: float[2,2,1,1] = {1, 2, 6, 8}\n b: float[2] = {3, 10}\n" +
                     " y = Conv[pads=[1, 1, 1, 1]](x, w, b) }");
}

TEST(FuseConvBatchNorm, MakesABiasWhereConvHasNone) {
  expect_rewrite(
      kFuseConvBatchNorm,
      kHead + kStatistics + " w: float[2,1,1,2] = {1, 2, 3, 4}\n c = Conv[group=2](x, w)\n" + kNorm,
      kHead +
          " w: float[2,1,1,2] = {1, 2, 6, 8}\n b: float[2] = {-2, -2}\n y = Conv[group=2](x, w, b) "
          "}");
}

TEST(FuseConvBatchNorm, ConvTransposeHasItsChannelsSecond) {
  expect_rewrite(
      kFuseConvBatchNorm,
      kHead + kStatistics + " w: float[2,2,1,1] = {1, 2, 3, 4}\n c = ConvTranspose(x, w)\n" + kNorm,
      kHead +
          " w: float[2,2,1,1] = {1, 4, 3, 8}\n b: float[2] = {-2, -2}\n y = ConvTranspose(x, w, b) "
          "}");
  // Two groups of one channel each: rows 0-1 make channel 0, rows 2-3 channel 1.
  expect_rewrite(kFuseConvBatchNorm,
                 kHead + kStatistics +
                     " w: float[4,1,1,1] = {1, 2, 3, 4}\n c = ConvTranspose[group=2](x, w)\n" +
                     kNorm,
                 kHead +
                     " w: float[4,1,1,1] = {1, 2, 6, 8}\n b: float[2] = {-2, -2}\n y = "
                     "ConvTranspose[group=2](x, w, b) }");
}

TEST(FuseConvBatchNorm, GemmBothWaysRound) {
  const std::string head = "graph (x: float[N,3]) -> (y) {";
  expect_rewrite(kFuseConvBatchNorm,
                 head + kStatistics +
                     " w: float[3,2] = {1, 2, 3, 4, 5, 6}\n b: float[2] = {5, 6}\n" +
                     " c = Gemm[alpha=2.0, beta=0.5](x, w, b)\n" + kNorm,
                 head +
                     " w: float[3,2] = {1, 4, 3, 8, 5, 12}\n b: float[2] = {0.5, 4}\n y = "
                     "Gemm[alpha=2.0](x, w, b) }");
  expect_rewrite(kFuseConvBatchNorm,
                 head + kStatistics +
                     " w: float[2,3] = {1, 2, 3, 4, 5, 6}\n c = Gemm[transB=1](x, w)\n" + kNorm,
                 head +
                     " w: float[2,3] = {1, 2, 3, 8, 10, 12}\n b: float[2] = {-2, -2}\n y = "
                     "Gemm[transB=1](x, w, b) }");
}

TEST(FuseConvBatchNorm, LeavesWhatItCannotProve) {
  const std::string weight = " w: float[2,2,1,1] = {1, 2, 3, 4}\n";
  // The result of Conv is used twice; is a graph output; weights come from outside; the
  // normalization trains.
  expect_no_rewrite(kFuseConvBatchNorm, "graph (x: float[N,2,H,W]) -> (y, z) {" + kStatistics +
                                            weight + " c = Conv(x, w)\n z = Neg(c)\n" + kNorm);
  expect_no_rewrite(kFuseConvBatchNorm, "graph (x: float[N,2,H,W]) -> (y, c) {" + kStatistics +
                                            weight + " c = Conv(x, w)\n" + kNorm);
  expect_no_rewrite(kFuseConvBatchNorm, "graph (x: float[N,2,H,W], w: float[2,2,1,1]) -> (y) {" +
                                            kStatistics + " c = Conv(x, w)\n" + kNorm);
  expect_no_rewrite(kFuseConvBatchNorm, kHead + kStatistics + weight + " c = Conv(x, w)\n" +
                                            " y, m, v = BatchNormalization[epsilon=0.5, "
                                            "training_mode=1](c, scale, bias, mean, var) }");
  expect_no_rewrite(kFuseConvBatchNorm, kHead + kStatistics + " c = Neg(x)\n" + kNorm);
}

}  // namespace
}  // namespace shipway
