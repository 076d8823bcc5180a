#include <limits>
#include <utility>

#include "base/error.h"
#include "text/bpe_model.h"
#include "text/gguf_pre.h"
#include "text/pipeline.h"
#include "text/shown_text.h"
#include "text/tokenizer.h"

namespace cleave::text {
namespace {

// Kinds of tokens (ggml-org/ggml, docs/gguf.md, tokenizer.ggml.token_type).
constexpr int32_t kUnknownToken = 2;
constexpr int32_t kControlToken = 3;
constexpr int32_t kUserDefinedToken = 4;

std::unique_ptr<Model> make_model(const GgufVocabulary& gguf, bool ignore_merges, const std::string& what) {
  BpeParts parts;
  parts.what = what;
  parts.ignore_merges = ignore_merges;
  parts.vocabulary.reserve(gguf.tokens.size());
  for (size_t id = 0; id < gguf.tokens.size(); ++id) parts.vocabulary.add(gguf.tokens[id], static_cast<int32_t>(id));
  parts.merges = MergeTable(gguf.merges.size());
  for (size_t i = 0; i < gguf.merges.size(); ++i) {
    const auto place = [&] { return fmt::format("{}: tokenizer.ggml.merges[{}]", what, i); };
    const std::string_view merge = gguf.merges[i];
    const size_t space = merge.find(' ', 1);  // a token may begin with a space
    if (merge.empty() || space == std::string_view::npos)
      fail(ErrorKind::Corrupt, "{}: wanted two tokens with a space between, saw {}", place(), shown_text(merge));
    add_merge(parts, merge.substr(0, space), merge.substr(space + 1), static_cast<uint32_t>(i), place);
  }
  return make_bpe_model(std::move(parts));
}

AddedTokens make_added_tokens(const GgufVocabulary& gguf) {
  AddedTokens added;
  for (size_t id = 0; id < gguf.token_types.size(); ++id) {
    const int32_t type = gguf.token_types[id];
    if ((type != kControlToken && type != kUserDefinedToken && type != kUnknownToken) || gguf.tokens[id].empty())
      continue;
    AddedToken token;
    token.content = gguf.tokens[id];
    token.normalized = false;
    token.special = type != kUserDefinedToken;
    added.add(std::move(token), static_cast<int32_t>(id), nullptr);
  }
  return added;
}

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const GgufPre& pre, const std::string& what) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const std::string& pattern : pre.patterns)
    steps.push_back(make_split(Pattern::regex(pattern, what), SplitBehavior::Isolated, false));
  steps.push_back(make_byte_level(false, false));
  return make_sequence(std::move(steps));
}

// The token put before or behind every text: asked for by the file, or a habit of the kind where the file names the
// token.
std::vector<int32_t> added_around(std::optional<bool> wanted, bool habit, std::optional<int32_t> id, const char* name,
                                  const std::string& what) {
  if (!wanted.value_or(habit && id)) return {};
  if (!id)
    fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.add_{}_token is true, but there is no tokenizer.ggml.{}_token_id",
         what, name, name);
  return {*id};
}

void check(const GgufVocabulary& gguf, const std::string& what) {
  if (gguf.model != "gpt2")
    fail(ErrorKind::Unsupported, "{}: a tokenizer of kind {} (tokenizer.ggml.model) is not read; gpt2 is", what,
         shown_text(gguf.model));
  if (gguf.tokens.empty()) fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.tokens is missing or empty", what);
  if (gguf.tokens.size() > std::numeric_limits<int32_t>::max() / 2)
    fail(ErrorKind::Unsupported, "{}: tokenizer.ggml.tokens has {} entries", what, gguf.tokens.size());
  if (!gguf.token_types.empty() && gguf.token_types.size() != gguf.tokens.size())
    fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.token_type has {} entries, tokenizer.ggml.tokens {}", what,
         gguf.token_types.size(), gguf.tokens.size());
  for (const auto& [id, name] : {std::pair(gguf.bos, "bos"), {gguf.eos, "eos"}, {gguf.unknown, "unknown"}})
    if (id && (*id < 0 || static_cast<size_t>(*id) >= gguf.tokens.size()))
      fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.{}_token_id is {}, but there are {} tokens", what, name, *id,
           gguf.tokens.size());
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_gguf(const GgufVocabulary& vocabulary, const std::string& what) {
  check(vocabulary, what);
  const GgufPre pre = gguf_pre(vocabulary.pre, what);
  Pipeline stages;
  stages.model = make_model(vocabulary, pre.ignore_merges, what);
  stages.added = make_added_tokens(vocabulary);
  stages.pre_tokenizer = make_pre_tokenizer(pre, what);
  stages.post_processor = make_template(added_around(vocabulary.add_bos, pre.add_bos, vocabulary.bos, "bos", what),
                                        added_around(vocabulary.add_eos, false, vocabulary.eos, "eos", what));
  stages.decoder = make_byte_level_step();
  return make_pipeline_tokenizer(std::move(stages));
}

}  // namespace cleave::text
