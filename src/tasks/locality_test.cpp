#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"
#include "shipway/restorer.h"

namespace shipway {
namespace {

using ::testing::HasSubstr;

/// The proof for a graph from x to y; nodes stand in `body`, the output's type follows.
Result<Locality> prove(const std::string& body, const std::string& x = "float[1,3,H,W]") {
  SHIPWAY_ASSIGN_OR_RETURN(Model model, parse("opset 23\ngraph main (x: " + x +
                                              ") -> (y: float[N,C,?,?]) {\n" + body + "\n}\n"));
  SessionOptions options;
  options.level = 0;
  SHIPWAY_ASSIGN_OR_RETURN(const auto session, Session::create(std::move(model), options));
  return prove_local(session->model());
}

struct Case {
  const char* body;
  int64_t halo;
  int64_t scale = 1;
  int64_t alignment = 1;
  const char* input = "float[1,3,H,W]";
};

// By hand: a window of k taps at dilation d, padded by p, reaches p to the left and (k - 1) d - p
// to the right; at a scale of s such a step is 1/s input pixels; the halo is the larger side,
// rounded up. Resize reaches its support (1, cubic: 2) and one pixel for the rounding of positions.
const Case kLocal[] = {
    {"y = Relu(x)", 0},
    // SRCNN 9-1-5: 13 pixels wide.
    {"w1: float[8,3,9,9] = seeded 1  w2: float[4,8,1,1] = seeded 2  w3: float[3,4,5,5] = seeded 3\n"
     "a = Conv[pads=[4, 4, 4, 4]](x, w1)  b = Relu(a)  c = Conv(b, w2)  d = Relu(c)\n"
     "y = Conv[pads=[2, 2, 2, 2]](d, w3)",
     6},
    // The same behind a cubic enlargement by 3: 2 + 1, and 6 thirds.
    {"s: float[4] = {1, 1, 3, 3}  w1: float[8,3,9,9] = seeded 1  w2: float[3,8,5,5] = seeded 3\n"
     "u = Resize[mode=\"cubic\"](x, _, s)\n"
     "a = Conv[pads=[4, 4, 4, 4]](u, w1)  y = Conv[pads=[2, 2, 2, 2]](a, w2)",
     5, 3},
    {"w: float[3,3,3,3] = seeded 1  y = Conv[dilations=[2, 2], pads=[2, 2, 2, 2]](x, w)", 2},
    {"w: float[3,3,3,5] = seeded 1  y = Conv[pads=[1, 2, 1, 2]](x, w)", 2},  // the wider axis
    {"w: float[3,3,3,3] = seeded 1  y = Conv[pads=[0, 0, 2, 2]](x, w)", 2},  // to the right only
    {"w: float[3,3,3,3] = seeded 1  y = Conv[pads=[2, 2, 0, 0]](x, w)", 2},  // to the left only
    {"w: float[3,3,3,3] = seeded 1  y = Conv[auto_pad=\"SAME_UPPER\"](x, w)", 1},
    {"w: float[3,3,4,4] = seeded 1  y = Conv[auto_pad=\"SAME_UPPER\"](x, w)", 2},
    {"w: float[3,3,4,4] = seeded 1  y = Conv[auto_pad=\"SAME_LOWER\"](x, w)", 2},
    {"y = MaxPool[kernel_shape=[3, 3], pads=[1, 1, 1, 1]](x)", 1},
    {"y = AveragePool[kernel_shape=[5, 5], pads=[2, 2, 2, 2]](x)", 2},
    {"y = LpPool[kernel_shape=[3, 3], pads=[1, 1, 1, 1]](x)", 1},
    // Nets add up: 1 + 1 + 1, and both ways of a branch count.
    {"w: float[3,3,3,3] = seeded 1  a = Conv[pads=[1, 1, 1, 1]](x, w)\n"
     "b = Conv[pads=[1, 1, 1, 1]](a, w)  c = Conv[pads=[1, 1, 1, 1]](b, w)  y = Add(x, c)",
     3},
    {"s: float[4] = {1, 1, 2, 2}  y = Resize[mode=\"nearest\"](x, _, s)", 2, 2},
    {"s: float[4] = {1, 1, 3, 3}  y = Resize[mode=\"linear\"](x, _, s)", 2, 3},
    {"s: float[4] = {1, 1, 4, 4}  y = Resize[mode=\"cubic\"](x, _, s)", 3, 4},
    {"s: float[4] = {1, 1, 2, 2}\n"
     "y = Resize[mode=\"nearest\", coordinate_transformation_mode=\"asymmetric\"](x, _, s)",
     2, 2},
    // Transposed, stride 2, 4 taps, padded by 1: output 2q reads q - 1 and q, 2q + 1 reads q, q
    // + 1.
    {"w: float[3,3,4,4] = seeded 1  y = ConvTranspose[pads=[1, 1, 1, 1], strides=[2, 2]](x, w)", 1,
     2},
    // Unpadded, stride 3, 3 taps: every output pixel reads one input pixel.
    {"w: float[3,3,3,3] = seeded 1  y = ConvTranspose[strides=[3, 3]](x, w)", 1, 3},
    // Sub-pixel convolution: 1, and 1 at half pixels.
    {"w1: float[12,3,3,3] = seeded 1  w2: float[3,3,3,3] = seeded 2\n"
     "a = Conv[pads=[1, 1, 1, 1]](x, w1)  b = DepthToSpace[blocksize=2](a)\n"
     "y = Conv[pads=[1, 1, 1, 1]](b, w2)",
     2, 2},
    {"w1: float[12,3,3,3] = seeded 1  a = Conv[pads=[1, 1, 1, 1]](x, w1)\n"
     "y = DepthToSpace[blocksize=2, mode=\"CRD\"](a)",
     1, 2},
    // Reflected borders and an unpadded window: 1 to each side.
    {"p: int64[8] = {0, 0, 1, 1, 0, 0, 1, 1}  w: float[3,3,3,3] = seeded 1\n"
     "a = Pad[mode=\"reflect\"](x, p)  y = Conv(a, w)",
     1},
    {"p: int64[8] = {0, 0, 2, 2, 0, 0, 2, 2}  w: float[3,3,5,5] = seeded 1\n"
     "a = Pad[mode=\"edge\"](x, p)  b = Conv(a, w)  c = Pad(b, p)  y = Conv(c, w)",
     4},
    // Down and up again, for pictures of even size: 1, and at steps of 2 pixels twice 1 + 1; tiles
    // begin at even pixels.
    {"w: float[3,3,3,3] = seeded 1  s: float[4] = {1, 1, 2, 2}\n"
     "a = Conv[pads=[1, 1, 1, 1], strides=[2, 2]](x, w)  y = Resize[mode=\"nearest\"](a, _, s)",
     6, 1, 2, "float[1,3,2*H,2*W]"},
    {"a = SpaceToDepth[blocksize=4](x)  y = DepthToSpace[blocksize=4](a)", 4, 1, 4,
     "float[1,3,4*H,4*W]"},
    // What differs per channel only, and what mixes channels only.
    {"c: float[3,1,1] = {1, 2, 3}  n: float[] = {2.0}  a = Mul(x, c)  y = Div(a, n)", 0},
    {"v: float[3] = {1, 2, 3}  y = BatchNormalization(x, v, v, v, v)", 0},
    {"a = Concat[axis=1](x, x)  b = Softmax[axis=1](a)  p: int64[2] = {3, 3}\n"
     "y, c = Split[axis=1](b, p)",
     0},
};

TEST(ProveLocal, FindsTheReachOfEveryLocalOperator) {
  for (const Case& c : kLocal) {
    SCOPED_TRACE(c.body);
    const auto local = prove(c.body, c.input);
    ASSERT_TRUE(local.is_ok()) << local.status().message();
    EXPECT_EQ(local->halo, c.halo);
    EXPECT_EQ(local->scale, c.scale);
    EXPECT_EQ(local->alignment, c.alignment);
  }
}

const std::pair<const char*, const char*> kRefused[] = {
    {"g = GlobalAveragePool(x) @squeeze  y = Mul(x, g)",
     "node 'squeeze' (GlobalAveragePool): it may look at the whole picture"},
    {"a: int64[2] = {2, 3}  m = ReduceMean(x, a) @mean  y = Sub(x, m)",
     "node 'mean' (ReduceMean): it may look at the whole picture"},
    {"y = Softmax[axis=3](x) @over_columns",
     "node 'over_columns' (Softmax): it works along axis 3, over the picture"},
    {"y = Softmax(x) @last", "node 'last' (Softmax): it works along axis -1, over the picture"},
    {"y = LogSoftmax[axis=2](x) @rows", "node 'rows' (LogSoftmax): it works along axis 2"},
    {"t = Transpose[perm=[0, 1, 3, 2]](x) @turn  y = MatMul(t, x)",
     "node 'turn' (Transpose): it may look at the whole picture"},
    {"y = MatMul(x, x) @product", "node 'product' (MatMul): it may look at the whole picture"},
    {"y = Attention(x, x, x) @attention",
     "node 'attention' (Attention): it may look at the whole picture"},
    {"s: int64[4] = {1, 3, -1, 1}  y = Reshape(x, s) @flat",
     "node 'flat' (Reshape): it may look at the whole picture"},
    {"v: float[3] = fill 1  y = InstanceNormalization(x, v, v) @norm",
     "node 'norm' (InstanceNormalization): it may look at the whole picture"},
    {"v: float[3] = fill 1  y, m, s = BatchNormalization[training_mode=1](x, v, v, v, v) @norm",
     "node 'norm' (BatchNormalization): its statistics are those of the whole picture"},
    {"y = LRN[size=3](x) @lrn", "node 'lrn' (LRN): it may look at the whole picture"},
    {"s: float[4] = {1, 1, 2, 2}\n"
     "y = Resize[mode=\"linear\", coordinate_transformation_mode=\"align_corners\"](x, _, s) @up",
     "node 'up' (Resize): its coordinates (align_corners) depend on the size"},
    {"s: float[4] = {1, 1, 2, 3}  y = Resize[mode=\"nearest\"](x, _, s) @up",
     "node 'up' (Resize): its scales differ"},
    {"s: int64[4] = {1, 3, 64, 64}  y = Resize[mode=\"nearest\"](x, _, _, s) @up",
     "node 'up' (Resize): its scales are not four constants"},
    {"a = Concat[axis=2](x, x) @stack  y = Relu(a)",
     "node 'stack' (Concat): it works along axis 2, over the picture"},
    {"w: float[3,3,3,3] = seeded 1\n"
     "y = Conv[auto_pad=\"SAME_UPPER\", strides=[2, 2]](x, w) @down",
     "node 'down' (Conv): its padding depends on the size (auto_pad with strides)"},
    {"y, i = MaxPool[kernel_shape=[2, 2]](x) @pool",
     "node 'pool' (MaxPool): its indices count the pixels of the whole picture"},
    {"p: int64[8] = {0, 0, 1, 1, 0, 0, 1, 1}  y = Pad[mode=\"wrap\"](x, p) @pad",
     "node 'pad' (Pad): it wraps the picture around"},
    {"p: int64[8] = {0, 1, 0, 0, 0, 0, 0, 0}  y = Pad(x, p) @pad",
     "node 'pad' (Pad): it pads other axes than height and width"},
    {"m: float[1,1,5,5] = seeded 1  y = Mul(x, m) @mask",
     "node 'mask' (Mul): value 'm' may differ from place to place"},
    {"m: float[5] = seeded 1  y = Mul(x, m) @mask",
     "node 'mask' (Mul): value 'm' may differ from place to place"},
    {"m: float[5,1] = seeded 1  y = Mul(x, m) @mask",
     "node 'mask' (Mul): value 'm' may differ from place to place"},
    // Sizes that do not follow: unpadded windows, halves, parts of pixels.
    {"w: float[3,3,3,3] = seeded 1  y = Conv(x, w)", "output 'y' is float[1,3,H - 2,W - 2]"},
    {"y = MaxPool[kernel_shape=[2, 2], strides=[2, 2]](x)",
     "output 'y' is not a whole number of times as large as the input"},
    {"s: float[4] = {1, 1, 2, 2}  a = MaxPool[kernel_shape=[2, 2], strides=[2, 2]](x)\n"
     "y = Resize[mode=\"nearest\"](a, _, s)",
     "which does not follow from the input's size alone"},
    {"s: float[4] = {1, 1, 1.5, 1.5}  y = Resize[mode=\"nearest\"](x, _, s)",
     "output 'y' is not a whole number of times as large as the input"},
    {"s: float[4] = {1, 1, 1.5, 1.5}  t: float[4] = {1, 1, 2, 2}\n"
     "a = Resize[mode=\"nearest\"](x, _, s)  y = Resize[mode=\"nearest\"](a, _, t)",
     "which does not follow from the input's size alone"},
    {"k: float[1,3,4,4] = seeded 1  y = Identity(k)", "output 'y' does not depend on the picture"},
};

TEST(ProveLocal, NamesWhatLooksAtTheWholePicture) {
  for (const auto& [body, message] : kRefused) {
    SCOPED_TRACE(body);
    const auto local = prove(body);
    ASSERT_FALSE(local.is_ok()) << local->halo;
    EXPECT_THAT(local.status().message(), HasSubstr(message));
  }
}

TEST(ProveLocal, NeedsOnePictureOfFreeSize) {
  EXPECT_EQ(prove("y = Relu(x)", "float[1,3,32,W]").status().message(),
            "input 'x' has a fixed size");
  EXPECT_EQ(prove("y = Relu(x)", "float[H,W]").status().message(),
            "input 'x' is no picture [N, C, H, W]");
  const auto two = parse(
      "opset 23\ngraph main (a: float[1,3,H,W], b: float[1,3,H,W]) -> (y: "
      "float[1,3,H,W]) { y = Add(a, b) }");
  EXPECT_EQ(prove_local(*two).status().message(),
            "the model has 2 inputs and 1 outputs, tiles need one picture in and one out");
}

}  // namespace
}  // namespace shipway
