#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,2,H,W]) -> (y) {";
const std::string kWeights = " w: float[3,2,3,3] = iota\n";
const std::string kPads =
    " p: int64[8] = {0, 0, 1, 2, 0, 0, 3, 4}\n zero: float[] = {0}\n low: float[] = {-inf}\n";

TEST(FusePad, IntoTheConvolutionsOwn) {
  for (const char* pad : {"Pad(x, p)", "Pad(x, p, zero)", "Pad[mode=\"constant\"](x, p, zero)"})
    expect_rewrite(kFusePad, kHead + kWeights + kPads + " b = " + pad + "\n y = Conv(b, w) }",
                   kHead + kWeights + " y = Conv[pads=[1, 2, 3, 4]](x, w) }");
  expect_rewrite(kFusePad,
                 kHead + kWeights + kPads +
                     " b = Pad(x, p)\n y = Conv[pads=[1, 1, 1, 1], strides=[2, 2]](b, w) }",
                 kHead + kWeights + " y = Conv[strides=[2, 2], pads=[2, 3, 4, 5]](x, w) }");
  expect_rewrite(kFusePad,
                 kHead + kWeights + kPads + " b = Pad(x, p)\n y = Conv[auto_pad=\"VALID\"](b, w) }",
                 kHead + kWeights + " y = Conv[pads=[1, 2, 3, 4]](x, w) }");
  // Some axes only, counted from either end.
  expect_rewrite(
      kFusePad,
      kHead + kWeights +
          " p: int64[4] = {5, 6, 7, 8}\n a: int64[2] = {-1, 2}\n b = Pad(x, p, _, a)\n y = "
          "Conv(b, w) }",
      kHead + kWeights + " y = Conv[pads=[6, 5, 8, 7]](x, w) }");
}

TEST(FusePad, ABorderOfSeveralReadersStaysForTheOthers) {
  const std::string head = "graph (x: float[N,2,H,W]) -> (y, z) {";
  expect_rewrite(kFusePad,
                 head + kWeights + kPads + " b = Pad(x, p)\n y = Conv(b, w)\n z = Neg(b) }",
                 head + kWeights +
                     " p: int64[8] = {0, 0, 1, 2, 0, 0, 3, 4}\n b = Pad(x, p)\n y = "
                     "Conv[pads=[1, 2, 3, 4]](x, w)\n z = Neg(b) }");
}

TEST(FusePad, IntoPools) {
  expect_rewrite(kFusePad,
                 kHead + kPads + " b = Pad(x, p)\n y = AveragePool[kernel_shape=[5, 5]](b) }",
                 kHead +
                     " y = AveragePool[kernel_shape=[5, 5], pads=[1, 2, 3, 4], "
                     "count_include_pad=1](x) }");
  expect_rewrite(kFusePad,
                 kHead + kPads +
                     " b = Pad(x, p)\n y = AveragePool[kernel_shape=[6, 6], pads=[1, 1, 1, 1], "
                     "count_include_pad=1](b) }",
                 kHead +
                     " y = AveragePool[kernel_shape=[6, 6], pads=[2, 3, 4, 5], "
                     "count_include_pad=1](x) }");
  expect_rewrite(kFusePad,
                 kHead + kPads + " b = Pad(x, p, low)\n y = MaxPool[kernel_shape=[5, 5]](b) }",
                 kHead + " y = MaxPool[kernel_shape=[5, 5], pads=[1, 2, 3, 4]](x) }");
}

TEST(FusePad, LeavesOtherBorders) {
  const auto kept = [](const std::string& rest) {
    SCOPED_TRACE(rest);
    expect_no_rewrite(kFusePad, "graph (x: float[N,2,H,W], d: int64[8]) -> (y) {" + kWeights +
                                    kPads + rest + " }");
  };
  const std::string conv = "\n y = Conv(b, w)";
  kept(" b = Pad[mode=\"reflect\"](x, p)" + conv);
  kept(" one: float[] = {1}\n b = Pad(x, p, one)" + conv);
  kept(" b = Pad(x, d)" + conv);
  kept(" q: int64[8] = {0, 1, 0, 0, 0, 0, 0, 0}\n b = Pad(x, q)" + conv);
  kept(" q: int64[8] = {0, 0, -1, 0, 0, 0, 0, 0}\n b = Pad(x, q)" + conv);
  kept(" q: int64[8] = {0, 0, 0, 0, 0, 0, 0, -1}\n b = Pad(x, q)" + conv);
  kept(" b = Pad(x, p)\n y = Conv[auto_pad=\"SAME_UPPER\"](b, w)");
  kept(" b = Pad(x, p)\n y = MaxPool[kernel_shape=[5, 5]](b)");  // zero may be the largest
  kept(" b = Pad(x, p, low)\n y, i = MaxPool[kernel_shape=[5, 5]](b)\n j = Neg(i)");
  kept(" b = Pad(x, p)\n y = AveragePool[kernel_shape=[5, 4]](b)");  // a window of border only
  kept(" b = Pad(x, p)\n y = AveragePool[kernel_shape=[5, 5], ceil_mode=1](b)");
  kept(" b = Pad(x, p)\n y = AveragePool[kernel_shape=[9, 9], pads=[1, 1, 1, 1]](b)");
}

}  // namespace
}  // namespace shipway
