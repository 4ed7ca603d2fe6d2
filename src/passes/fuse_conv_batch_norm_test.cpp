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

TEST(FuseConvBatchNorm, FollowsChannelsThroughKernelsAndGroups) {
  expect_rewrite(
      kFuseConvBatchNorm,
      kHead + kStatistics + " w: float[2,1,2,3] = iota\n c = Conv[group=2](x, w)\n" + kNorm,
      kHead +
          " w: float[2,1,2,3] = {0, 1, 2, 3, 4, 5, 12, 14, 16, 18, 20, 22}\n b: float[2] "
          "= {-2, -2}\n y = Conv[group=2](x, w, b) }");
  // Two groups of two channels: rows 0-1 make channels 0 and 1, rows 2-3 channels 2 and 3; the
  // factors are 1, 2, 3, 4.
  expect_rewrite(
      kFuseConvBatchNorm,
      kHead +
          " scale: float[4] = {1, 2, 3, 4}\n bias: float[4] = fill 0\n mean: float[4] = fill 0\n"
          " var: float[4] = fill 0.5\n w: float[4,2,1,2] = iota\n c = ConvTranspose[group=2](x, w)"
          "\n" +
          kNorm,
      kHead +
          " w: float[4,2,1,2] = {0, 1, 4, 6, 4, 5, 12, 14, 24, 27, 40, 44, 36, 39, 56, 60}\n"
          " y = ConvTranspose[group=2](x, w) }");
}

TEST(FuseConvBatchNorm, EpsilonIsSmallWhereItIsNotSaid) {
  // 1 / sqrt(3e-5 + 1e-5) by NumPy, in double from the floats nearest to both.
  expect_rewrite(kFuseConvBatchNorm,
                 "graph (x: float[N,1,H,W]) -> (y) { scale: float[1] = {1}\n zero: float[1] = {0}\n"
                 " var: float[1] = {0.00003}\n w: float[1,1,1,1] = {1}\n c = Conv(x, w)\n"
                 " y = BatchNormalization(c, scale, zero, zero, var) }",
                 "graph (x: float[N,1,H,W]) -> (y) { w: float[1,1,1,1] = {158.113885}\n"
                 " y = Conv(x, w) }");
}

TEST(FuseConvBatchNorm, GemmAddsARowButNotAColumn) {
  const std::string head = "graph (x: float[N,1]) -> (y) {",
                    weight = " w: float[1,2] = {1, 2}\n c = Gemm(x, w, b)\n";
  for (const char* shape : {"2", "1,2"})
    expect_rewrite(kFuseConvBatchNorm,
                   head + kStatistics + " b: float[" + shape + "] = {5, 6}\n" + weight + kNorm,
                   head + " w: float[1,2] = {1, 4}\n b: float[2] = {3, 10}\n y = Gemm(x, w, b) }");
  for (const char* c : {"float[2,1] = {5, 6}", "float[1] = {5}", "float[] = {5}"})
    expect_no_rewrite(kFuseConvBatchNorm, head + kStatistics + " b: " + c + "\n" + weight + kNorm);
  // With one channel a scalar is as good as a row.
  expect_rewrite(kFuseConvBatchNorm,
                 head +
                     " one: float[1] = {1}\n var: float[1] = {0.5}\n b: float[] = {5}\n w: "
                     "float[1,1] = {2}\n c = Gemm(x, w, b)\n"
                     " y = BatchNormalization[epsilon=0.5](c, one, one, one, var) }",
                 head + " w: float[1,1] = {2}\n b: float[1] = {5}\n y = Gemm(x, w, b) }");
}

