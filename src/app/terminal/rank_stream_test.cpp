#include "app/terminal/rank_stream.h"

#include <gtest/gtest.h>

namespace cleave::app {
namespace {

TEST(RankStream, ShowsWhatRanksSayAndNothingElse) {
  RankStream stream;
  EXPECT_EQ(stream.take("ssh: warning\n" + wrapped("cleave: note: a\n") + "\n----\n" + wrapped("> ")),
            "cleave: note: a\n> ");
  EXPECT_EQ(stream.other_words(), "ssh: warning");
}

TEST(RankStream, TakesTheStreamCutAnywhere) {
  const std::string all = wrapped_begin() + "mpirun's" + wrapped("one\n") + wrapped_end() + " words" + wrapped("two\n");
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    RankStream stream;
    std::string shown = stream.take(all.substr(0, cut));
    shown += stream.take(all.substr(cut));
    EXPECT_EQ(shown, "one\ntwo\n") << cut;
    EXPECT_EQ(stream.other_words(), "mpirun's words");
    EXPECT_EQ(stream.num_begun(), 1);
    EXPECT_TRUE(stream.any_has_ended());
  }
}

TEST(RankStream, ShowsTheFirstErrorOnly) {
  RankStream stream;
  EXPECT_FALSE(stream.has_error());
  const std::string error = "cleave: error: rank 1 (host b, pid 7) died\n";
  EXPECT_EQ(
      stream.take(wrapped(error) + wrapped("cleave: note: bye\n") + wrapped(error) + wrapped("cleave: error: x\n")),
      error + "cleave: note: bye\n");
  EXPECT_TRUE(stream.has_error());
}

TEST(RankStream, KnowsWhichRanksHaveBegunAndWhetherOneHasEnded) {
  RankStream stream;
  stream.take(wrapped_begin() + wrapped_begin() + wrapped("text"));
  EXPECT_EQ(stream.num_begun(), 2);
  EXPECT_FALSE(stream.any_has_ended());
}

TEST(RankStream, PutsMpirunsWordsOnOneLine) {
  RankStream stream;
  stream.take("-----------\nThere are not enough slots\n\n   * try more \r\n-----------\n");
  EXPECT_EQ(stream.other_words(), "There are not enough slots * try more");
  stream.take(std::string(100000, 'x'));
  EXPECT_LT(stream.other_words().size(), 5000u);
}

TEST(RankStream, IsNotLedAstrayByControlCharactersInATextOrByTextsInsideOneAnother) {
  RankStream stream;
  EXPECT_EQ(stream.take(wrapped("a\x02"
                                "b\x03"
                                "c\n")),
            "abc\n");
  EXPECT_EQ(stream.take("\x02"
                        "cut" +
                        wrapped("whole\n")),
            "cutwhole\n");
}

}  // namespace
}  // namespace cleave::app
