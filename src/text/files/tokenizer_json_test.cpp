#include "text/files/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/testing/error_of.h"
#include "text/tokenizer/detokenizer.h"

namespace cleave::text {
namespace {

using ::testing::HasSubstr;

Json read_data(const std::string& name) {
  const std::string path = std::string(CLEAVE_TEST_DATA) + "/tokenizers/" + name;
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

std::unique_ptr<Tokenizer> load(const std::string& kind) {
  return load_tokenizer_json(read_data(kind + "/tokenizer.json"), kind);
}

// A small tokenizer as a starting point for files that are wrong in one place.
Json small_file() {
  return Json::parse(R"({
    "version": "1.0",
    "added_tokens": [{"id": 0, "content": "<s>", "special": true, "normalized": false}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "post_processor": {"type": "TemplateProcessing",
                       "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                       "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"<s>": 0, "a": 1, "b": 2, "ab": 3, "Ġ": 4, "Ġab": 5, "Ã": 6, "©": 7, "c": 8},
              "merges": [["a", "b"], "Ġ ab"]}
  })");
}

std::vector<int32_t> encode(const Json& file, const std::string& text) {
  return load_tokenizer_json(file, "small.json")->encode(text, false);
}

class RecordedTokenizer : public ::testing::TestWithParam<const char*> {};

TEST_P(RecordedTokenizer, GivesEveryRecordedIdAndText) {
  const std::unique_ptr<Tokenizer> tokenizer = load(GetParam());
  const Json cases = read_data(std::string(GetParam()) + "/expected.json");
  ASSERT_GE(cases.size(), 37u);
  for (const Json& expected : cases) {
    const std::string text = expected.at("text");
    SCOPED_TRACE(expected.at("text").dump());
    const auto ids = expected.at("ids").get<std::vector<int32_t>>();
    const Json& special = expected.at("ids_with_special");
    const auto all_ids = special.is_string() ? ids : special.get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer->encode(text, false), ids);
    EXPECT_EQ(tokenizer->encode(text, true), all_ids);
    EXPECT_EQ(tokenizer->decode(all_ids, true), expected.at("decoded").get<std::string>());
    EXPECT_EQ(tokenizer->decode(all_ids, false), expected.at("decoded_with_special").get<std::string>());
  }
}

TEST_P(RecordedTokenizer, StreamsTheTextThatDecodeGives) {
  const std::unique_ptr<Tokenizer> tokenizer = load(GetParam());
  for (const Json& expected : read_data(std::string(GetParam()) + "/expected.json")) {
    Detokenizer stream(*tokenizer);
    std::string text;
    for (const int32_t id : tokenizer->encode(expected.at("text").get<std::string>(), true)) text += stream.push(id);
    EXPECT_EQ(text + stream.flush(), expected.at("decoded").get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(OtherKinds, RecordedTokenizer,
                         ::testing::Values("spm-bpe", "spm-bpe-legacy", "unigram", "wordpiece-cased",
                                           "wordpiece-uncased"));
INSTANTIATE_TEST_SUITE_P(ByteLevelBpe, RecordedTokenizer,
                         ::testing::Values("bpe-deepseek", "bpe-digits", "bpe-gpt2", "bpe-gpt2-prefix-space",
                                           "bpe-gpt4o", "bpe-llama3", "bpe-punctuation", "bpe-qwen2"));

TEST(TokenizerJson, TellsItsVocabulary) {
  const auto tokenizer = load_tokenizer_json(small_file(), "small.json");
  EXPECT_EQ(tokenizer->vocab_size(), 9);
  EXPECT_EQ(tokenizer->token_id("<s>"), 0);
  EXPECT_EQ(tokenizer->token_id("Ġab"), 5);
  EXPECT_EQ(tokenizer->token_id(" ab"), std::nullopt);
  EXPECT_TRUE(tokenizer->is_special(0));
  EXPECT_FALSE(tokenizer->is_special(1));
  EXPECT_FALSE(tokenizer->is_special(-1));
  EXPECT_EQ(tokenizer->token_bytes(5), " ab");
  EXPECT_EQ(tokenizer->token_bytes(6), "\xC3");
  EXPECT_EQ(tokenizer->token_bytes(-1), "");
  EXPECT_EQ(tokenizer->token_bytes(9), "");
}

TEST(TokenizerJson, DecodesIdsOutsideTheVocabularyAsNothing) {
  const auto tokenizer = load_tokenizer_json(small_file(), "small.json");
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{1, -5, 99, 2147483647, 5}, false), "a ab");
}

TEST(TokenizerJson, ReplacesBytesThatAreNoCharacter) {
  const auto tokenizer = load("bpe-gpt2");
  EXPECT_EQ(tokenizer->encode("a\xFF\xC3 b\xE2\x82", false), tokenizer->encode("a\uFFFD\uFFFD b\uFFFD", false));
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{*tokenizer->token_id("Ã"), *tokenizer->token_id("a")}, false),
            "\uFFFDa");
}