TEST(FuseConvBatchNorm, LeavesStatisticsThatAreNoConstantsOfOneSize) {
  const std::string conv = " w: float[2,2,1,1] = {1, 2, 3, 4}\n c = Conv(x, w)\n";
  const std::vector<std::pair<std::string, std::string>> statistics = {
      {"scale", "{2, 6}"}, {"bias", "{1, 0}"}, {"mean", "{3, 1}"}, {"var", "{3.5, 8.5}"}};
  for (const auto& [wrong, values] : statistics) {
    SCOPED_TRACE(wrong);
    std::string others;
    for (const auto& [name, numbers] : statistics)
      if (name != wrong) others += " " + name + ": float[2] = " + numbers + "\n";
    expect_no_rewrite(kFuseConvBatchNorm, "graph (x: float[N,2,H,W], " + wrong +
                                              ": float[2]) -> (y) {" + others + conv + kNorm);
    expect_no_rewrite(kFuseConvBatchNorm,
                      kHead + others + " " + wrong + ": float[1] = {4}\n" + conv + kNorm);
    expect_no_rewrite(kFuseConvBatchNorm,
                      kHead + others + " " + wrong + ": float[3] = {4, 5, 6}\n" + conv + kNorm);
  }
  // A variance below zero; and other channels than Conv makes.
  expect_no_rewrite(kFuseConvBatchNorm,
                    kHead +
                        " scale: float[2] = {2, 6}\n bias: float[2] = {1, 0}\n mean: float[2] = "
                        "{3, 1}\n var: float[2] = {3.5, -1}\n" +
                        conv + kNorm);
  expect_no_rewrite(kFuseConvBatchNorm,
                    kHead + kStatistics + " w: float[3,2,1,1] = iota\n c = Conv(x, w)\n" + kNorm);
}

TEST(FuseConvBatchNorm, OutputsLeftOutAreNoHindrance) {
  expect_rewrite(kFuseConvBatchNorm,
                 kHead + kStatistics +
                     " w: float[2,2,1,1] = {1, 2, 3, 4}\n c = Conv(x, w)\n y, _, _ = "
                     "BatchNormalization[epsilon=0.5](c, scale, bias, mean, var) }",
                 kHead +
                     " w: float[2,2,1,1] = {1, 2, 6, 8}\n b: float[2] = {-2, -2}\n y = Conv(x, w, "
                     "b) }");
}

TEST(FuseConvBatchNorm, LeavesNormalizationThatGivesMore) {
  const std::string conv =
      kHead + kStatistics + " w: float[2,2,1,1] = {1, 2, 3, 4}\n c = Conv(x, w)\n";
  const std::string inputs = "(c, scale, bias, mean, var)";
  expect_no_rewrite(kFuseConvBatchNorm,
                    conv + " y = BatchNormalization[training_mode=1]" + inputs + " }");
  for (const char* outputs : {"y, m", "y, _, v"})
    expect_no_rewrite(kFuseConvBatchNorm,
                      conv + " " + outputs + " = BatchNormalization" + inputs + " }");
}

TEST(FuseConvBatchNorm, LeavesWeightsOfOtherForms) {
  const auto kept = [](const std::string& weight, const std::string& maker) {
    SCOPED_TRACE(maker);
    expect_no_rewrite(kFuseConvBatchNorm, "graph (x: float[N,2,H,W], b: float[2]) -> (y) {" +
                                              kStatistics + " w: float" + weight +
                                              " = iota\n c = " + maker + "\n" + kNorm);
  };
  kept("[2]", "Conv(x, w)");
  kept("[2,2,1,1]", "Conv(x, w, b)");  // the bias comes from outside
  kept("[2,2,1,1]", "ConvTranspose[group=0](x, w)");
  kept("[3,1,1,1]", "ConvTranspose[group=2](x, w)");
  kept("[2,2,1]", "Gemm(x, w)");
  kept("[2,2]", "MatMul(x, w)");
  kept("[2,2,1,1]", "com.example.Conv(x, w)");
  expect_no_rewrite(kFuseConvBatchNorm, "graph (c: float[N,2,H,W]) -> (y) {" + kStatistics + kNorm);
}

// ---- one operator at a time

const std::string kWeights = " w: float[2,2,1,1] = {1, 2, 3, 4}\n b: float[2] = {5, 6}\n";

