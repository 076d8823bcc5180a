#include "unicode/normal_form.h"

#include <gtest/gtest.h>

#include "unicode/classes.h"

namespace cleave::unicode {
namespace {

TEST(NormalForm, ComposesAndDecomposes) {
  EXPECT_EQ(to_normal_form("e\u0301 \u212B \uFB01", NormalForm::Nfc), "é Å \uFB01");
  EXPECT_EQ(to_normal_form("é", NormalForm::Nfd), "e\u0301");
  EXPECT_EQ(to_normal_form("\uFB01\u00A0①Ａ", NormalForm::Nfkc), "fi 1A");
  EXPECT_EQ(to_normal_form("é\uFB01", NormalForm::Nfkd), "e\u0301fi");
  EXPECT_EQ(to_normal_form("각", NormalForm::Nfd), "\u1100\u1161\u11A8");
  EXPECT_EQ(to_normal_form("\u1100\u1161\u11A8", NormalForm::Nfc), "각");
}

TEST(NormalForm, KeepsTextThatIsNormalAlready) {
  const std::string text("plain \0 é東😀", 17);
  EXPECT_EQ(to_normal_form(text, NormalForm::Nfc), text);
}

TEST(NormalForm, OrdersMarksByTheirClass) {
  EXPECT_EQ(to_normal_form("a\u0301\u0327", NormalForm::Nfd), "a\u0327\u0301");
  EXPECT_EQ(to_normal_form("a\u0301\u0300", NormalForm::Nfd), "a\u0301\u0300");
}

// Sorting by exchange of neighbours would take hours.
TEST(NormalForm, OrdersALongRunOfMarks) {
  std::string marks;
  std::string sorted;
  for (int i = 0; i < 400'000; ++i) marks += "\u0301\u0327";
  for (int i = 0; i < 400'000; ++i) sorted += "\u0327";
  for (int i = 0; i < 400'000; ++i) sorted += "\u0301";
  EXPECT_EQ(to_normal_form(marks, NormalForm::Nfd), sorted);
}

TEST(NormalForm, KeepsWhatTheLibraryDoesNotKnow) {
  EXPECT_EQ(to_normal_form("\u32FF\u32FE", NormalForm::Nfkc), "\u32FFヲ");  // square era name Reiwa, of Unicode 12
}

TEST(UnicodeClasses, AreThoseOfTheLibrarysOlderTables) {
  EXPECT_TRUE(is_nonspacing_mark(U'\u0301') && is_mark(U'\u0903') && is_punctuation(U'\u2E42') && is_other(U'\u00AD'));
  EXPECT_FALSE(is_nonspacing_mark(U'\u07FD') || is_mark(U'\u07FD') || is_punctuation(U'\u2E43'));
  EXPECT_TRUE(is_nonspacing_mark(U'\u1734')) << "became a spacing mark";
  EXPECT_TRUE(is_numeric(U'\U00010D40')) << "newer than utf8proc's tables";
}

TEST(UnicodeClasses, AreThoseOfRust) {
  for (const char32_t code : U"\t\r \u0085\u00A0\u2028\u3000") EXPECT_EQ(is_whitespace(code), code != 0);
  EXPECT_FALSE(is_whitespace(U'\u200B') || is_whitespace(U'\u180E'));
  EXPECT_TRUE(is_numeric(U'7') && is_numeric(U'½') && is_numeric(U'Ⅷ') && is_numeric(U'٣'));
  EXPECT_FALSE(is_numeric(U'一') || is_numeric(U'a'));
  EXPECT_TRUE(is_punctuation(U'$') && is_punctuation(U'~') && is_punctuation(U'。') && is_punctuation(U'«'));
  EXPECT_FALSE(is_punctuation(U'€') || is_punctuation(U'a') || is_punctuation(U' '));
  EXPECT_TRUE(is_word(U'_') && is_word(U'é') && is_word(U'\u0301') && is_word(U'\u200D') && is_word(U'ⓐ'));
  EXPECT_FALSE(is_word(U'-') || is_word(U' ') || is_word(U'½') || is_word(U'€'));
}

}  // namespace
}  // namespace cleave::unicode
