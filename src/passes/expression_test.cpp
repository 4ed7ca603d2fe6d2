#include "passes/expression.h"

#include <gmock/gmock.h>

#include "graph/text.h"
#include "operators/upgrade.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr char kNumbers[] =
    " two: float[] = {2}\n three: float[1] = {3}\n four: float[1,1] = {4}\n half: float[] = {0.5}\n"
    " zero: float[] = {0}\n one: float[] = {1}\n list: float[2] = {2, 2}\n";

/// Statements that make y from x and z, read from the node that makes y.
struct Formula {
  explicit Formula(const std::string& statements,
                   const std::string& head = "graph (x: float[N,4], z: float[N,4]) -> (y)")
      : model(parse("opset " + std::to_string(newest_opset("")) + "\n" + head + " {" + kNumbers +
                    statements + " }")
                  .value_or_throw()),
        read(model, *producer(model, value("y"))) {}
  ValueId value(const char* name) const { return model.find_value(name); }
  std::string name(ValueId id) const { return id.is_valid() ? model.value(id).name() : ""; }
  std::vector<std::string> names(const std::vector<ValueId>& ids) const {
    std::vector<std::string> found;
    for (ValueId id : ids) found.push_back(name(id));
    return found;
  }

  Model model;
  Expression read;
};

TEST(Expression, NumbersHaveOneElement) {
  Formula f(" y = Neg(x)");
  EXPECT_EQ(f.read.number(f.value("two")), 2);
  EXPECT_EQ(f.read.number(f.value("four")), 4);
  EXPECT_EQ(f.read.number(f.value("list")), std::nullopt);
  EXPECT_EQ(f.read.number(f.value("x")), std::nullopt);
  EXPECT_EQ(f.read.number(ValueId{}), std::nullopt);
  EXPECT_EQ(f.read.node(f.value("x"), "Neg"), nullptr);
  EXPECT_EQ(f.read.node(f.value("y"), "Abs"), nullptr);
  EXPECT_NE(f.read.node(f.value("y"), "Neg"), nullptr);
}

TEST(Expression, ProductsCollectFactors) {
  const auto expect = [](const std::string& statements, double factor,
                         const std::vector<std::string>& values,
                         const std::vector<std::string>& divisors) {
    SCOPED_TRACE(statements);
    Formula f(statements);
    const Product product = f.read.product(f.value("y"));
    EXPECT_DOUBLE_EQ(product.factor, factor);
    EXPECT_EQ(f.names(product.values), values);
    EXPECT_EQ(f.names(product.divisors), divisors);
  };
  expect(" y = Mul(x, z)", 1, {"x", "z"}, {});
  expect(" y = Div(x, z)", 1, {"x"}, {"z"});
  expect(" y = Mul(two, x)", 2, {"x"}, {});
  expect(" y = Div(x, four)", 0.25, {"x"}, {});
  expect(" y = Div(two, x)", 2, {}, {"x"});
  expect(" y = Mul(x, zero)", 1, {"x", "zero"}, {});
  expect(" y = Neg(x)", -1, {"x"}, {});
  expect(" y = Reciprocal(x)", 1, {}, {"x"});
  expect(" a = Div(x, z)\n y = Reciprocal(a)", 1, {"z"}, {"x"});
  expect(" a = Neg(z)\n y = Div(x, a)", -1, {"x"}, {"z"});
  expect(" y = Pow(x, one)", 1, {"x"}, {});
  expect(" y = Pow(x, two)", 1, {"x", "x"}, {});
  expect(" y = Pow(x, three)", 1, {"x", "x", "x"}, {});
  expect(" y = Pow(x, four)", 1, {"y"}, {});
  expect(" y = Pow(x, half)", 1, {"y"}, {});
  expect(" a = Pow(z, two)\n y = Div(x, a)", 1, {"x"}, {"z", "z"});
  expect(" y = Add(x, z)", 1, {"y"}, {});
  // What others read too stays whole.
  expect(" a = Mul(z, two)\n b = Abs(a)\n y = Mul(x, a)", 1, {"x", "a"}, {});
}

TEST(Expression, ProductsAreReadEightDeep) {
  const auto values = [](int depth) {
    std::string text = " a0 = Neg(x)\n";
    for (int i = 1; i < depth; ++i)
      text += " a" + std::to_string(i) + " = Neg(a" + std::to_string(i - 1) + ")\n";
    Formula f(text + " y = Neg(a" + std::to_string(depth - 1) + ")");
    return f.names(f.read.product(f.value("y")).values);
  };
  EXPECT_THAT(values(7), ElementsAre("x"));
  EXPECT_THAT(values(8), ElementsAre("a0"));
}

