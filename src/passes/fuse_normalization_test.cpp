// Formulas as in the ONNX specification of LayerNormalization and RMSNormalization; the forms are
// what exporters write.
#include <gtest/gtest.h>

#include "passes/pass_testing.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

const std::string kHead = "graph (x: float[N,S,3]) -> (y: float[N,S,3]) {";
const std::string kConstants =
    " last: int64[1] = {-1}\n two: float[] = {2}\n epsilon: float[] = {0.001}\n half: float[] = "
    "{-0.5}\n g: float[3] = {2, 3, 4}\n b: float[3] = {5, 6, 7}\n";
const std::string kVariance =
    " m: float[N,S,1] = ReduceMean(x, last)\n d: float[N,S,3] = Sub(x, m)\n p: float[N,S,3] = "
    "Pow(d, two)\n"
    " v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = Add(v, epsilon)\n";
const std::string kNormal = kVariance + " r: float[N,S,1] = Sqrt(a)\n";

/// The constants that a result has left, by the names of its inputs.
std::string constants(const std::string& inputs) {
  const std::pair<const char*, const char*> all[] = {{"g", "float[3] = {2, 3, 4}"},
                                                     {"b", "float[3] = {5, 6, 7}"},
                                                     {"g2", "float[3] = {4, 6, 8}"},
                                                     {"b2", "float[3] = {12, 15, 18}"},
                                                     {"ones", "float[3] = {1, 1, 1}"}};
  std::string text;
  for (const auto& [name, data] : all)
    if ((inputs + ",").find(std::string(" ") + name + ",") != std::string::npos)
      text += std::string(" ") + name + ": " + data + "\n";
  return text;
}

void expect_layer(const std::string& formula, const std::string& inputs) {
  SCOPED_TRACE(formula);
  expect_rewrite(kFuseLayerNormalization, kHead + kConstants + formula + " }",
                 kHead + constants(inputs) + " y = LayerNormalization[axis=-1, epsilon=0.001](" +
                     inputs + ") }");
}
void expect_no_layer(const std::string& formula) {
  SCOPED_TRACE(formula);
  expect_no_rewrite(kFuseLayerNormalization, kHead + kConstants + formula + " }");
}

TEST(FuseLayerNormalization, WithScaleAndBiasOrWithout) {
  expect_layer(kNormal + " y = Div(d, r)", "x, ones");
  expect_layer(kNormal + " n: float[N,S,3] = Div(d, r)\n y = Mul(n, g)", "x, g");
  expect_layer(
      kNormal + " n: float[N,S,3] = Div(d, r)\n s: float[N,S,3] = Mul(g, n)\n y = Add(b, s)",
      "x, g, b");
  expect_layer(kNormal + " n: float[N,S,3] = Div(d, r)\n y = Add(n, b)", "x, ones, b");
}

TEST(FuseLayerNormalization, TheQuotientInEveryForm) {
  expect_layer(kNormal + " i: float[N,S,1] = Reciprocal(r)\n y = Mul(d, i)", "x, ones");
  expect_layer(kVariance + " i: float[N,S,1] = Pow(a, half)\n y = Mul(i, d)", "x, ones");
  expect_layer(
      kNormal + " i: float[N,S,1] = Reciprocal(r)\n s: float[N,S,3] = Mul(i, g)\n y = Mul(d, s)",
      "x, g");
  expect_layer(kNormal + " s: float[N,S,3] = Mul(d, g)\n y = Div(s, r)", "x, g");
}

TEST(FuseLayerNormalization, CentredTwiceAndSquaredEitherWayRound) {
  expect_layer(
      " m: float[N,S,1] = ReduceMean(x, last)\n c: float[N,S,3] = Sub(m, x)\n p: float[N,S,3] = "
      "Mul(c, c)\n"
      " v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = Add(epsilon, v)\n r: "
      "float[N,S,1] = Sqrt(a)\n"
      " d: float[N,S,3] = Sub(x, m)\n y = Div(d, r)",
      "x, ones");
  expect_no_layer(
      " m: float[N,S,1] = ReduceMean(x, last)\n c: float[N,S,3] = Sub(m, x)\n d: float[N,S,3] = "
      "Sub(x, m)\n"
      " p: float[N,S,3] = Mul(c, d)\n v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = "
      "Add(epsilon, v)\n"
      " r: float[N,S,1] = Sqrt(a)\n e: float[N,S,3] = Sub(x, m)\n y = Div(e, r)");
}

