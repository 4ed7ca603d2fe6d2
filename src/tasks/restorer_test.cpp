#include "shipway/restorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/text.h"
#include "graph/text.h"
#include "shipway/formats.h"

namespace shipway {
namespace {

using ::testing::HasSubstr;

uint64_t test_seed() {
  const char* text = std::getenv("SHIPWAY_TEST_SEED");
  return static_cast<uint64_t>(text ? parse_int(text).value_or(1) : 1);
}

/// Waves and noise: neighbours are alike, as in a photograph, and every pixel differs.
Image picture(int64_t width, int64_t height, int64_t channels = 3,
              SampleDepth depth = SampleDepth::k8) {
  Image image = Image::allocate(width, height, channels, depth).value_or_throw();
  std::mt19937 noise(static_cast<uint32_t>(width * 1000 + height));
  std::visit(
      [&](auto& samples) {
        const double scale = depth == SampleDepth::k8 ? 1 : 257;
        size_t i = 0;
        for (int64_t y = 0; y < height; ++y)
          for (int64_t x = 0; x < width; ++x)
            for (int64_t c = 0; c < channels; ++c, ++i) {
              const double wave = std::sin(0.37 * static_cast<double>(x + c)) +
                                  std::cos(0.23 * static_cast<double>(y) - static_cast<double>(c));
              samples[i] = static_cast<std::decay_t<decltype(samples[0])>>(
                  scale * (120 + 45 * wave + static_cast<double>(noise() % 40)));
            }
      },
      image.pixels);
  return image;
}

std::unique_ptr<Session> session_of(const std::string& body, const char* input = "float[1,3,H,W]") {
  auto model = parse("opset 23\ngraph main (x: " + std::string(input) +
                     ") -> (y: float[N,C,?,?]) {\n" + body + "\n}\n");
  EXPECT_TRUE(model.is_ok()) << model.status().message() << "\n" << body;
  auto session = Session::create(*std::move(model));
  EXPECT_TRUE(session.is_ok()) << session.status().message() << "\n" << body;
  return *std::move(session);
}

/// The largest difference of two samples at the same place.
int64_t farthest(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.channels, b.channels);
  int64_t farthest = 0;
  const auto p = a.samples<uint8_t>(), q = b.samples<uint8_t>();
  EXPECT_EQ(p.size(), q.size());
  for (size_t i = 0; i < std::min(p.size(), q.size()); ++i)
    farthest = std::max<int64_t>(farthest, std::abs(p[i] - q[i]));
  return farthest;
}

void expect_tiles_change_nothing(const Session& session, const Image& image, int64_t tile) {
  RestoreOptions options;
  options.tile = -1;
  const auto whole = restore(session, image, options);
  ASSERT_TRUE(whole.is_ok()) << whole.status().message();
  options.tile = tile;
  int64_t told = 0, total = 0;
  options.on_progress = [&](int64_t done, int64_t all) {
    EXPECT_EQ(done, ++told);
    total = all;
  };
  RestoreReport report;
  const auto tiled = restore(session, image, options, &report);
  ASSERT_TRUE(tiled.is_ok()) << tiled.status().message();
  EXPECT_EQ(report.tiles, told);
  EXPECT_EQ(total, told);
  EXPECT_LE(farthest(*whole, *tiled), 1)
      << image.width << " x " << image.height << " in tiles of " << tile;
}

constexpr std::pair<int64_t, int64_t> kSizes[] = {{1, 1},   {1, 40},  {40, 1},  {15, 16}, {16, 17},
                                                  {17, 15}, {31, 33}, {33, 64}, {47, 29}};

TEST(Restore, GivesTheSamePictureInTilesOfSrcnn) {
  auto model = load_model(SHIPWAY_SOURCE_DIR "/models/srcnn/srcnn.onnx");
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  const auto session = Session::create(*std::move(model));
  ASSERT_TRUE(session.is_ok()) << session.status().message();
  for (const auto& [width, height] : kSizes) {
    expect_tiles_change_nothing(**session, picture(width, height), 16);
    expect_tiles_change_nothing(**session, picture(width, height), 7);
  }
  expect_tiles_change_nothing(**session, picture(5, 6), 1);
}

/// A random local net: what restorers are made of, in random order and number, ending in three
/// channels between 0 and 255 that follow small changes inside.
class RandomNet {
 public:
  explicit RandomNet(uint64_t seed) : random_(seed) {}

