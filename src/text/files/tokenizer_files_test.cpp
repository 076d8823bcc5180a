#include "text/files/tokenizer_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "base/testing/temporary_directory.h"
#include "text/files/tokenizer_json.h"

namespace cleave::text {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Ids = std::vector<int32_t>;

Json read_json(const std::string& path) {
  const MappedFile file(path);
  return parse_json(file.text(), path);
}

class Directory : public TemporaryDirectory {
 public:
  void copy(const std::string& from, const std::string& name) const {
    fs::copy_file(CLEAVE_TEST_DATA "/" + from, path() / name);
  }
  Ids encode(const std::string& text, bool special = true) const {
    return load_tokenizer(path())->encode(text, special);
  }
};

std::string error_of(const fs::path& path, ErrorKind kind) {
  try {
    load_tokenizer(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

class OwnLibrary : public ::testing::TestWithParam<const char*> {};

// tests/scripts/make_vocabulary_cases.py recorded what sentencepiece and tiktoken give.
TEST_P(OwnLibrary, GivesTheSameIds) {
  const std::string folder = CLEAVE_TEST_DATA "/vocabularies/";
  const auto tokenizer = load_tokenizer(folder + GetParam());
  const Json cases = read_json(folder + "cases.json");
  for (size_t i = 0; i < cases.at("texts").size(); ++i)
    EXPECT_EQ(Json(tokenizer->encode(cases.at("texts")[i].get<std::string>(), true)), cases.at(GetParam())[i])
        << cases.at("texts")[i];
}

INSTANTIATE_TEST_SUITE_P(TokenizerFiles, OwnLibrary, ::testing::Values("bpe.model", "unigram.model", "tiny.tiktoken"));

TEST(TokenizerFiles, DecodesSentencePiece) {
  const auto tokenizer = load_tokenizer(CLEAVE_TEST_DATA "/vocabularies/bpe.model");
  for (const char* text : {"the quick brown dog", "unseen: Ωμεγα 😀!", "  two spaces"})
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, false), true), text);
}

TEST(TokenizerFiles, PutsSettingsOfTheDirectoryAroundAModel) {
  const Directory directory;
  directory.copy("vocabularies/bpe.model", "tokenizer.model");
  const Ids plain = directory.encode("the fox", false);
  directory.write("tokenizer_config.json",
                  R"({"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>",
      "added_tokens_decoder": {"1": {"content": "<s>", "special": true}, "500": {"content": "<|x|>", "special": true}}})");
  const auto tokenizer = load_tokenizer(directory.path());
  Ids wanted = plain;
  wanted.insert(wanted.begin(), 1);
  EXPECT_EQ(tokenizer->encode("the fox", true), wanted);
  EXPECT_EQ(tokenizer->encode("<|x|>", false), Ids{500});
  EXPECT_TRUE(tokenizer->is_special(500));
}

TEST(TokenizerFiles, ReadsVocabJsonAndMergesTxt) {
  const Json file = read_json(CLEAVE_TEST_DATA "/tokenizers/bpe-gpt2/tokenizer.json");
  std::string merges = "#version: 0.2\n";
  for (const Json& merge : file.at("model").at("merges"))
    merges += merge[0].get<std::string>() + " " + merge[1].get<std::string>() + "\n";
  const Directory directory;
  directory.write("vocab.json", file.at("model").at("vocab").dump());
  directory.write("merges.txt", merges);
  directory.write("added_tokens.json", R"({"<mask>": 900})");
  const auto reference = load_tokenizer_json(file, "reference");
  for (const char* text : {"Hello, world!  It's 123", "x<mask>y", "東京 e\u0301"})
    EXPECT_EQ(directory.encode(text), reference->encode(text, false)) << text;
  directory.write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer"})");
  EXPECT_EQ(directory.encode("e\u0301"), reference->encode("é", false)) << "Qwen2Tokenizer composes";
}

TEST(TokenizerFiles, ReadsVocabTxt) {
  const Json file = read_json(CLEAVE_TEST_DATA "/tokenizers/wordpiece-uncased/tokenizer.json");
  std::vector<std::string> tokens(file.at("model").at("vocab").size());
  for (const auto& [token, id] : file.at("model").at("vocab").items()) tokens.at(id.get<size_t>()) = token;
  std::string lines;
  for (const std::string& token : tokens) lines += token + "\r\n";
  const Directory directory;
  directory.write("vocab.txt", lines);
  directory.write(
      "tokenizer_config.json",
      R"({"tokenizer_class": "BertTokenizer", "cls_token": "<s>", "sep_token": "</s>", "do_lower_case": true})");
  const auto reference = load_tokenizer_json(file, "reference");
  for (const char* text : {"Hello, world!", "naïve CAFÉ", "東京"})
    EXPECT_EQ(directory.encode(text), reference->encode(text, true)) << text;
}

TEST(TokenizerFiles, KnowsTheTokensOfQwen1ByHeart) {
  const Directory directory;
  directory.copy("vocabularies/tiny.tiktoken", "qwen.tiktoken");
  directory.write("tokenizer_config.json", R"({"tokenizer_class": "QWenTokenizer"})");
  const auto tokenizer = load_tokenizer(directory.path());
  const int32_t first = *tokenizer->token_id("<|endoftext|>");
  EXPECT_EQ(tokenizer->encode("12<|im_start|>", true), (Ids{'1', '2', first + 1})) << "every digit alone";
  EXPECT_EQ(tokenizer->token_id("<|extra_204|>"), first + 207);
}

TEST(TokenizerFiles, PrefersTokenizerJson) {
  const Directory directory;
  directory.copy("vocabularies/bpe.model", "tokenizer.model");
  directory.copy("tokenizers/bpe-gpt2/tokenizer.json", "tokenizer.json");
  EXPECT_EQ(directory.encode("Hello"), load_tokenizer(directory.path() / "tokenizer.json")->encode("Hello", true));
}

TEST(TokenizerFiles, NamesWhatIsWrong) {
  const Directory directory;
  EXPECT_THAT(error_of(directory.path(), ErrorKind::NotFound), HasSubstr("wanted tokenizer.json, tokenizer.model"));
  EXPECT_THAT(error_of(directory.path() / "none.model", ErrorKind::NotFound), HasSubstr("none.model"));
  directory.write("a.model", std::string("\x0a\x05\x0a\x03", 4));
  EXPECT_THAT(error_of(directory.path() / "a.model", ErrorKind::Corrupt), HasSubstr("longer than what is left"));
  directory.write("b.model", std::string("\x0a\x03\x0a\x01x", 5));
  EXPECT_THAT(error_of(directory.path() / "b.model", ErrorKind::Corrupt), HasSubstr("no unknown piece"));
  directory.write("c.model", "");
  EXPECT_THAT(error_of(directory.path() / "c.model", ErrorKind::Corrupt), HasSubstr("no pieces"));
  directory.write("d.model", std::string("\x0a\x05\x0a\x01x\x18\x02\x12\x02\x18\x03", 11));
  EXPECT_THAT(error_of(directory.path() / "d.model", ErrorKind::Unsupported), HasSubstr("kind 3"));
  directory.write("e.tiktoken", "YQ== 0\nYg== x\n");
  EXPECT_THAT(error_of(directory.path() / "e.tiktoken", ErrorKind::Corrupt), HasSubstr("e.tiktoken:2"));
  directory.write("f.tiktoken", "YQ== 0\nYg== 2000000000\n");
  EXPECT_THAT(error_of(directory.path() / "f.tiktoken", ErrorKind::Corrupt), HasSubstr("far beyond"));
}

}  // namespace
}  // namespace cleave::text