TEST(Expression, AffineFollowsSumsAndProductsWithNumbers) {
  const auto expect = [](const std::string& statements, double offset, double factor,
                         const std::string& value) {
    SCOPED_TRACE(statements);
    Formula f(statements);
    const Affine affine = f.read.affine(f.value("y"));
    EXPECT_DOUBLE_EQ(affine.offset, offset);
    EXPECT_DOUBLE_EQ(affine.factor, factor);
    EXPECT_EQ(f.name(affine.value), value);
  };
  expect(" y = Add(x, two)", 2, 1, "x");
  expect(" y = Add(two, x)", 2, 1, "x");
  expect(" y = Sub(x, two)", -2, 1, "x");
  expect(" y = Sub(two, x)", 2, -1, "x");
  expect(" y = Mul(three, x)", 0, 3, "x");
  expect(" y = Div(x, four)", 0, 0.25, "x");
  expect(" y = Div(four, x)", 0, 1, "y");
  expect(" y = Div(x, zero)", 0, 1, "y");
  expect(" y = Neg(x)", 0, -1, "x");
  expect(" y = Add(x, z)", 0, 1, "y");
  expect(" y = Add(two, three)", 0, 1, "y");
  expect(" y = Exp(x)", 0, 1, "y");
  expect(" a = Add(x, three)\n y = Mul(a, two)", 6, 2, "x");
  expect(" a = Sub(three, x)\n b = Mul(a, two)\n y = Sub(b, one)", 5, -2, "x");
  expect(" a = Sub(three, x)\n y = Neg(a)", -3, 1, "x");
  std::string chain = " a0 = Add(x, one)\n";
  for (int i = 1; i < 8; ++i)
    chain += " a" + std::to_string(i) + " = Add(a" + std::to_string(i - 1) + ", one)\n";
  expect(chain + " y = Add(a7, one)", 8, 1, "a0");
}

TEST(Expression, PolynomialsHaveADegreeUpToThree) {
  const auto of = [](const std::string& statements) {
    Formula f(statements);
    return f.read.polynomial(f.value("y"), f.value("x"));
  };
  EXPECT_THAT(of(" y = Mul(x, three)"), Optional(ElementsAre(0, 3, 0, 0)));
  EXPECT_THAT(of(" y = Sub(two, x)"), Optional(ElementsAre(2, -1, 0, 0)));
  EXPECT_THAT(of(" y = Add(x, three)"), Optional(ElementsAre(3, 1, 0, 0)));
  EXPECT_THAT(of(" y = Neg(x)"), Optional(ElementsAre(0, -1, 0, 0)));
  EXPECT_THAT(of(" y = Pow(x, one)"), Optional(ElementsAre(0, 1, 0, 0)));
  EXPECT_THAT(of(" y = Pow(x, two)"), Optional(ElementsAre(0, 0, 1, 0)));
  EXPECT_THAT(of(" y = Pow(x, three)"), Optional(ElementsAre(0, 0, 0, 1)));
  EXPECT_THAT(of(" a = Add(x, two)\n y = Pow(a, three)"), Optional(ElementsAre(8, 12, 6, 1)));
  EXPECT_THAT(of(" a = Add(x, two)\n b = Sub(x, three)\n y = Mul(a, b)"),
              Optional(ElementsAre(-6, -1, 1, 0)));
  EXPECT_THAT(of(" a = Add(x, two)\n y = Div(a, four)"), Optional(ElementsAre(0.5, 0.25, 0, 0)));
  EXPECT_EQ(of(" a = Pow(x, two)\n y = Mul(a, a)"), std::nullopt);
  EXPECT_EQ(of(" a = Pow(x, two)\n y = Pow(a, two)"), std::nullopt);
  EXPECT_EQ(of(" y = Div(two, x)"), std::nullopt);
  EXPECT_EQ(of(" a = Add(x, one)\n y = Div(x, a)"), std::nullopt);
  EXPECT_EQ(of(" a = Pow(x, two)\n b = Add(a, one)\n y = Div(x, b)"), std::nullopt);
  EXPECT_EQ(of(" a = Pow(x, three)\n b = Add(a, one)\n y = Div(x, b)"), std::nullopt);
  EXPECT_EQ(of(" y = Div(x, zero)"), std::nullopt);
  EXPECT_EQ(of(" y = Add(x, z)"), std::nullopt);
  EXPECT_EQ(of(" y = Exp(x)"), std::nullopt);
  std::string chain = " a0 = Add(x, one)\n";
  for (int i = 1; i < 7; ++i)
    chain += " a" + std::to_string(i) + " = Add(a" + std::to_string(i - 1) + ", one)\n";
  EXPECT_THAT(of(chain + " y = Add(a6, one)"), Optional(ElementsAre(8, 1, 0, 0)));
  EXPECT_EQ(of(chain + " a7 = Add(a6, one)\n y = Add(a7, one)"), std::nullopt);
}