  std::string body() {
    value_ = "x";
    const int layers = 2 + pick(4);
    // Weights of a convolution keep the size of what they sum when divided by its root.
    add("Mul", "(" + value_ + ", " + constant("float", {0.01}) + ")");
    for (int i = 0; i < layers; ++i) layer();
    conv(3, 1 + 2 * pick(2), 1);
    add("Tanh", "(" + value_ + ")");
    add("Mul", "(" + value_ + ", " + constant("float", {127}) + ")");
    text_ += "y = Add(" + value_ + ", " + constant("float", {128}) + ")\n";
    return text_;
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<uint64_t>(count)); }
  std::string fresh() { return "v" + std::to_string(next_++); }
  void add(const std::string& op, const std::string& rest) {
    const std::string name = fresh();
    text_ += name + " = " + op + rest + "\n";
    value_ = name;
  }
  static std::string list(const std::vector<int>& values) {
    std::string text = "[";
    for (int v : values) text += (text.size() > 1 ? ", " : "") + std::to_string(v);
    return text + "]";
  }
  std::string constant(const std::string& dtype, const std::vector<double>& values,
                       const std::string& shape = "") {
    const std::string name = fresh();
    std::string elements;
    for (double v : values) elements += (elements.empty() ? "" : ", ") + to_text(v);
    text_ += name + ": " + dtype + "[" + shape + "] = {" + elements + "}\n";
    return name;
  }
  std::string weights(int outputs, int inputs, int height, int width) {
    const std::string raw = fresh();
    text_ += raw + ": float[" + std::to_string(outputs) + "," + std::to_string(inputs) + "," +
             std::to_string(height) + "," + std::to_string(width) + "] = seeded " +
             std::to_string(random_() % 100000) + "\n";
    return raw;
  }
  void scale_down(int fan_in) {
    add("Mul", "(" + value_ + ", " + constant("float", {1.6 / std::sqrt(fan_in)}) + ")");
  }
  void conv(int outputs, int kernel, int dilation) {
    const std::string w = weights(outputs, channels_, kernel, kernel);
    const int pad = (kernel - 1) * dilation / 2;
    add("Conv", "[dilations=" + list({dilation, dilation}) +
                    ", pads=" + list({pad, pad, pad, pad}) + "](" + value_ + ", " + w + ")");
    scale_down(channels_ * kernel * kernel);
    channels_ = outputs;
  }
  void enlarge(const char* options, int by) {
    const std::string s = constant("float", {1, 1, double(by), double(by)}, "4");
    add("Resize", "[" + std::string(options) + "](" + value_ + ", _, " + s + ")");
    scale_ *= by;
  }
  void layer() {
    const bool may_grow = scale_ <= 2;
    switch (pick(may_grow ? 13 : 8)) {
      case 0:
        return conv(2 + pick(5), 1 + 2 * pick(4), 1 + pick(2));
      case 1:
        return conv(2 + pick(5), 3, 2);
      case 2:
        return add("LeakyRelu", "(" + value_ + ")");
      case 3:
        return add("MaxPool", "[kernel_shape=[3, 3], pads=[1, 1, 1, 1]](" + value_ + ")");
      case 4:
        return add("AveragePool", "[kernel_shape=[5, 3], pads=[2, 1, 2, 1]](" + value_ + ")");
      case 5: {  // a branch
        const std::string before = value_;
        conv(channels_, 3, 1);
        return add("Add", "(" + value_ + ", " + before + ")");
      }
      case 6: {  // reaches to one side
        const std::string w = weights(channels_, channels_, 4, 4);
        add("Conv", "[pads=" + (pick(2) ? list({0, 0, 3, 3}) : list({3, 3, 0, 0})) + "](" + value_ +
                        ", " + w + ")");
        return scale_down(channels_ * 16);
      }
      case 7: {  // one row and column of the border, then an unpadded window
        const std::string p = constant("int64", {0, 0, 1, 1, 0, 0, 1, 1}, "8");
        const std::string w = weights(4, channels_, 3, 3);
        add("Pad", "[mode=\"edge\"](" + value_ + ", " + p + ")");
        add("Conv", "(" + value_ + ", " + w + ")");
        scale_down(channels_ * 9);
        channels_ = 4;
        return;
      }
      case 8:
        return enlarge("mode=\"nearest\"", 2 + pick(2));
      case 9:
        return enlarge("mode=\"linear\"", 2 + pick(2));
      case 10:
        return enlarge(
            "mode=\"cubic\", cubic_coeff_a=-0.5, coordinate_transformation_mode="
            "\"asymmetric\"",
            2 + pick(2));
      case 11: {
        const std::string w = weights(channels_, 3, 4, 4);
        add("ConvTranspose", "[pads=[1, 1, 1, 1], strides=[2, 2]](" + value_ + ", " + w + ")");
        scale_down(channels_ * 4);
        channels_ = 3;
        scale_ *= 2;
        return;
      }
      default:
        conv(12, 3, 1);
        add("DepthToSpace", "[blocksize=2](" + value_ + ")");
        channels_ = 3;
        scale_ *= 2;
        return;
    }
  }

  std::mt19937_64 random_;
  std::string text_, value_;
  int next_ = 0, channels_ = 3, scale_ = 1;
};

TEST(Restore, GivesTheSamePictureInTilesOfRandomNets) {
  const uint64_t first = test_seed();
  for (uint64_t seed = first; seed < first + 25; ++seed) {
    const std::string body = RandomNet(seed).body();
    SCOPED_TRACE("SHIPWAY_TEST_SEED=" + std::to_string(seed) + "\n" + body);
    const auto session = session_of(body);
    const auto& [width, height] = kSizes[seed % std::size(kSizes)];
    expect_tiles_change_nothing(*session, picture(width, height), 8);
    expect_tiles_change_nothing(*session, picture(37, 19), 5);
    if (HasFailure()) return;
  }
}