TEST(FuseConvAffine, FactorsAndAddendsPerChannel) {
  const std::string graph = kHead + kWeights + " k: float[1,2,1,1] = {2, 4}\n c = Conv(x, w, b)\n";
  const auto becomes = [&](const char* formula, const char* weight, const char* bias) {
    SCOPED_TRACE(formula);
    expect_rewrite(kFuseConvAffine, graph + " y = " + formula + " }",
                   kHead + " w: float[2,2,1,1] = " + weight + "\n b: float[2] = " + bias +
                       "\n y = Conv(x, w, b) }");
  };
  becomes("Mul(c, k)", "{2, 4, 12, 16}", "{10, 24}");
  becomes("Mul(k, c)", "{2, 4, 12, 16}", "{10, 24}");
  becomes("Div(c, k)", "{0.5, 1, 0.75, 1}", "{2.5, 1.5}");
  becomes("Add(c, k)", "{1, 2, 3, 4}", "{7, 10}");
  becomes("Add(k, c)", "{1, 2, 3, 4}", "{7, 10}");
  becomes("Sub(c, k)", "{1, 2, 3, 4}", "{3, 2}");
}

TEST(FuseConvAffine, ANumberIsForAllChannels) {
  for (const char* shape : {"", "1", "1,1,1,1", "1,1"})
    expect_rewrite(kFuseConvAffine,
                   kHead + " w: float[2,2,1,1] = {1, 2, 3, 4}\n k: float[" + shape +
                       "] = {3}\n c = Conv(x, w)\n m = Mul(k, c)\n y = Add(m, k) }",
                   kHead +
                       " w: float[2,2,1,1] = {3, 6, 9, 12}\n b: float[2] = {3, 3}\n"
                       " y = Conv(x, w, b) }");
}

TEST(FuseConvAffine, ConvTransposeAndGemm) {
  expect_rewrite(
      kFuseConvAffine,
      kHead + kWeights + " k: float[2,1,1] = {2, 4}\n c = ConvTranspose(x, w, b)\n y = Mul(c, k) }",
      kHead +
          " w: float[2,2,1,1] = {2, 8, 6, 16}\n b: float[2] = {10, 24}\n y = "
          "ConvTranspose(x, w, b) }");
  const std::string head = "graph (x: float[N,2]) -> (y) {";
  expect_rewrite(kFuseConvAffine,
                 head +
                     " w: float[2,2] = {1, 2, 3, 4}\n b: float[2] = {5, 6}\n k: float[2] = {2, "
                     "4}\n c = Gemm[beta=3.0](x, w, b)\n y = Mul(c, k) }",
                 head +
                     " w: float[2,2] = {2, 8, 6, 16}\n b: float[2] = {30, 72}\n y = Gemm(x, w, "
                     "b) }");
}

TEST(FuseConvAffine, LeavesOtherOperands) {
  const auto kept = [](const std::string& rest) {
    SCOPED_TRACE(rest);
    expect_no_rewrite(kFuseConvAffine, "graph (x: float[N,2,H,W], z: float[1,2,1,1]) -> (y) {" +
                                           kWeights + rest + " }");
  };
  const std::string conv = " c = Conv(x, w, b)\n";
  kept(conv + " k: float[2] = {2, 4}\n y = Mul(c, k)");  // along the last axis
  kept(conv + " k: float[2,1] = {2, 4}\n y = Mul(c, k)");
  kept(conv + " k: float[2,1,1,1] = {2, 4}\n y = Mul(c, k)");  // along the first
  kept(conv + " k: float[1,1,1,1,1] = {2}\n y = Mul(c, k)");   // another axis in the result
  kept(conv + " k: float[1,2,1,2] = iota\n y = Add(c, k)");
  kept(conv + " y = Mul(c, z)");
  kept(conv + " k: float[] = {2}\n y = Div(k, c)");
  kept(conv + " k: float[] = {2}\n y = Sub(k, c)");
  kept(conv + " k: float[] = {0}\n y = Div(c, k)");
  kept(conv + " k: float[] = {2}\n y = Pow(c, k)");
  kept(conv + " k: float[] = {2}\n m = Mul(c, k)\n y = Add(m, c)");
  // The weights are another node's too: only the bias may change.
  kept(conv + " k: float[] = {2}\n d = Conv(x, w)\n m = Mul(c, k)\n y = Max(m, d)");
  kept(" c = Conv(x, w, z)\n k: float[] = {2}\n y = Add(c, k)");
}

}  // namespace
}  // namespace shipway