TEST(FuseLayerNormalization, TensorFlowsMomentsInEveryOrder) {
  const std::string inverse =
      kVariance + " h: float[N,S,1] = Pow(a, half)\n i: float[N,S,3] = Mul(h, g)\n";
  for (const char* scaled : {"Mul(x, i)", "Mul(i, x)"})
    for (const char* mean : {"Mul(m, i)", "Mul(i, m)"})
      for (const char* sum : {"Add(s, t)", "Add(t, s)"})
        expect_layer(inverse + " s: float[N,S,3] = " + scaled + "\n w: float[N,S,3] = " + mean +
                         "\n t: float[N,S,3] = Sub(b, w)\n y = " + sum,
                     "x, g, b");
  expect_no_layer(
      inverse +
      " s: float[N,S,3] = Mul(x, i)\n w: float[N,S,3] = Mul(m, i)\n t: float[N,S,3] = Sub(w, b)\n"
      " y = Add(s, t)");
}

TEST(FuseLayerNormalization, MoreScalesAndBiasesMakeOne) {
  expect_layer(kNormal +
                   " n: float[N,S,3] = Div(d, r)\n s: float[N,S,3] = Mul(n, g)\n t: float[N,S,3] = "
                   "Add(s, b)\n"
                   " u: float[N,S,3] = Mul(t, two)\n y = Add(u, g)",
               "x, g2, b2");
}

TEST(FuseLayerNormalization, OverSeveralAxesCountedEitherWay) {
  const std::string head = "graph (x: float[N,2,3]) -> (y: float[N,2,3]) {";
  const std::string graph =
      " epsilon: float[] = {0.001}\n two: float[] = {2}\n m: float[N,1,1] = ReduceMean(x, axes)\n"
      " d: float[N,2,3] = Sub(x, m)\n p: float[N,2,3] = Pow(d, two)\n v: float[N,1,1] = "
      "ReduceMean(p, axes)\n"
      " a: float[N,1,1] = Add(v, epsilon)\n r: float[N,1,1] = Sqrt(a)\n y = Div(d, r) }";
  for (const char* axes : {"{2, 1}", "{-2, 2}"})
    expect_rewrite(kFuseLayerNormalization, head + " axes: int64[2] = " + axes + "\n" + graph,
                   head +
                       " ones: float[2,3] = fill 1\n y = LayerNormalization[axis=-2, "
                       "epsilon=0.001](x, ones) }");
  for (const char* axes : {"{0, 1}", "{0, 2}"})  // not the last ones
    expect_no_rewrite(kFuseLayerNormalization, head + " axes: int64[2] = " + axes + "\n" + graph);
}

TEST(FuseLayerNormalization, StatisticsInFloatOfASmallerType) {
  const std::string head =
      "graph (h: float16[N,S,3]) -> (y: float16[N,S,3]) { g16: float16[3] = {2, 3, 4}\n";
  const std::string graph = head + kConstants + " x: float[N,S,3] = Cast[to=1](h)\n" + kNormal +
                            " n: float[N,S,3] = Div(d, r)\n";
  expect_rewrite(kFuseLayerNormalization,
                 graph + " c: float16[N,S,3] = Cast[to=10](n)\n y = Mul(c, g16) }",
                 head + " y = LayerNormalization[axis=-1, epsilon=0.001](h, g16) }");
  // A scale in float is applied before the result is rounded, which the operator cannot say.
  expect_rewrite(
      kFuseLayerNormalization, graph + " s: float[N,S,3] = Mul(n, g)\n y = Cast[to=10](s) }",
      "graph (h: float16[N,S,3]) -> (y: float16[N,S,3]) {" + constants("x, g") +
          " x: float[N,S,3] = Cast[to=1](h)\n s: float[N,S,3] = LayerNormalization[axis=-1, "
          "epsilon=0.001](x, g)\n y = Cast[to=10](s) }");
}

