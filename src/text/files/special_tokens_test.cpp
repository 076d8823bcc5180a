#include "text/files/special_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/testing/temporary_directory.h"
#include "text/files/tokenizer_files.h"

namespace cleave::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A tokenizer of the words "a" and "b", whose tokenizer.json knows the added token "<one>" with id 2.
class Directory : public TemporaryDirectory {
 public:
  Directory() {
    write("tokenizer.json",
          R"({"added_tokens": [{"id": 2, "content": "<one>", "single_word": false, "lstrip": false, "rstrip": false,
              "normalized": false, "special": true}], "normalizer": null, "pre_tokenizer": null,
              "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}})");
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path() / name) << text; }
  std::vector<int32_t> encode(const std::string& text) const { return load_tokenizer(path())->encode(text, true); }
  Json variables() const { return SpecialTokens::read(path()).variables(); }
};

TEST(SpecialTokens, OfTheDecoderJoinThoseOfTokenizerJson) {
  const Directory directory;
  directory.write("tokenizer_config.json",
                  R"({"added_tokens_decoder": {"10": {"content": "<b>", "special": true}, "9": {"content": "<a>"},
                      "2": {"content": "<one>", "lstrip": true, "normalized": false}}})");
  EXPECT_THAT(directory.encode("a<a>b<b>"), ElementsAre(0, 3, 1, 4)) << "numbered anew, in the order of their ids";
  EXPECT_THAT(directory.encode("a <one>"), ElementsAre(0, 2)) << "what is said of a known token counts";
  EXPECT_TRUE(load_tokenizer(directory.path())->is_special(4));
  EXPECT_FALSE(load_tokenizer(directory.path())->is_special(3));
  EXPECT_TRUE(load_tokenizer(directory.path())->is_special(2)) << "special once, special for ever";
}

TEST(SpecialTokens, OfAddedTokensJsonCountWhereThereIsNoDecoder) {
  const Directory directory;
  directory.write("added_tokens.json", R"({"<x>": 3, "<lost>": 2, "<y>": 4})");
  directory.write("special_tokens_map.json", R"({"pad_token": {"content": "<y>"}})");
  EXPECT_THAT(directory.encode("<x><y><one>"), ElementsAre(3, 4, 2)) << "the tokenizer's own token has its id";
  EXPECT_TRUE(load_tokenizer(directory.path())->is_special(4));
  EXPECT_FALSE(load_tokenizer(directory.path())->is_special(3));
  directory.write("tokenizer_config.json", R"({"added_tokens_decoder": {}})");
  EXPECT_FALSE(load_tokenizer(directory.path())->token_id("<x>"));
}

TEST(SpecialTokens, WithNamesAreAddedToo) {
  const Directory directory;
  directory.write("tokenizer_config.json",
                  R"({"bos_token": "<s>", "pad_token": {"content": "<p>"}, "eos_token": null, "add_bos_token": true,
                      "extra_special_tokens": {"z_token": "<z>", "a_token": "<a>"}, "x_token": "<x>"})");
  EXPECT_THAT(directory.encode("<s><p><x><z><a>"), ElementsAre(3, 4, 5, 6, 7)) << "in the order of the file";
  EXPECT_EQ(
      directory.variables(),
      (Json{{"bos_token", "<s>"}, {"pad_token", "<p>"}, {"x_token", "<x>"}, {"z_token", "<z>"}, {"a_token", "<a>"}}));
}

TEST(SpecialTokens, InAListHaveNoNames) {
  for (const char* key : {"extra_special_tokens", "additional_special_tokens"}) {
    const Directory directory;
    directory.write("tokenizer_config.json",
                    std::string("{\"") + key + R"(": ["<p>", {"content": "<q>", "rstrip": true}, "<one>"]})");
    EXPECT_THAT(directory.encode("<p><q> a"), ElementsAre(3, 4, 0)) << key;
    EXPECT_TRUE(directory.variables().empty()) << key;
  }
}

TEST(SpecialTokens, OfTheMapReplaceThoseOfTheConfiguration) {
  const Directory directory;
  directory.write("tokenizer_config.json", R"({"bos_token": "<one>", "eos_token": "a"})");
  directory.write("special_tokens_map.json", R"({"bos_token": "<map>"})");
  EXPECT_EQ(directory.variables(), (Json{{"bos_token", "<map>"}, {"eos_token", "a"}}));
  directory.write("tokenizer_config.json", R"({"bos_token": "<one>", "added_tokens_decoder": {}})");
  EXPECT_EQ(directory.variables(), (Json{{"bos_token", "<one>"}}));
}

TEST(SpecialTokens, AreSpecialByTheirNamesEvenWhereTokenizerJsonSaysOtherwise) {
  const Directory directory;
  directory.write("tokenizer.json",
                  R"({"added_tokens": [{"id": 2, "content": "<p>", "special": false}], "model": {"type": "BPE",
                      "vocab": {"a": 0, "b": 1}, "merges": []}})");
  EXPECT_FALSE(load_tokenizer(directory.path())->is_special(2));
  directory.write("tokenizer_config.json", R"({"pad_token": "<p>"})");
  EXPECT_TRUE(load_tokenizer(directory.path())->is_special(2));
}

TEST(SpecialTokens, AreRefusedWhereTheyMakeNoSense) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"added_tokens_decoder": {"x": {"content": "a"}}})", "is no id"},
      {R"({"added_tokens_decoder": {"-1": {"content": "a"}}})", "is no id"},
      {R"({"added_tokens_decoder": {"1": {}}})", "has no content"},
      {R"({"added_tokens_decoder": []})", "wanted an object"},
      {"[]", "wanted a JSON object"},
      {"{", "not valid JSON"},
  };
  for (const auto& [text, wanted] : cases) {
    const Directory directory;
    directory.write("tokenizer_config.json", text);
    try {
      load_tokenizer(directory.path());
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Corrupt);
      EXPECT_THAT(error.what(), HasSubstr(wanted));
    }
  }
}

}  // namespace
}  // namespace cleave::text