TEST(TokenizerJson, DropsCharactersThatNoTokenStandsFor) {
  EXPECT_EQ(encode(small_file(), "abxéc"), (std::vector<int32_t>{3, 6, 7, 8}));
}

TEST(TokenizerJson, WritesUnknownTokensOnceOrForEachCharacter) {
  Json file = small_file();
  file["model"]["unk_token"] = "c";
  EXPECT_EQ(encode(file, "xyab"), (std::vector<int32_t>{8, 8, 3}));
  file["model"]["fuse_unk"] = true;
  EXPECT_EQ(encode(file, "xyab"), (std::vector<int32_t>{8, 3}));
  file["model"]["unk_token"] = "<unk>";
  EXPECT_EQ(encode(file, "ab"), (std::vector<int32_t>{3}));
  EXPECT_THAT(error_of(ErrorKind::Corrupt, [&] { encode(file, "xy"); }), HasSubstr("\"<unk>\""));
}

TEST(TokenizerJson, IgnoresMergesWhereTheWholePieceIsAToken) {
  Json file = small_file();
  file["model"]["vocab"]["abc"] = 9;
  EXPECT_EQ(encode(file, "abc"), (std::vector<int32_t>{3, 8}));
  file["model"]["ignore_merges"] = true;
  EXPECT_EQ(encode(file, "abc"), (std::vector<int32_t>{9}));
}

TEST(TokenizerJson, GivesAddedTokensIdsBehindTheModels) {
  Json file = small_file();
  file["added_tokens"].push_back({{"id", 9}, {"content", "<new>"}, {"special", false}});
  const auto tokenizer = load_tokenizer_json(file, "small.json");
  EXPECT_EQ(tokenizer->token_id("<new>"), 9);
  EXPECT_EQ(tokenizer->vocab_size(), 10);
  EXPECT_EQ(tokenizer->encode("a<new>b", true), (std::vector<int32_t>{0, 1, 9, 2}));
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{0, 1, 9, 2}, true), "a<new>b");
}

TEST(TokenizerJson, PutsSpecialTokensAroundAsRobertaDoes) {
  Json file = small_file();
  file["post_processor"] = {{"type", "RobertaProcessing"}, {"cls", {"<s>", 0}}, {"sep", {"c", 8}}};
  EXPECT_EQ(load_tokenizer_json(file, "small.json")->encode("ab", true), (std::vector<int32_t>{0, 3, 8}));
}