TEST(FuseLayerNormalization, LeavesWhatIsNone) {
  const std::string quotient = " y = Div(d, r)";
  // The mean of something else; no epsilon; the variance of the whole tensor.
  expect_no_rewrite(kFuseLayerNormalization,
                    "graph (x: float[N,S,3], z: float[N,S,3]) -> (y) {" + kConstants +
                        " m: float[N,S,1] = ReduceMean(z, last)\n d: float[N,S,3] = Sub(x, m)\n p: "
                        "float[N,S,3] = Pow(d, two)\n"
                        " v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = Add(v, "
                        "epsilon)\n r: float[N,S,1] = Sqrt(a)\n" +
                        quotient + " }");
  expect_no_layer(
      " m: float[N,S,1] = ReduceMean(x, last)\n d: float[N,S,3] = Sub(x, m)\n p: float[N,S,3] = "
      "Pow(d, two)\n"
      " a: float[N,S,1] = ReduceMean(p, last)\n r: float[N,S,1] = Sqrt(a)\n" +
      quotient);
  expect_no_layer(
      " m: float[N,S,1] = ReduceMean(x, last)\n d: float[N,S,3] = Sub(x, m)\n p: float[N,S,3] = "
      "Pow(d, two)\n"
      " v: float[1,1,1] = ReduceMean(p)\n a: float[1,1,1] = Add(v, epsilon)\n r: float[1,1,1] = "
      "Sqrt(a)\n" +
      quotient);
  // Results on the way that others read; a size that is not known.
  expect_no_rewrite(kFuseLayerNormalization,
                    "graph (x: float[N,S,3]) -> (y, m) {" + kConstants + kNormal + quotient + " }");
  expect_no_rewrite(kFuseLayerNormalization,
                    "graph (x: float[N,S,C]) -> (y) {" + kConstants +
                        " m: float[N,S,1] = ReduceMean(x, last)\n d: float[N,S,C] = Sub(x, m)\n p: "
                        "float[N,S,C] = Pow(d, two)\n"
                        " v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = Add(v, "
                        "epsilon)\n r: float[N,S,1] = Sqrt(a)\n" +
                        quotient + " }");
}

TEST(FuseLayerNormalization, ScalesOfOtherShapesStayOutside) {
  const std::string norm = " n: float[N,S,3] = LayerNormalization[epsilon=0.001](x, g)\n";
  const auto kept = [&](const std::string& rest) {
    SCOPED_TRACE(rest);
    expect_no_rewrite(kFuseLayerNormalization, "graph (x: float[N,S,3], z: float[3]) -> (y) {" +
                                                   kConstants + norm + rest + " }");
  };
  kept(" w: float[2,1] = {1, 2}\n y = Mul(n, w)");
  kept(" w: float[2,1,1,3] = iota\n y = Mul(n, w)");
  kept(" w: float[1,1,1,3] = iota\n y = Add(n, w)");
  kept(" y = Mul(n, z)");  // kernels want constants
  kept(" y = Add(z, n)");
  kept(" k = Mul(n, g)\n l = Neg(n)\n y = Add(k, l)");
  expect_rewrite(
      kFuseLayerNormalization,
      kHead + kConstants + norm + " w: float[1,1,3] = {8, 9, 10}\n y = Add(w, n) }",
      kHead + constants("x, g") +
          " w: float[3] = {8, 9, 10}\n y = LayerNormalization[epsilon=0.001](x, g, w) }");
}

const std::string kSquare =
    " p: float[N,S,3] = Pow(x, two)\n v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = "
    "Add(v, epsilon)\n";

TEST(FuseRmsNormalization, InEveryForm) {
  const auto expect_rms = [](const std::string& formula, const std::string& scale) {
    SCOPED_TRACE(formula);
    expect_rewrite(kFuseRmsNormalization, kHead + kConstants + formula + " }",
                   kHead + constants("x, " + scale) +
                       " y = RMSNormalization[axis=-1, epsilon=0.001](x, " + scale + ") }");
  };
  const std::string root = kSquare + " r: float[N,S,1] = Sqrt(a)\n";
  expect_rms(root + " y = Div(x, r)", "ones");
  expect_rms(
      root + " i: float[N,S,1] = Reciprocal(r)\n n: float[N,S,3] = Mul(x, i)\n y = Mul(g, n)", "g");
  expect_rms(
      kSquare + " i: float[N,S,1] = Pow(a, half)\n n: float[N,S,3] = Mul(x, i)\n y = Mul(n, g)",
      "g");
  expect_rms(
      " p: float[N,S,3] = Mul(x, x)\n v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = "
      "Add(epsilon, v)\n"
      " r: float[N,S,1] = Sqrt(a)\n s: float[N,S,3] = Mul(x, g)\n y = Div(s, r)",
      "g");
}