TEST(Restore, LetsTilesBeginWhereStridesDo) {
  const auto session = session_of(
      "w: float[6,3,3,3] = seeded 1  v: float[6,3,4,4] = seeded 2  s: float[] = {0.2}\n"
      "a = Conv[pads=[1, 1, 1, 1], strides=[2, 2]](x, w)  b = Relu(a)\n"
      "c = ConvTranspose[pads=[1, 1, 1, 1], strides=[2, 2]](b, v)  y = Mul(c, s)",
      "float[1,3,2*H,2*W]");
  const auto local = prove_local(session->model());
  ASSERT_TRUE(local.is_ok()) << local.status().message();
  EXPECT_EQ(local->alignment, 2);
  expect_tiles_change_nothing(*session, picture(34, 22), 9);  // cut at multiples of 8
  expect_tiles_change_nothing(*session, picture(2, 2), 1);
}

TEST(Restore, RefusesTilesThatTheGraphDoesNotAllow) {
  const auto session = session_of("g = GlobalAveragePool(x) @all  y = Sub(x, g)");
  RestoreOptions options;
  options.tile = 16;
  EXPECT_EQ(restore(*session, picture(20, 20), options).status().message(),
            "the picture cannot be cut into tiles: node 'all' (GlobalAveragePool): it may look at "
            "the whole picture");
  // Left to itself, a large picture runs in one piece, and the report says why.
  RestoreReport report;
  options.tile = 0;
  ASSERT_TRUE(restore(*session, picture(600, 500), options, &report).is_ok());
  EXPECT_EQ(report.tiles, 1);
  EXPECT_THAT(report.whole_because, HasSubstr("node 'all' (GlobalAveragePool)"));
  ASSERT_TRUE(restore(*session, picture(20, 20), options, &report).is_ok());
  EXPECT_EQ(report.whole_because, "");
}

constexpr char kTwice[] = "s: float[4] = {1, 1, 2, 2}  y = Resize[mode=\"nearest\"](x, _, s)";

TEST(Restore, CutsLargePicturesByItself) {
  const auto session = session_of(kTwice);
  RestoreReport report;
  ASSERT_TRUE(restore(*session, picture(512, 512), {}, &report).is_ok());
  EXPECT_EQ(report.tiles, 1);
  const auto large = restore(*session, picture(769, 400), {}, &report);
  ASSERT_TRUE(large.is_ok()) << large.status().message();
  EXPECT_EQ(report.tiles, 6);  // 3 by 2 of at most 384
  EXPECT_EQ(report.locality.scale, 2);
  EXPECT_EQ(large->width, 1538);
  EXPECT_EQ(large->height, 800);
}

TEST(Restore, KeepsGreyAlphaDepthAndOrder) {
  const auto session = session_of(kTwice);
  for (int64_t channels : {1, 3, 4})
    for (SampleDepth depth : {SampleDepth::k8, SampleDepth::k16})
      for (int64_t tile : {-1, 4}) {
        Image image = picture(7, 5, channels, depth);
        if (channels > 1) image.order = ChannelOrder::kBgr;
        RestoreOptions options;
        options.tile = tile;
        const auto large = restore(*session, image, options);
        ASSERT_TRUE(large.is_ok()) << large.status().message();
        EXPECT_EQ(large->channels, channels);
        EXPECT_EQ(large->depth(), depth);
        EXPECT_EQ(large->width, 14);
        EXPECT_EQ(large->height, 10);
        // Nearest by 2: every pixel twice, each way. Alpha is resized apart, by bicubic.
        const bool bgr_kept = channels == 1 || large->order == ChannelOrder::kBgr;
        const auto at = [&](const Image& from, int64_t x, int64_t y, int64_t c) -> int64_t {
          const auto i = static_cast<size_t>((y * from.width + x) * channels + c);
          return depth == SampleDepth::k8 ? from.samples<uint8_t>()[i]
                                          : from.samples<uint16_t>()[i];
        };
        for (int64_t y = 0; y < 10; ++y)
          for (int64_t x = 0; x < 14; ++x)
            for (int64_t c = 0; c < std::min<int64_t>(channels, 3); ++c)
              ASSERT_NEAR(at(*large, x, y, bgr_kept || channels == 1 ? c : 2 - c),
                          at(image, x / 2, y / 2, c), depth == SampleDepth::k8 ? 0 : 1);
      }
}

TEST(Restore, SaysWhatIsNoPicture) {
  const auto flat = session_of("s: int64[1] = {-1}  y = Reshape(x, s)");
  EXPECT_FALSE(restore(*flat, picture(4, 4)).is_ok());
  const auto two = session_of("y = Concat[axis=1](x, x)");  // six channels
  const auto status = restore(*two, picture(4, 4)).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.message();
}

}  // namespace
}  // namespace shipway
