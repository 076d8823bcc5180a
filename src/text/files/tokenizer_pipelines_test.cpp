#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "text/files/tokenizer_json.h"

namespace cleave::text {
namespace {

// tests/scripts/make_pipeline_cases.py says what is in it.
Json read_cases() {
  const std::string path = CLEAVE_TEST_DATA "/pipelines/cases.json";
  const MappedFile file(path);
  return parse_json(file.text(), path);
}

// The bytes that ids below 256 are; others in angle brackets.
std::string shown(const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) text += id < 256 ? std::string(1, static_cast<char>(id)) : fmt::format("<{}>", id);
  return text;
}

TEST(Pipeline, CutsAndRewritesTextsAsTheTokenizersLibraryDoes) {
  const Json cases = read_cases();
  ASSERT_GE(cases.at("pipelines").size(), 80u);
  for (const Json& expected : cases.at("pipelines")) {
    SCOPED_TRACE(expected.at("normalizer").dump() + expected.at("pre_tokenizer").dump());
    Json file = cases.at("skeleton");
    file["normalizer"] = expected.at("normalizer");
    file["pre_tokenizer"] = expected.at("pre_tokenizer");
    const auto tokenizer = load_tokenizer_json(file, "t");
    for (size_t i = 0; i < cases.at("texts").size(); ++i) {
      const std::string text = cases.at("texts")[i];
      EXPECT_EQ(shown(tokenizer->encode(text, false)), expected.at("results")[i].get<std::string>()) << text;
    }
  }
}

TEST(Pipeline, DecodesAsTheTokenizersLibraryDoes) {
  const Json cases = read_cases();
  ASSERT_GE(cases.at("decoders").size(), 10u);
  for (const Json& expected : cases.at("decoders")) {
    SCOPED_TRACE(expected.at("decoder").dump());
    Json file = cases.at("words");
    file["decoder"] = expected.at("decoder");
    const auto tokenizer = load_tokenizer_json(file, "t");
    for (size_t i = 0; i < cases.at("tokens").size(); ++i) {
      std::vector<int32_t> ids;
      for (const Json& token : cases.at("tokens")[i]) ids.push_back(*tokenizer->token_id(token.get<std::string>()));
      EXPECT_EQ(tokenizer->decode(ids, false), expected.at("results")[i].get<std::string>()) << cases.at("tokens")[i];
    }
  }
}

}  // namespace
}  // namespace cleave::text