TEST(FuseRmsNormalization, StatisticsInFloatOfASmallerType) {
  const std::string head =
      "graph (h: bfloat16[N,S,3]) -> (y: bfloat16[N,S,3]) { w: bfloat16[3] = {2, 3, 4}\n";
  expect_rewrite(kFuseRmsNormalization,
                 head + kConstants + " x: float[N,S,3] = Cast[to=1](h)\n" + kSquare +
                     " r: float[N,S,1] = Sqrt(a)\n i: float[N,S,1] = Reciprocal(r)\n n: "
                     "float[N,S,3] = Mul(x, i)\n"
                     " c: bfloat16[N,S,3] = Cast[to=16](n)\n y = Mul(w, c) }",
                 head + " y = RMSNormalization[axis=-1, epsilon=0.001](h, w) }");
}

TEST(FuseRmsNormalization, LeavesWhatIsNone) {
  const std::string root = kSquare + " r: float[N,S,1] = Sqrt(a)\n";
  const auto kept = [](const std::string& head, const std::string& formula) {
    SCOPED_TRACE(formula);
    expect_no_rewrite(kFuseRmsNormalization, head + kConstants + formula + " }");
  };
  kept("graph (x: float[N,S,3], z: float[N,S,3]) -> (y) {", root + " y = Div(z, r)");
  kept("graph (x: float[N,S,3]) -> (y, r) {", root + " y = Div(x, r)");
  kept(kHead, root + " y = Mul(x, r)");
  kept(kHead, root + " s = Mul(x, two)\n t = Mul(s, g)\n y = Div(t, r)");
  kept(kHead,
       " p: float[N,S,3] = Abs(x)\n v: float[N,S,1] = ReduceMean(p, last)\n a: float[N,S,1] = "
       "Add(v, epsilon)\n"
       " r: float[N,S,1] = Sqrt(a)\n y = Div(x, r)");
}

TEST(FuseLayerNormalization, LeavesFormulasThatAreAlmostOne) {
  const std::string numerator = " e: float[N,S,3] = Sub(m, x)\n y = Div(e, r)";
  expect_no_layer(kNormal + numerator);
  const auto with = [](const std::string& mean, const std::string& square,
                       const std::string& plus) {
    return " m: float[N,S,1] = ReduceMean" + mean +
           "(x, last)\n d: float[N,S,3] = Sub(x, m)\n p: float[N,S,3] = " + square +
           "\n v: float[N,S,1] = ReduceMean(p, last)\n " + plus +
           "\n r: float[N,S,1] = Sqrt(a)\n y = Div(d, r)";
  };
  expect_layer(with("", "Pow(d, two)", "a: float[N,S,1] = Add(v, epsilon)"), "x, ones");
  expect_no_layer(with("[keepdims=0]", "Pow(d, two)", "a: float[N,S,1] = Add(v, epsilon)"));
  expect_no_layer(with("", "Pow(d, half)", "a: float[N,S,1] = Add(v, epsilon)"));
  expect_no_layer(with("", "Mul(d, x)", "a: float[N,S,1] = Add(v, epsilon)"));
  expect_no_layer(with("", "Mul(x, d)", "a: float[N,S,1] = Add(v, epsilon)"));
  expect_no_layer(with("", "Pow(d, two)", "a: float[N,S,1] = Sub(v, epsilon)"));
  expect_no_layer(with("", "Pow(d, two)", "a: float[N,S,1] = Add(v, v)"));
  expect_no_layer(
      with("", "Pow(d, two)", "k: float[N,S,1] = Mul(v, two)\n a: float[N,S,1] = Add(k, epsilon)"));
  expect_no_layer(kNormal + " y = Div(x, r)");
  expect_no_layer(kNormal + " y = Div(r, d)");
  expect_no_layer(kVariance + " i: float[N,S,1] = Pow(a, two)\n y = Mul(i, d)");
  expect_no_layer(kNormal + " n: float[N,S,3] = Div(d, r)\n k = Neg(n)\n y = Mul(k, r)");
}

