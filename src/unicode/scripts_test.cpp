#include "unicode/scripts.h"

#include <gtest/gtest.h>

namespace cleave::unicode {
namespace {

TEST(Scripts, AreThoseOfUnicode) {
  const Scripts scripts;
  const auto expect = [&](char32_t code, const char* name) {
    EXPECT_EQ(scripts.of(code), Scripts::number(name)) << name << " " << static_cast<uint32_t>(code);
  };
  expect(U'a', "Latin");
  expect(U' ', "Common");
  expect(U'\u0301', "Inherited");
  expect(U'\u03B1', "Greek");
  expect(U'\u3042', "Hiragana");  // beyond what is remembered
  expect(U'\u30AB', "Katakana");
  expect(U'\u30FC', "Common");
  expect(U'\u4E00', "Han");
  expect(U'\U0001D800', "SignWriting");
}

TEST(Scripts, AreNoneForUnassignedCodePoints) {
  const Scripts scripts;
  EXPECT_EQ(scripts.of(0x0378), 0);
  EXPECT_EQ(scripts.of(0xE0000), 0);
}

}  // namespace
}  // namespace cleave::unicode
