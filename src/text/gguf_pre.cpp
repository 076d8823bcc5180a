#include "text/gguf_pre.h"

#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "text/pre_tokenizer.h"

namespace cleave::text {
namespace {

// Pieces that the patterns of many models share.
#define CONTRACTION R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))"
#define WORD R"([^\r\n\p{L}\p{N}]?\p{L}+)"
#define SYMBOLS R"( ?[^\s\p{L}\p{N}]+[\r\n]*)"
#define SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
// Words that begin with capitals and go on in small letters (o200k).
#define UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define CASED_WORD(tail) \
  R"([^\r\n\p{L}\p{N}]?)" UPPER "*" LOWER "+" tail R"(|[^\r\n\p{L}\p{N}]?)" UPPER "+" LOWER "*" tail
#define CASED_SYMBOLS R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)"
#define ASCII_PUNCTUATION R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])"

constexpr const char* kLlama3 = CONTRACTION "|" WORD R"(|\p{N}{1,3}|)" SYMBOLS "|" SPACES;
constexpr const char* kQwen2 = CONTRACTION "|" WORD R"(|\p{N}|)" SYMBOLS "|" SPACES;
constexpr const char* kQwen35 =
    CONTRACTION R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" SPACES;
constexpr const char* kGpt4o = CASED_WORD(CONTRACTION "?") R"(|\p{N}{1,3}|)" CASED_SYMBOLS "|" SPACES;
constexpr const char* kTekken = CASED_WORD("") R"(|\p{N}|)" CASED_SYMBOLS "|" SPACES;
constexpr const char* kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
constexpr const char* kDeepseek3Word =
    ASCII_PUNCTUATION R"([A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)" SPACES;
constexpr const char* kHanKana = "[一-龥\u3040-ゟ゠-ヿ]+";
constexpr const char* kHanHangul = "[一-龥ࠀ-一가-\uD7FF]+";
// The letters with case, as the authors of deepseek-llm list them.
constexpr const char* kCasedLetters =
    "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-"
    "ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼ"
    "ℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-"
    "𐳲𑢠-𑣟𞤀-𞥃]+";

using Patterns = std::vector<std::string>;

Patterns gpt2() {
  return {kGpt2Pattern};
}
Patterns digits_gpt2() {
  return {R"(\p{N})", kGpt2Pattern};
}
Patterns llama3() {
  return {kLlama3};
}
Patterns qwen2() {
  return {kQwen2};
}
Patterns qwen35() {
  return {kQwen35};
}
Patterns gpt4o() {
  return {kGpt4o};
}
Patterns tekken() {
  return {kTekken};
}
Patterns bloom() {
  return {kBloom};
}
Patterns viking() {
  return {kBloom, R"(\p{N})"};
}
Patterns tiny_aya() {
  return {R"(\d{1,3}(?=(?:\d{3})*\b))", kGpt4o};
}
Patterns deepseek3() {
  return {R"(\p{N}{1,3})", kHanKana, kDeepseek3Word};
}
Patterns deepseek_coder() {
  return {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kHanHangul, R"(\p{N})"};
}
// The third but one pattern is `\s+$` there. Looking behind for the beginning of the white space finds the same and
// does not take quadratic time; \z stands for llama.cpp's $.
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
  return {"<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z",       "[\\t\\n]|    |  ",
          R"(\p{N})",          R"([\p{P}!-/:-@\[-`{-~])", kGpt2Pattern};
}
Patterns bailing() {
  return {R"('(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|)" WORD R"(|\p{N}|)" SYMBOLS R"(|\s*[\r\n]|\s+(?!\S)|\s+)"};
}
Patterns seed_coder() {
  return {CONTRACTION "|" WORD R"(|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|)" SPACES};
}
Patterns minicpm5() {
  return {R"(\p{N}{1,3})", CONTRACTION "|" WORD R"(|\p{N}+|)" SYMBOLS "|" SPACES};
}
Patterns exaone_moe() {
  return {
      CONTRACTION
      R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"};
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
  fail(ErrorKind::Unsupported, "{}: tokenizer.ggml.pre is \"{}\", which is not read; the nearest that are: {}", what,
       name, join(nearest_names(name, known), ", "));
}

}  // namespace cleave::text