TEST(TokenizerJson, EncodesLongRunsOfOneCharacterInLinearTime) {
  const auto tokenizer = load("bpe-llama3");
  const auto seconds = [&](size_t size) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<int32_t> ids = tokenizer->encode(std::string(size, 'a'), false);
    EXPECT_GT(ids.size(), size / 16);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  seconds(100'000);
  // Ten times the text: a quadratic algorithm takes a hundred times as long.
  EXPECT_LT(seconds(2'000'000), 40 * seconds(200'000) + 0.05);
}

struct Hostile {
  const char* name;
  const char* patch;    // merged into the small file (RFC 7396: null removes a key)
  const char* message;  // part of the error
  ErrorKind kind = ErrorKind::Corrupt;
};

class HostileFile : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileFile, GivesOneClearError) {
  Json file = small_file();
  file.merge_patch(Json::parse(GetParam().patch));
  const std::string message = error_of(GetParam().kind, [&] { load_tokenizer_json(file, "small.json"); });
  EXPECT_THAT(message, ::testing::StartsWith("small.json"));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

constexpr ErrorKind kUnsupported = ErrorKind::Unsupported;
INSTANTIATE_TEST_SUITE_P(
    TokenizerJson, HostileFile,
    ::testing::Values(
        Hostile{"NoModel", R"({"model": null})", "the key \"model\" is missing"},
        Hostile{"ModelIsText", R"({"model": "BPE"})", "model: wanted an object, saw the string \"BPE\""},
        Hostile{"TypeIsNumber", R"({"model": {"type": 3}})", "model.type: wanted a string, saw the number 3"},
        Hostile{"NoVocabulary", R"({"model": {"vocab": null}})", "\"vocab\" is missing"},
        Hostile{"VocabularyIsArray", R"({"model": {"vocab": [1, 2]}})",
                "model.vocab: wanted an object, saw an array of 2"},
        Hostile{"NegativeId", R"({"model": {"vocab": {"a": -1}}})", "saw the number -1"},
        Hostile{"FractionalId", R"({"model": {"vocab": {"a": 1.5}}})", "saw the number 1.5"},
        Hostile{"HugeId", R"({"model": {"vocab": {"a": 2147483647}}})", "from 0 to 2147483646"},
        Hostile{"IdBeyond64Bits", R"({"model": {"vocab": {"a": 1e300}}})", "wanted a token id"},
        Hostile{"NoMerges", R"({"model": {"merges": null}})", "\"merges\" is missing"},
        Hostile{"MergeOfUnknownToken", R"({"model": {"merges": ["a b", "x b"]}})",
                "merges[1]: the vocabulary has no token \"x\""},
        Hostile{"MergeIntoUnknownToken", R"({"model": {"merges": [["a", "c"]]}})",
                "merges[0]: the vocabulary has no token \"ac\""},
        Hostile{"MergeOfThree", R"({"model": {"merges": [["a", "b", "c"]]}})", "merges[0]: wanted a pair of tokens"},
        Hostile{"MergeWithoutSpace", R"({"model": {"merges": ["ab"]}})", "wanted two tokens with a space between"},
        Hostile{"MergeOfNothing", R"({"model": {"vocab": {"": 9}, "merges": [["", "a"]]}})",
                "a merge of an empty token"},
        Hostile{"FlagIsNumber", R"({"model": {"ignore_merges": 1}})", "ignore_merges: wanted true or false"},
        Hostile{"AddedTokensIsObject", R"({"added_tokens": {}})", "added_tokens: wanted an array"},
        Hostile{"AddedTokenWithoutContent", R"({"added_tokens": [{"id": 0}]})",
                "added_tokens[0]: the key \"content\" is missing"},
        Hostile{"AddedTokenWithoutId", R"({"added_tokens": [{"content": "x"}]})",
                "added_tokens[0]: the key \"id\" is missing"},
        Hostile{"UnknownNormalizer", R"({"normalizer": {"type": "Rot13"}})", "\"Rot13\"", kUnsupported},
        Hostile{"UnknownPreTokenizer", R"({"pre_tokenizer": {"type": "Metaspaces"}})", "\"Metaspaces\"", kUnsupported},
        Hostile{"UnknownDecoder", R"({"decoder": {"type": "CTCC"}})", "\"CTCC\"", kUnsupported},
        Hostile{"UnknownPostProcessor", R"({"post_processor": {"type": "Magic"}})", "\"Magic\"", kUnsupported},
        Hostile{"SplitWithoutPattern", R"({"pre_tokenizer": {"type": "Split", "behavior": "Isolated"}})",
                "\"pattern\" is missing"},
        Hostile{"SplitOfUnknownBehavior",
                R"({"pre_tokenizer": {"type": "Split", "pattern": {"String": "x"}, "behavior": "Odd"}})",
                "saw the string \"Odd\""},
        Hostile{"BrokenPattern",
                R"({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a"}, "behavior": "Isolated"}})",
                "cannot be compiled", kUnsupported},
        Hostile{"TemplateOfUndefinedToken", R"({"post_processor": {"special_tokens": {"<s>": null}}})",
                "\"<s>\" is not among the template's special_tokens"},
        Hostile{"TemplateWithIdOutsideTheVocabulary",
                R"({"post_processor": {"special_tokens": {"<s>": {"ids": [77]}}}})",
                "saw 77, which the vocabulary does not have"},
        Hostile{"TemplateWithoutText", R"({"post_processor": {"single": []}})", "a template with the text \"A\""}),
    [](const auto& hostile) { return hostile.param.name; });

}  // namespace
}  // namespace cleave::text
