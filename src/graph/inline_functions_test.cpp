#include "graph/inline_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"
#include "graph/verify.h"

namespace shipway {
namespace {

using ::testing::HasSubstr;

/// The main graph after inlining.
std::string inlined(std::string_view text) {
  Result<Model> model = parse(text);
  EXPECT_TRUE(model.is_ok()) << model.status().message();
  if (!model.is_ok()) return "";
  const Status status = inline_functions(*model);
  if (!status.is_ok()) return status.message();
  EXPECT_EQ(verify(*model).message(), "");
  const std::string all = print(*model, {.node_names = false, .sources = false});
  return all.substr(all.find("graph main"));
}

TEST(InlineFunctions, PutsTheBodyInPlaceOfTheCall) {
  EXPECT_EQ(inlined(R"(opset 17
opset my 1
function my.Scale[alpha, beta=0.5] imports [17] (x, w) -> (y) {
  m = Mul(x, w)
  y = Selu[alpha: float = @alpha, gamma: float = @beta](m)
}
graph main (a: float[2], b: float[2]) -> (d: float[2]) {
  c = my.Scale[alpha=2.0](a, b) @first
  d = my.Scale[alpha=3.0, beta=4.0](c, a)
}
)"),
            R"(graph main (a: float[2], b: float[2]) -> (d: float[2]) {
  first/m = Mul(a, b)
  c = Selu[alpha=2.0, gamma=0.5](first/m)
  Scale/m = Mul(c, a)
  d = Selu[alpha=3.0, gamma=4.0](Scale/m)
}
)");
}

TEST(InlineFunctions, FollowsCallsInsideBodies) {
  EXPECT_EQ(inlined(R"(opset 17
opset my 1
function my.Inner imports [17] (x) -> (y) {
  y = Relu(x)
}
function my.Outer imports [17, my 1] (x) -> (y) {
  z = my.Inner(x)
  y = my.Inner(z)
}
graph main (a: float[2]) -> (b: float[2]) {
  b = my.Outer(a) @call
}
)"),
            R"(graph main (a: float[2]) -> (b: float[2]) {
  call/z = Relu(a)
  b = Relu(call/z)
}
)");
}

TEST(InlineFunctions, HandsOnWhatABodyDoesNotMake) {
  EXPECT_EQ(inlined(R"(opset 17
opset my 1
function my.Twice imports [17] (x, unused) -> (x, y, y) {
  y = Relu(x)
}
graph main (a: float[2]) -> (b: float[2], c: float[2], d: float[2]) {
  b, c, d = my.Twice(a)
}
)"),
            R"(graph main (a: float[2]) -> (b: float[2], c: float[2], d: float[2]) {
  c = Relu(a)
  b = Identity(a)
  d = Identity(c)
}
)");
}

TEST(InlineFunctions, NamesFunctionsThatCallEachOtherInACircle) {
  EXPECT_THAT(inlined(R"(opset 17
opset my 1
function my.Self imports [17, my 1] (x) -> (y) {
  y = my.Self(x)
}
graph main (a: float[2]) -> (b: float[2]) {
  b = my.Self(a)
}
)"),
              HasSubstr("functions call each other in a circle: 'my.Self' -> 'my.Self'"));
  EXPECT_THAT(inlined(R"(opset 17
opset my 1
function my.A imports [17, my 1] (x) -> (y) {
  y = my.B(x)
}
function my.B imports [17, my 1] (x) -> (y) {
  y = my.C(x)
}
function my.C imports [17, my 1] (x) -> (y) {
  y = my.B(x)
}
graph main (a: float[2]) -> (b: float[2]) {
  b = my.A(a)
}
)"),
              testing::AnyOf(HasSubstr("in a circle: 'my.B' -> 'my.C' -> 'my.B'"),
                             HasSubstr("in a circle: 'my.C' -> 'my.B' -> 'my.C'")));
}

TEST(InlineFunctions, RefusesWhatDoublesThirtyTimesBeforeMakingAnyNode) {
  std::string text = "opset 17\nopset my 1\n";
  for (int i = 0; i < 30; ++i) {
    const std::string next = i == 29 ? "Relu" : "my.F" + std::to_string(i + 1);
    text += "function my.F" + std::to_string(i) +
            " imports [17, my 1] (x) -> (z) {\n  y = " + next + "(x)\n  z = " + next + "(y)\n}\n";
  }
  text += "graph main (a: float[2]) -> (b: float[2]) {\n  b = my.F0(a)\n}\n";
  EXPECT_THAT(inlined(text),
              HasSubstr("with its functions inlined (function 'my.F0' among them) the "
                        "model has more than 2000000 nodes"));
}

}  // namespace
}  // namespace shipway
