#include "grammar/matching/used_keys.h"

#include <gtest/gtest.h>

namespace cleave::grammar {
namespace {

// Takes a text in pieces of so many bytes; false where one repeats a key.
bool take(UsedKeys& keys, std::string_view text, size_t piece) {
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    UsedKeys::Trial trial(keys);
    for (const char byte : text.substr(0, piece))
      if (!trial.add(byte)) return false;
    keys.take(std::move(trial));
  }
  return true;
}

TEST(UsedKeys, ARepeatedKeyIsFoundHoweverTheTextIsCut) {
  for (size_t piece = 1; piece < 30; ++piece) {
    for (const char* text : {R"({"a":{"a":1,"b":[{"a":1},{"a":2}]},"b":"a","c":"\",\"a\":"})", R"([{"a":1},{"a":1}])",
                             R"({"a":"x","\"":1,"\\":2})"}) {
      UsedKeys keys;
      EXPECT_TRUE(take(keys, text, piece)) << text;
      EXPECT_FALSE(keys.inside());
    }
    for (const char* text : {R"({"a":1,"a":)", R"({"a":{"b":[1,{"c":1}]},"b":1,"a":)", R"([[{"x":{},"y":{"x":1,"x":)",
                             R"({"\"":1,"\"":)"}) {
      UsedKeys keys;
      EXPECT_FALSE(take(keys, text, piece)) << text;
    }
  }
}

TEST(UsedKeys, ATrialChangesNothing) {
  UsedKeys keys;
  ASSERT_TRUE(take(keys, R"({"a":1,"b":{)", 100));
  EXPECT_FALSE(keys.would_repeat(R"("a":1},"c":2)"));
  EXPECT_TRUE(keys.would_repeat(R"("x":1},"a")"));
  EXPECT_FALSE(keys.would_repeat(R"("x":1},"c")"));
  EXPECT_FALSE(keys.would_repeat(R"("x":1,"y")"));
  EXPECT_EQ(keys.quotes_to_key(), 2u);
  EXPECT_TRUE(keys.any());
}

}  // namespace
}  // namespace cleave::grammar
