#include "shipway/dim.h"

#include <gtest/gtest.h>

namespace shipway {
namespace {

class DimTest : public ::testing::Test {
 protected:
  DimTable table;
  Dim n = table.symbol("N"), h = table.symbol("H");
  std::string text(Dim dim) const { return table.to_string(dim); }
};

TEST_F(DimTest, EqualPolynomialsAreOneExpression) {
  EXPECT_EQ(table.add(table.mul(h, 3), n), table.add(n, table.add(h, table.mul(2, h))));
  EXPECT_EQ(table.mul(table.add(h, 1), table.sub(h, 1)), table.sub(table.mul(h, h), 1));
  EXPECT_EQ(table.sub(table.add(h, n), n), h);
  EXPECT_EQ(table.sub(h, h), Dim(0));
}

TEST_F(DimTest, PrintsAsOneWouldWrite) {
  EXPECT_EQ(text(table.add(table.mul(h, 3), 1)), "H*3 + 1");
  EXPECT_EQ(text(table.floordiv(table.sub(h, 1), 2)), "(H - 1)//2");
  EXPECT_EQ(text(table.mul(table.floordiv(h, 2), n)), "N*(H//2)");
  EXPECT_EQ(text(table.min(h, 7)), "min(H, 7)");
  EXPECT_EQ(text(table.mul(table.mod(h, 4), 2)), "(H%4)*2");
  EXPECT_EQ(text(table.mul(table.floordiv(h, 2), -1)), "-(H//2)");
  EXPECT_EQ(text(table.sub(n, table.floordiv(h, 2))), "N - H//2");
}

TEST_F(DimTest, DivisionTakesOutWhatDivides) {
  EXPECT_EQ(table.floordiv(table.mul(n, table.mul(h, 12)), table.mul(n, 4)), table.mul(h, 3));
  EXPECT_EQ(text(table.floordiv(table.add(table.mul(h, 4), 3), 4)), "H");
  EXPECT_EQ(text(table.floordiv(table.add(table.mul(h, 4), 5), 4)), "H + 1");
  EXPECT_EQ(table.floordiv(table.floordiv(h, 2), 3), table.floordiv(h, 6));
  EXPECT_EQ(table.floordiv(h, 0), Dim::unknown());
}

TEST_F(DimTest, ModAndMinUseRanges) {
  EXPECT_EQ(table.mod(table.mul(h, 4), 2), Dim(0));
  EXPECT_EQ(table.max(h, 0), h);
  EXPECT_EQ(table.min(table.add(h, 1), h), h);
  table.set_range(n, {1, 8});
  EXPECT_EQ(table.min(n, 8), n);
  EXPECT_EQ(table.range(table.mul(n, 3)), (DimRange{3, 24}));
}

TEST_F(DimTest, EvaluatesAndSubstitutes) {
  const Dim out = table.add(table.floordiv(table.add(h, -3), 2), 1);  // a 3-wide window, stride 2
  EXPECT_EQ(table.evaluate(out, [](Dim) { return std::optional<int64_t>(224); }), 111);
  EXPECT_EQ(table.evaluate(out, [](Dim) { return std::nullopt; }), std::nullopt);
  EXPECT_EQ(table.substitute(out, [&](Dim) { return std::optional(Dim(9)); }), Dim(4));
}

TEST_F(DimTest, UnknownsOverflowAndEndlessGrowthGiveNoWrongAnswer) {
  EXPECT_TRUE(table.add(h, Dim::unknown()).is_unknown());
  EXPECT_EQ(table.mul(Dim::unknown(), 0), Dim(0));
  EXPECT_TRUE(table.mul(table.mul(h, int64_t{1} << 40), int64_t{1} << 40).is_unknown());
  Dim dim = h;
  for (int i = 0; i < 10000; ++i) dim = table.floordiv(table.add(dim, 1), 2);
  EXPECT_TRUE(dim.is_expression());
  EXPECT_LT(text(dim).size(), 500u);
  EXPECT_FALSE(table.fresh() == table.fresh());
  EXPECT_TRUE(table.add(std::numeric_limits<int64_t>::min() + 9, 1).is_unknown());
}

TEST_F(DimTest, ListsItsSymbols) {
  EXPECT_EQ(table.symbols(table.min(table.mul(n, h), table.floordiv(h, 2))),
            (std::vector<Dim>{n, h}));
  EXPECT_TRUE(table.mentions_fresh(table.add(table.fresh(), n)));
  EXPECT_FALSE(table.mentions_fresh(table.add(h, n)));
}

}  // namespace
}  // namespace shipway
