#include "text/files/gguf_pre.h"

#include <initializer_list>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "text/stages/pre_tokenizer.h"

namespace cleave::text {
namespace {

// Alternatives that the patterns of many models share.
constexpr const char* kContraction = R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))";
constexpr const char* kWord = R"([^\r\n\p{L}\p{N}]?\p{L}+)";
constexpr const char* kDigit = R"(\p{N})";
constexpr const char* kThreeDigits = R"(\p{N}{1,3})";
constexpr const char* kSymbols = R"( ?[^\s\p{L}\p{N}]+[\r\n]*)";
constexpr const char* kSymbolsAndSlashes = R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)";
constexpr const char* kSpaces = R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
constexpr const char* kHanKana = "[一-龥\u3040-ゟ゠-ヿ]+";
constexpr const char* kHanHangul = "[一-龥ࠀ-一가-\uD7FF]+";
// The cased letters in the list of deepseek-llm's authors.
constexpr const char* kCasedLetters =
    R"(\s?[)"
    R"(A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af})"
    R"(\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1})"
    R"(\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5})"
    R"(\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a})"
    R"(\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b})"
    R"(\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc})"
    R"(\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107})"
    R"(\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134})"
    R"(\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"
    R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787})"
    R"(\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a})"
    R"(\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2})"
    R"(\x{118a0}-\x{118df}\x{1e900}-\x{1e943})"
    "]+";

using Patterns = std::vector<std::string>;

std::string any_of(std::initializer_list<std::string_view> alternatives) {
  return fmt::format("{}", fmt::join(alternatives, "|"));
}

// o200k's words of capitals followed by small letters; `tail` matches what may stand behind them.
std::string cased_word(const std::string& tail) {
  const std::string start = R"([^\r\n\p{L}\p{N}]?)";
  const std::string upper = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])";
  const std::string lower = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";
  return start + upper + "*" + lower + "+" + tail + "|" + start + upper + "+" + lower + "*" + tail;
}

