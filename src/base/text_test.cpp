#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iomanip>
#include <limits>

namespace shipway {
namespace {

TEST(Quoted, KeepsOrdinaryTextAndUtf8) {
  EXPECT_EQ(quoted("conv1/weights:0"), "'conv1/weights:0'");
  EXPECT_EQ(quoted(""), "''");
  EXPECT_EQ(quoted("größe 大きさ 🚢"), "'größe 大きさ 🚢'");
}

TEST(Quoted, IsNotStdQuotedWhenIomanipIsThere) {
  std::string name = "a";
  const std::string constant = "b";
  EXPECT_EQ(quoted(name) + quoted(constant) + quoted(std::string("c")), "'a''b''c'");
}

TEST(Quoted, EscapesWhatCouldHarmATerminal) {
  EXPECT_EQ(quoted("a\nb\x1b[31m"), "'a\\x0ab\\x1b[31m'");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), "'\\x00'");
  EXPECT_EQ(quoted("a\u202Eb"), "'a\\xe2\\x80\\xaeb'");  // right-to-left override
  EXPECT_EQ(quoted("\u0085"), "'\\xc2\\x85'");
}

TEST(Quoted, EscapesInvalidUtf8) {
  EXPECT_EQ(quoted("\xff"), "'\\xff'");
  EXPECT_EQ(quoted("a\xc3"), "'a\\xc3'");                           // cut character
  EXPECT_EQ(quoted("\xc0\x80"), "'\\xc0\\x80'");                    // overlong
  EXPECT_EQ(quoted("\xe0\x80\x80"), "'\\xe0\\x80\\x80'");           // overlong
  EXPECT_EQ(quoted("\xed\xa0\x80"), "'\\xed\\xa0\\x80'");           // surrogate
  EXPECT_EQ(quoted("\xf4\x90\x80\x80"), "'\\xf4\\x90\\x80\\x80'");  // above U+10FFFF
}

TEST(Quoted, CutsAtWholeCharacters) {
  EXPECT_EQ(quoted("abcdef", 4), "'abcd…'");
  EXPECT_EQ(quoted("abcd", 4), "'abcd'");
  EXPECT_EQ(quoted("abcä", 4), "'abc…'");
  EXPECT_EQ(quoted("abc\n", 4), "'abc…'");
  EXPECT_EQ(quoted("abc", 0), "'…'");
  EXPECT_EQ(quoted(std::string(1000, 'x')), "'" + std::string(80, 'x') + "…'");
}

TEST(IsUtf8, TellsTextFromBytes) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("größe\n"));
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("ab\xf0\x9f"));
}

TEST(ParseInt, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_int("0"), 0);
  EXPECT_EQ(parse_int("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(parse_int("9223372036854775807"), std::numeric_limits<int64_t>::max());
  for (const char* bad : {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "9223372036854775808"})
    EXPECT_FALSE(parse_int(bad)) << bad;
  EXPECT_FALSE(parse_int({}));
}

TEST(ParseDouble, RoundsCorrectly) {
  EXPECT_EQ(parse_double("0.1"), 0.1);
  EXPECT_EQ(parse_double("-2.5e-3"), -0.0025);
  EXPECT_EQ(parse_double("4.9406564584124654e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parse_double("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(parse_double("-1e-400").value()));
  EXPECT_EQ(parse_double("inf"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(parse_double("nan").value()));
  for (const char* bad : {"", "1e400", "-1e400", "1e99999", "1,5", "1.5x", " 1", "."})
    EXPECT_FALSE(parse_double(bad)) << bad;
}

TEST(ToText, IsShortestAndReadsBack) {
  EXPECT_EQ(to_text(0.1), "0.1");
  EXPECT_EQ(to_text(0.1f), "0.1");
  EXPECT_EQ(to_text(1.0), "1");
  EXPECT_EQ(to_text(1e20), "1e+20");
  EXPECT_EQ(to_text(-0.0), "-0");
  EXPECT_EQ(to_text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(to_text(-std::numeric_limits<double>::quiet_NaN()), "nan");
  for (double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.125})
    EXPECT_EQ(parse_double(to_text(value)), value);
}

}  // namespace
}  // namespace shipway
