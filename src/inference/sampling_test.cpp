#include "inference/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/error.h"
#include "base/testing/error_of.h"

namespace cleave::inference {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

engine::SamplingParams params_of(const std::string& settings, const SamplingOptions& options = {}) {
  return sampling_params(options, parse_json(settings, "test"));
}

TEST(Sampling, RulesOfTheModelHoldForGreedyAnswers) {
  const engine::SamplingParams params = params_of(
      R"({"repetition_penalty": 1.3, "no_repeat_ngram_size": 3, "bad_words_ids": [[1], [2, 3]], "min_length": 4,
          "min_new_tokens": 5, "forced_bos_token_id": 6, "forced_eos_token_id": [7, 8], "suppress_tokens": [9],
          "begin_suppress_tokens": [10], "temperature": 0.5, "top_k": 7, "top_p": 0.9})");
  EXPECT_EQ(params.temperature, 0);
  EXPECT_EQ(params.top_k, 0) << "of sampling alone";
  EXPECT_EQ(params.repeat_penalty, 1.3);
  ASSERT_NE(params.rules, nullptr);
  const engine::LogitRules& rules = *params.rules;
  EXPECT_EQ(rules.no_repeat_ngram, 3);
  EXPECT_THAT(rules.bad_words, ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
  EXPECT_EQ(rules.min_length, 4);
  EXPECT_EQ(rules.min_new_tokens, 5);
  EXPECT_EQ(rules.forced_first, 6);
  EXPECT_THAT(rules.forced_last, ElementsAre(7, 8));
  EXPECT_THAT(rules.suppress, ElementsAre(9));
  EXPECT_THAT(rules.begin_suppress, ElementsAre(10));
  EXPECT_THAT(params_of(R"({"forced_eos_token_id": 7})").rules->forced_last, ElementsAre(7));
}

TEST(Sampling, NullSaysNothing) {
  const engine::SamplingParams params =
      params_of(R"({"repetition_penalty": null, "no_repeat_ngram_size": null, "bad_words_ids": null,
                    "suppress_tokens": null, "forced_eos_token_id": null, "do_sample": true, "top_k": null})");
  EXPECT_EQ(params.rules, nullptr);
  EXPECT_EQ(params.repeat_penalty, 1);
  EXPECT_EQ(params.top_k, 50);
}

TEST(Sampling, TakesFiftyTokensWhereTheModelSamplesAndDoesNotSay) {
  EXPECT_EQ(params_of(R"({"do_sample": true})").top_k, 50);
  EXPECT_EQ(params_of(R"({"do_sample": true})").temperature, 1);
  EXPECT_EQ(params_of(R"({"do_sample": true, "top_k": 0})").top_k, 0);
  EXPECT_EQ(params_of(R"({"do_sample": true, "top_k": 9})").top_k, 9);
  EXPECT_EQ(params_of("{}", {.temperature = 1}).top_k, 0);
}

TEST(Sampling, TheUserComesBeforeTheModel) {
  const SamplingOptions options{.temperature = 0,
                                .repeat_penalty = 1,
                                .no_repeat_ngram = 0,
                                .min_new_tokens = 2,
                                .suppress = std::vector<int32_t>{}};
  const engine::SamplingParams params = params_of(
      R"({"do_sample": true, "repetition_penalty": 2, "no_repeat_ngram_size": 3, "min_new_tokens": 9,
          "suppress_tokens": [1]})",
      options);
  EXPECT_EQ(params.temperature, 0);
  EXPECT_EQ(params.repeat_penalty, 1);
  EXPECT_EQ(params.rules->no_repeat_ngram, 0);
  EXPECT_EQ(params.rules->min_new_tokens, 2);
  EXPECT_TRUE(params.rules->suppress.empty());
}

TEST(Sampling, RefusesSettingsOfAnotherType) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"repetition_penalty": "1"})", "repetition_penalty is \"1\", wanted a number"},
      {R"({"no_repeat_ngram_size": 1.5})", "wanted a whole number"},
      {R"({"bad_words_ids": [1]})", "wanted a list of ids"},
      {R"({"bad_words_ids": 1})", "wanted a list of lists"},
      {R"({"suppress_tokens": ["a"]})", "wanted the id of a token"},
      {R"({"forced_bos_token_id": [1]})", "wanted the id of a token"},
  };
  for (const auto& [settings, wanted] : cases)
    EXPECT_THAT(error_of(ErrorKind::Corrupt, [&] { params_of(settings); }), HasSubstr(wanted));
  EXPECT_THAT(error_of(ErrorKind::InvalidArgument, [&] { params_of(R"({"bad_words_ids": [[]]})"); }),
              HasSubstr("generation_config.json: a bad word"));
  EXPECT_THAT(error_of(ErrorKind::InvalidArgument, [&] { params_of("{}", {.no_repeat_ngram = -1}); }),
              ::testing::StartsWith("no-repeat"));
}

TEST(Sampling, LimitsAnAnswerAsTheModelSays) {
  const auto limit = [](const char* settings, std::optional<int64_t> asked = {}) {
    return max_new_tokens(asked, parse_json(settings, "test"), 10);
  };
  EXPECT_EQ(limit("{}"), std::nullopt);
  EXPECT_EQ(limit(R"({"max_new_tokens": 5, "max_length": 12})"), 5);
  EXPECT_EQ(limit(R"({"max_length": 12})"), 2);
  EXPECT_EQ(limit(R"({"max_length": 12})", 7), 7);
  EXPECT_THAT(error_of(ErrorKind::InvalidArgument, [&] { limit(R"({"max_length": 10})"); }), HasSubstr("max_length"));
}

TEST(Sampling, NamesWhatIsNotDoneOnce) {
  const auto warnings = [](const char* settings) {
    std::vector<std::string> lines;
    warn_of_unread_settings(parse_json(settings, "test"), [&](LogLevel level, std::string_view line) {
      EXPECT_EQ(level, LogLevel::Warning);
      lines.emplace_back(line);
    });
    return lines;
  };
  EXPECT_THAT(warnings(R"({"num_beams": 4, "stop_strings": ["x"], "typical_p": 0.5, "do_sample": true})"),
              ElementsAre(AllOf(HasSubstr("num_beams 4, typical_p 0.5, stop_strings [\"x\"]"))));
  EXPECT_THAT(warnings(R"({"num_beams": 1, "typical_p": 0.5, "guidance_scale": null, "sequence_bias": [],
                           "repetition_penalty": 2, "cache_implementation": "hybrid"})"),
              ElementsAre())
      << "what changes nothing, and what is done";
}

}  // namespace
}  // namespace cleave::inference