TEST(Expression, RootsAndSquares) {
  const auto root = [](const std::string& statements) {
    Formula f(statements);
    return f.name(f.read.square_root(f.value("y")));
  };
  EXPECT_EQ(root(" y = Sqrt(x)"), "x");
  EXPECT_EQ(root(" y = Pow(x, half)"), "x");
  EXPECT_EQ(root(" y = Pow(x, two)"), "");
  EXPECT_EQ(root(" y = Mul(x, half)"), "");
  const auto square = [](const std::string& statements) {
    Formula f(statements);
    const auto factors = f.read.square(f.value("y"));
    return factors ? f.names({(*factors)[0], (*factors)[1]}) : std::vector<std::string>();
  };
  EXPECT_THAT(square(" y = Mul(x, z)"), ElementsAre("x", "z"));
  EXPECT_THAT(square(" y = Pow(x, two)"), ElementsAre("x", "x"));
  EXPECT_THAT(square(" y = Pow(x, three)"), IsEmpty());
  EXPECT_THAT(square(" y = Add(x, two)"), IsEmpty());
}

TEST(Expression, IsClosedWhenNothingElseReadsWhatLiesBetween) {
  const auto closed = [](const std::string& statements, const char* outputs = "y") {
    Formula f(statements,
              "graph (x: float[N,4], c: bool[], s: float[N,4]) -> (" + std::string(outputs) + ")");
    f.read.affine(f.value("y"));
    return f.read.is_closed(f.value("x"));
  };
  const std::string formula = " a = Add(x, two)\n b = Mul(a, two)\n y = Sub(b, one)\n";
  EXPECT_TRUE(closed(formula));
  EXPECT_TRUE(closed(formula + " d = Neg(y)\n state s -> d\n"));
  EXPECT_FALSE(closed(formula, "y, a"));
  EXPECT_FALSE(closed(formula + " d = Neg(a)\n"));
  EXPECT_FALSE(closed(formula + " state s -> a\n"));
  EXPECT_FALSE(closed(formula + " d = If[then_branch=graph () -> (a) {}, else_branch=graph () -> "
                                "(x) {}](c)\n"));
  // A number of more axes than x would add to those of the result.
  EXPECT_TRUE(closed(" y = Add(x, four)"));
  Formula f(" y = Add(x, four)", "graph (x: float[N]) -> (y)");
  f.read.affine(f.value("y"));
  EXPECT_FALSE(f.read.is_closed(f.value("x")));
}

TEST(Expression, ConstantsAreNearAsFarAsTheirTypeTells) {
  EXPECT_TRUE(is_near(1.4142, 1.41421356, DType::kFloat32));
  EXPECT_TRUE(is_near(1.000009, 1, DType::kFloat32));
  EXPECT_FALSE(is_near(1.000012, 1, DType::kFloat32));
  EXPECT_FALSE(is_near(-1, 1, DType::kFloat32));
  EXPECT_TRUE(is_near(-1.000009, -1, DType::kFloat64));
  EXPECT_TRUE(is_near(1.0019, 1, DType::kFloat16));
  EXPECT_FALSE(is_near(1.0021, 1, DType::kFloat16));
  EXPECT_TRUE(is_near(0.9845, 1, DType::kBFloat16));
  EXPECT_FALSE(is_near(0.984, 1, DType::kBFloat16));
  EXPECT_EQ(attribute_number(0.1, DType::kFloat32), 0.1f);
  EXPECT_EQ(attribute_number(0.1, DType::kFloat64), std::nullopt);
  EXPECT_EQ(attribute_number(0.25, DType::kFloat64), 0.25f);
  const Model model =
      parse(
          "opset 20\ngraph (a: float16, b: bfloat16, c: float, d: double, i: int32, "
          "s: seq(float)) -> () {}")
          .value_or_throw();
  const auto type = [&](const char* name) { return float_type(model, model.find_value(name)); };
  EXPECT_EQ(type("a"), DType::kFloat16);
  EXPECT_EQ(type("b"), DType::kBFloat16);
  EXPECT_EQ(type("c"), DType::kFloat32);
  EXPECT_EQ(type("d"), DType::kFloat64);
  EXPECT_EQ(type("i"), DType::kUndefined);
  EXPECT_EQ(type("s"), DType::kUndefined);
}

}  // namespace
}  // namespace shipway