TEST(FuseLayerNormalization, MeanAndVarianceAreOverTheSameAxes) {
  const auto graph = [](const char* mean, const char* square, const char* centre) {
    return std::string("graph (x: float[N,2,3]) -> (y: float[N,2,3]) {") + kConstants +
           " all: int64[2] = {1, 2}\n m: float[N,?,1] = ReduceMean(x, " + mean +
           ")\n d: float[N,2,3] = Sub(x, m)\n p: float[N,2,3] = Pow(d, two)\n v: float[N,?,1] = "
           "ReduceMean(p, " +
           square +
           ")\n a: float[N,?,1] = Add(v, epsilon)\n r: float[N,?,1] = Sqrt(a)\n w: float[N,?,1] = "
           "ReduceMean(x, " +
           centre + ")\n e: float[N,2,3] = Sub(x, w)\n y = Div(e, r) }";
  };
  expect_rewrite(kFuseLayerNormalization, graph("last", "last", "last"),
                 "graph (x: float[N,2,3]) -> (y: float[N,2,3]) { ones: float[3] = fill 1\n y = "
                 "LayerNormalization[axis=-1, epsilon=0.001](x, ones) }");
  expect_no_rewrite(kFuseLayerNormalization, graph("all", "last", "last"));
  expect_no_rewrite(kFuseLayerNormalization, graph("last", "all", "last"));
  expect_no_rewrite(kFuseLayerNormalization, graph("last", "last", "all"));
}

TEST(FuseLayerNormalization, AbsorbsIntoNodesOfAnyAxisAndNoOtherResult) {
  const auto head = [](const char* shape) {
    return "graph (x: float[" + std::string(shape) + "]) -> (y) {" + kConstants;
  };
  for (const char* attributes : {"", "[axis=2]", "[axis=-1]"})
    expect_rewrite(
        kFuseLayerNormalization,
        head("N,S,3") + " n: float[N,S,3] = LayerNormalization" + attributes +
            "(x, g)\n y = Mul(n, two) }",
        std::string(
            "graph (x: float[N,S,3]) -> (y) { w: float[3] = {4, 6, 8}\n y = LayerNormalization") +
            attributes + "(x, w) }");
  const auto kept = [&](const char* shape, const std::string& statements) {
    SCOPED_TRACE(statements);
    expect_no_rewrite(kFuseLayerNormalization, head(shape) + statements + " }");
  };
  kept("N,S,3", " n: float[N,S,3] = LayerNormalization[axis=3](x, g)\n y = Mul(n, two)");
  kept("N,S,3", " n: float[N,S,3] = LayerNormalization[axis=-4](x, g)\n y = Mul(n, two)");
  kept("N,S,3", " n: float[N,S,3] = LayerNormalization[axis=1](x, g)\n y = Mul(n, two)");
  kept("N,S,3", " n, m = LayerNormalization(x, g)\n k = Mul(n, two)\n y = Add(k, m)");
  kept("N,S,3", " n, _, v = LayerNormalization(x, g)\n k = Mul(n, two)\n y = Add(k, v)");
  kept("N,S,3", " n: float[N,S,3] = LayerNormalization(x, g)\n y = Sub(n, b)");
}

TEST(FuseLayerNormalization, CastsOfOtherTypesStay) {
  const auto kept = [](const char* type, const char* to, const std::string& inputs) {
    SCOPED_TRACE(std::string(type) + " " + to + " " + inputs);
    expect_no_rewrite(kFuseLayerNormalization,
                      "graph (h: " + std::string(type) + "[N,S,3]) -> (y) {" + kConstants +
                          " ones: float[3] = fill 1\n x: float[N,S,3] = Cast[to=1](h)\n n: "
                          "float[N,S,3] = LayerNormalization(" +
                          inputs + ")\n y = Cast[to=" + to + "](n) }");
  };
  const auto taken = [](const char* type, const char* to) {
    expect_rewrite(kFuseLayerNormalization,
                   "graph (h: " + std::string(type) +
                       "[N,S,3]) -> (y) { ones: float[3] = fill 1\n" +
                       " x: float[N,S,3] = Cast[to=1](h)\n n: float[N,S,3] = "
                       "LayerNormalization(x, ones)\n y = Cast[to=" +
                       to + "](n) }",
                   "graph (h: " + std::string(type) + "[N,S,3]) -> (y) { ones: " + type +
                       "[3] = fill 1\n y = LayerNormalization(h, ones) }");
  };
  taken("float16", "10");
  taken("bfloat16", "16");
  kept("float16", "16", "x, ones");
  kept("double", "11", "x, ones");
  kept("float16", "10", "x, g");
  kept("float16", "10", "x, ones, b");
}

}  // namespace
}  // namespace shipway
