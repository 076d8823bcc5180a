#include "text/files/tokenizer_gguf.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "text/files/gguf_pre.h"
#include "text/pattern/pattern.h"

namespace cleave::text {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<int32_t>;

GgufVocabulary small_vocabulary() {
  GgufVocabulary gguf;
  gguf.model = "gpt2";
  gguf.pre = "gpt-2";
  gguf.tokens = {"<|end|>", "a", "b", "ab", "Ġ", "Ġab", "1", "11", "<tool>"};
  gguf.token_types = {3, 1, 1, 1, 1, 1, 1, 1, 4};
  gguf.merges = {"a b", "Ġ ab", "1 1"};
  gguf.bos = 0;
  return gguf;
}

std::string error_of(const GgufVocabulary& gguf, ErrorKind kind) {
  try {
    tokenizer_from_gguf(gguf, "m.gguf");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_THAT(error.what(), ::testing::StartsWith("m.gguf: "));
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(GgufTokenizer, EncodesAndDecodes) {
  const auto tokenizer = tokenizer_from_gguf(small_vocabulary(), "m.gguf");
  EXPECT_EQ(tokenizer->encode("ab ab11<|end|>b <tool>", true), (Ids{3, 5, 7, 0, 2, 4, 8}));
  EXPECT_EQ(tokenizer->decode(Ids{3, 5, 0, 8}, true), "ab ab<tool>");
  EXPECT_EQ(tokenizer->decode(Ids{3, 5, 0, 8}, false), "ab ab<|end|><tool>");
  EXPECT_TRUE(tokenizer->is_special(0));
  EXPECT_FALSE(tokenizer->is_special(8));
  EXPECT_EQ(tokenizer->vocab_size(), 9);
}

TEST(GgufTokenizer, SplitsAsPreSays) {
  GgufVocabulary gguf = small_vocabulary();
  gguf.pre = "smollm";  // every digit alone
  EXPECT_EQ(tokenizer_from_gguf(gguf, "m.gguf")->encode("ab11", true), (Ids{3, 6, 6}));
}

TEST(GgufTokenizer, AddsTheTokensThatTheFileOrItsKindAsksFor) {
  GgufVocabulary gguf = small_vocabulary();
  gguf.pre = "llama-bpe";
  EXPECT_EQ(tokenizer_from_gguf(gguf, "m.gguf")->encode("ab", true), (Ids{0, 3}));
  EXPECT_EQ(tokenizer_from_gguf(gguf, "m.gguf")->encode("ab", false), (Ids{3}));
  gguf.add_bos = false;
  gguf.add_eos = true;
  gguf.eos = 8;
  EXPECT_EQ(tokenizer_from_gguf(gguf, "m.gguf")->encode("ab", true), (Ids{3, 8}));
}

// A vocabulary of SentencePiece's: three special tokens, those of bytes if `bytes`, then these with scores.
GgufVocabulary sentencepiece_vocabulary(const std::string& model, bool bytes, std::vector<std::string_view> pieces) {
  static const std::vector<std::string> byte_tokens = [] {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.push_back(fmt::format("<0x{:02X}>", byte));
    return tokens;
  }();
  GgufVocabulary gguf;
  gguf.model = model;
  gguf.tokens = {"<unk>", "<s>", "</s>"};
  gguf.token_types = {2, 3, 3};
  if (bytes) gguf.tokens.insert(gguf.tokens.end(), byte_tokens.begin(), byte_tokens.end());
  gguf.token_types.resize(gguf.tokens.size(), 6);
  gguf.tokens.insert(gguf.tokens.end(), pieces.begin(), pieces.end());
  gguf.token_types.resize(gguf.tokens.size(), 1);
  for (size_t id = 0; id < gguf.tokens.size(); ++id) gguf.scores.push_back(-static_cast<float>(id) / 8);
  gguf.bos = 1;
  gguf.eos = 2;
  gguf.unknown = 0;
  return gguf;
}

TEST(GgufTokenizer, ReadsLlama) {
  GgufVocabulary gguf = sentencepiece_vocabulary("llama", true, {"▁ab", "ab", "▁", "a", "b"});  // from id 259 on
  const auto tokenizer = tokenizer_from_gguf(gguf, "m.gguf");
  EXPECT_EQ(tokenizer->encode("ab  ab", true), (Ids{1, 259, 261, 259}));
  EXPECT_EQ(tokenizer->encode("é</s>b", false), (Ids{261, 3 + 0xC3, 3 + 0xA9, 2, 261, 263}))
      << "a space behind </s> too";
  EXPECT_EQ(tokenizer->decode(Ids{1, 259, 3 + 0xC3, 3 + 0xA9, 261, 260}, true), "abé ab");
  gguf.add_space_prefix = false;
  gguf.add_bos = false;
  EXPECT_EQ(tokenizer_from_gguf(gguf, "m.gguf")->encode("ab", true), (Ids{260}));
}

TEST(GgufTokenizer, ReadsT5) {
  const auto tokenizer =
      tokenizer_from_gguf(sentencepiece_vocabulary("t5", false, {"▁ab", "ab", "▁", "a", "b"}), "m.gguf");
  EXPECT_EQ(tokenizer->encode("  ab  abé東 ", true), (Ids{3, 3, 0, 2})) << "one unknown token for two characters";
}

TEST(GgufTokenizer, ReadsBert) {
  GgufVocabulary gguf;
  gguf.model = "bert";
  gguf.tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁hell", "▁hello", "ing", "▁,"};
  gguf.token_types = {3, 3, 3, 3, 1, 1, 1, 1};
  gguf.unknown = 1;
  gguf.cls = 2;
  gguf.separator = 3;
  const auto tokenizer = tokenizer_from_gguf(gguf, "m.gguf");
  EXPECT_EQ(tokenizer->encode("Héllo, helloing  xyz", true), (Ids{2, 5, 7, 5, 6, 1, 3}));
  EXPECT_EQ(tokenizer->decode(Ids{2, 5, 6, 7, 3}, true), "helloing,");
}

TEST(GgufTokenizer, NamesWhatIsWrong) {
  const auto with = [](const std::function<void(GgufVocabulary&)>& change) {
    GgufVocabulary gguf = small_vocabulary();
    change(gguf);
    return gguf;
  };
  using V = GgufVocabulary;
  EXPECT_THAT(error_of(with([](V& v) { v.model = "rwkv"; }), ErrorKind::Unsupported), HasSubstr("\"rwkv\""));
  EXPECT_THAT(error_of(with([](V& v) { v.pre = "smolm"; }), ErrorKind::Unsupported), HasSubstr("smollm"));
  EXPECT_THAT(error_of(with([](V& v) { v.tokens.clear(); }), ErrorKind::Corrupt), HasSubstr("tokens is missing"));
  EXPECT_THAT(error_of(with([](V& v) { v.token_types.pop_back(); }), ErrorKind::Corrupt), HasSubstr("8 entries"));
  EXPECT_THAT(error_of(with([](V& v) { v.merges[1] = "ab"; }), ErrorKind::Corrupt), HasSubstr("merges[1]"));
  EXPECT_THAT(error_of(with([](V& v) { v.merges[1] = ""; }), ErrorKind::Corrupt), HasSubstr("merges[1]"));
  EXPECT_THAT(error_of(with([](V& v) { v.merges[2] = "b a"; }), ErrorKind::Corrupt), HasSubstr("no token \"ba\""));
  EXPECT_THAT(error_of(with([](V& v) { v.bos = 9; }), ErrorKind::Corrupt),
              HasSubstr("bos_token_id is 9, but there are 9"));
  EXPECT_THAT(error_of(with([](V& v) { v.eos = -1; }), ErrorKind::Corrupt), HasSubstr("eos_token_id is -1"));
  EXPECT_THAT(error_of(with([](V& v) { v.add_eos = true; }), ErrorKind::Corrupt),
              HasSubstr("no tokenizer.ggml.eos_token_id"));
}

TEST(GgufPre, HasOnlyPatternsThatCompile) {
  for (const char* name :
       {"",          "gpt-2",    "smollm", "llama-bpe",  "qwen2",        "qwen35",      "gpt-4o",
        "tekken",    "bloom",    "viking", "falcon",     "deepseek-llm", "deepseek-v3", "deepseek-coder",
        "chameleon", "tiny_aya", "glm4",   "bailingmoe", "seed-coder",   "minicpm5",    "exaone-moe"})
    for (const std::string& pattern : gguf_pre(name, "m.gguf").patterns)
      EXPECT_NO_THROW(Pattern::regex(pattern, name)) << pattern;
}

}  // namespace
}  // namespace cleave::text