Patterns gpt2() {
  return {kGpt2Pattern};
}
Patterns digits_gpt2() {
  return {kDigit, kGpt2Pattern};
}
Patterns llama3() {
  return {any_of({kContraction, kWord, kThreeDigits, kSymbols, kSpaces})};
}
Patterns qwen2() {
  return {any_of({kContraction, kWord, kDigit, kSymbols, kSpaces})};
}
Patterns qwen35() {
  return {any_of(
      {kContraction, R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)", kDigit, R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)", kSpaces})};
}
Patterns gpt4o() {
  return {any_of({cased_word(std::string(kContraction) + "?"), kThreeDigits, kSymbolsAndSlashes, kSpaces})};
}
// gpt4o's pattern with runs of Han characters apart (moonshotai/Kimi-K2-Instruct, tokenization_kimi.py).
Patterns kimi_k2() {
  const std::string start = R"([^\r\n\p{L}\p{N}]?)";
  const std::string upper = R"((?:(?!\p{Han})[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]))";
  const std::string lower = R"((?:(?!\p{Han})[\p{Ll}\p{Lm}\p{Lo}\p{M}]))";
  const std::string tail = std::string(kContraction) + "?";
  return {any_of({R"(\p{Han}+)", start + upper + "*" + lower + "+" + tail, start + upper + "+" + lower + "*" + tail,
                  kThreeDigits, kSymbols, kSpaces})};
}
Patterns tekken() {
  return {any_of({cased_word(""), kDigit, kSymbolsAndSlashes, kSpaces})};
}
Patterns tiny_aya() {
  return {R"(\d{1,3}(?=(?:\d{3})*\b))", gpt4o().front()};
}
Patterns bloom() {
  return {kBloom};
}
Patterns viking() {
  return {kBloom, kDigit};
}
Patterns deepseek3() {
  const std::string word = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)";
  return {kThreeDigits, kHanKana, any_of({word, R"( ?[\p{P}\p{S}]+[\r\n]*)", kSpaces})};
}
Patterns deepseek_coder() {
  return {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kHanHangul, kDigit};
}
// llama.cpp's `\s+$` is written (?<!\s)\s+\z: its `$` means \z, and looking behind for the beginning of the white space
// finds the same matches without taking quadratic time.
Patterns deepseek_llm() {
  return {R"([\r\n])", kCasedLetters, R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)", R"((?<!\s)\s+\z)", kHanHangul, R"(\p{N}+)"};
}
Patterns falcon() {
  return {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Pattern, "[0-9][0-9][0-9]"};
}
Patterns without_name() {
  return {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", "[0-9][0-9][0-9]"};
}
Patterns chameleon() {
  return {"<sentinel:[0-9]+>",       "IMGIMG[A-I]{1,4}Z", "[\\t\\n]|    |  ", kDigit,
          R"([\p{P}!-/:-@\[-`{-~])", kGpt2Pattern};
}
Patterns bailing() {
  return {
      any_of({R"('(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE]))", kWord, kDigit, kSymbols, R"(\s*[\r\n]|\s+(?!\S)|\s+)"})};
}
Patterns seed_coder() {
  return {any_of({kContraction, kWord, kDigit, R"( ?[^\s\p{L}\p{N}\r\n]+)", kSpaces})};
}
Patterns minicpm5() {
  return {kThreeDigits, any_of({kContraction, kWord, R"(\p{N}+)", kSymbols, kSpaces})};
}
Patterns exaone_moe() {
  return {any_of({kContraction, R"([^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+)", kDigit,
                  R"( ?[^\s\p{L}\p{N}]+[\r\n/]?)", R"(\s*[\r\n]|\s+(?!\S)|\s+)"})};
}

struct Family {
  Patterns (*patterns)();
  bool ignore_merges;
  bool add_bos;
  std::vector<std::string> names;
};

std::vector<Family> families() {
  return {
      {without_name, false, false, {"default", ""}},
      {gpt2,
       false,
       false,
       {"gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
        "modern-bert", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4"}},
      {digits_gpt2,
       false,
       false,
       {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"}},
      {llama3,
       true,
       true,
       {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"}},
      {llama3, false, false, {"dbrx", "smaug-bpe", "glm4", "chatglm-bpe"}},
      {qwen2,
       false,
       false,
       {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "megrez", "hunyuan", "solar-open", "grok-2"}},
      {qwen35, false, false, {"qwen35"}},
      {gpt4o, false, false, {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}},
      {gpt4o, true, false, {"granite-embed-multi-97m"}},
      {kimi_k2, true, false, {"kimi-k2"}},
      {tekken, true, true, {"tekken"}},
      {tiny_aya, false, false, {"tiny_aya", "cohere2moe"}},
      {bloom, false, false, {"bloom", "poro-chat", "gpt3-finnish"}},
      {viking, false, false, {"viking"}},
      {falcon, false, false, {"falcon"}},
      {deepseek_llm, false, false, {"deepseek-llm"}},
      {deepseek_coder, false, false, {"deepseek-coder"}},
      {deepseek3, false, false, {"deepseek-v3", "hunyuan-dense", "joyai-llm"}},
      {chameleon, false, true, {"chameleon"}},
      {bailing, false, false, {"bailingmoe", "bailingmoe2", "llada-moe"}},
      {seed_coder, false, false, {"seed-coder"}},
      {minicpm5, true, false, {"minicpm5"}},
      {exaone_moe, false, false, {"exaone-moe"}},
  };
}

}  // namespace

GgufPre gguf_pre(std::string_view name, const std::string& what) {
  std::vector<std::string> known;
  for (const Family& family : families())
    for (const std::string& candidate : family.names) {
      if (candidate == name) return {family.patterns(), family.ignore_merges, family.add_bos};
      known.push_back(candidate);
    }
  fail(ErrorKind::Unsupported, "{}: tokenizer.ggml.pre is {}, which is not read; the nearest that are: {}", what,
       in_quotes(name), join(nearest_names(name, known), ", "));
}

}  // namespace cleave::text
