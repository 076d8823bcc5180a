#include "base/untrusted_text.h"

#include <gtest/gtest.h>

namespace cleave {
namespace {

TEST(UntrustedText, IsOneLineOfPrintableAscii) {
  EXPECT_EQ(printable("a b~"), "a b~");
  EXPECT_EQ(printable(std::string_view("a\nb\x1b[2J\0\x7f", 9)), "a\\x0ab\\x1b[2J\\x00\\x7f");
  EXPECT_EQ(printable("\xC3\xA9"), "\\xc3\\xa9");
  EXPECT_EQ(printable(""), "");
}

TEST(UntrustedText, IsCutAfter80Bytes) {
  const std::string fits(80, 'a');
  EXPECT_EQ(on_one_line(fits), fits);
  EXPECT_EQ(on_one_line(fits + "b"), fits + "...");
  EXPECT_EQ(on_one_line(std::string(81, '\n')).size(), 80 * 4 + 3u);
}

TEST(UntrustedText, StandsInQuotes) {
  EXPECT_EQ(in_quotes("lm_head"), "\"lm_head\"");
  EXPECT_EQ(in_quotes("lm_head", '\''), "'lm_head'");
  EXPECT_EQ(in_quotes("\t"), "\"\\x09\"");
  EXPECT_EQ(in_quotes(std::string(100, 'a')), "\"" + std::string(80, 'a') + "...\"");
}

}  // namespace
}  // namespace cleave
