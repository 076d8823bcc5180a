#include "server/live/constraints.h"

#include <algorithm>

#include "base/error.h"
#include "server/api/failure.h"
#include "server/api/field.h"

namespace cleave::server {
namespace {

constexpr size_t kMaxGrammars = 64;      // that are kept
constexpr char kBeforeSpecial = '\xff';  // no text has it

std::vector<std::string> special_texts_of(const text::Tokenizer& tokenizer, std::span<const int32_t> end_tokens,
                                          int64_t vocab_size) {
  std::vector<std::string> texts;
  for (int32_t id = 0; id < std::min<int64_t>(vocab_size, tokenizer.vocab_size()); ++id)
    if (tokenizer.is_special(id) && std::ranges::find(end_tokens, id) == end_tokens.end())
      texts.push_back(tokenizer.token_bytes(id));
  std::erase(texts, "");
  std::ranges::stable_sort(texts, [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return texts;
}

// Tokens that are no part of UTF-8 are as none, since a byte that no text has tells special ones.
std::shared_ptr<const grammar::Vocabulary> vocabulary_of(const text::Tokenizer& tokenizer,
                                                         std::span<const int32_t> end_tokens, int64_t vocab_size) {
  std::vector<std::string> tokens(static_cast<size_t>(vocab_size));
  for (int32_t id = 0; id < std::min<int64_t>(vocab_size, tokenizer.vocab_size()); ++id) {
    std::string bytes = tokenizer.token_bytes(id);
    if (tokenizer.is_special(id))
      tokens[static_cast<size_t>(id)] = bytes.empty() ? "" : kBeforeSpecial + bytes;
    else if (bytes.find(kBeforeSpecial) == std::string::npos)
      tokens[static_cast<size_t>(id)] = std::move(bytes);
  }
  return std::make_shared<const grammar::Vocabulary>(tokens, end_tokens);
}

class AnswerConstraint final : public engine::TokenConstraint {
 public:
  explicit AnswerConstraint(std::shared_ptr<grammar::TokenGrammar> grammar) : matcher_(std::move(grammar)) {}
  void mask(std::span<uint32_t> allowed) override { matcher_.mask(allowed); }
  // What is not allowed is not chosen; where rules of the request force it, masks go on from where they are.
  void accept(int32_t token) override { matcher_.accept(token); }

 private:
  grammar::Matcher matcher_;
};

}  // namespace

grammar::Piece piece_of(const api::Format& format) {
  using Kind = api::Format::Kind;
  const api::Field value(format.value, format.field);
  switch (format.kind) {
    case Kind::JsonSchema:
      return grammar::Piece::json(format.value);
    case Kind::Regex:
      return grammar::Piece::regex(value.string());
    case Kind::Grammar:
      return grammar::Piece::gbnf(value.string());
    case Kind::Choice: {
      std::vector<grammar::Piece> texts;
      for (const api::Field& text : value.elements()) texts.push_back(grammar::Piece::literal(text.string()));
      if (texts.empty()) value.wrong("one text at least");
      return grammar::Piece::choice(std::move(texts));
    }
    case Kind::JsonObject:
    case Kind::Text:
      break;
  }
  return grammar::Piece::json_object();
}

Constraints::Compiled compiled_for(const std::string& field, const std::function<Constraints::Compiled()>& compile) {
  try {
    return compile();
  } catch (const Error& error) {
    if (!api::is_client_mistake(error)) throw;
    api::refuse(field, "{}: {}", field, error.what());
  }
}

Constraints::Constraints(const text::Tokenizer& tokenizer, std::span<const int32_t> end_tokens, int64_t vocab_size)
    : special_texts_(special_texts_of(tokenizer, end_tokens, vocab_size)),
      vocabulary_(vocabulary_of(tokenizer, end_tokens, vocab_size)) {}

std::string Constraints::with_special_tokens(std::string_view text) const {
  std::string result;
  while (!text.empty()) {
    const auto found =
        std::ranges::find_if(special_texts_, [&](const auto& special) { return text.starts_with(special); });
    const size_t length = found == special_texts_.end() ? 1 : found->size();
    if (found != special_texts_.end()) result += kBeforeSpecial;
    result += text.substr(0, length);
    text.remove_prefix(length);
  }
  return result;
}

std::optional<std::shared_ptr<grammar::TokenGrammar>> Constraints::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

std::shared_ptr<grammar::TokenGrammar> Constraints::grammar_of(const api::Format& format) {
  const bool has_value = format.kind != api::Format::Kind::JsonObject;
  return grammar_of(fmt::format("{} {}", static_cast<int>(format.kind), has_value ? api::dump(format.value) : ""),
                    [&] { return compiled_for(format.field, [&] { return compile_piece(piece_of(format)); }); });
}

std::shared_ptr<grammar::TokenGrammar> Constraints::grammar_of(std::string key,
                                                               const std::function<Compiled()>& compile) {
  if (auto known = find(key)) return *known;
  std::shared_ptr<grammar::TokenGrammar> grammar;
  if (Compiled compiled = compile())
    grammar = std::make_shared<grammar::TokenGrammar>(std::move(compiled), vocabulary_);
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return grammar;  // another thread was faster
  entries_.emplace_front(key, grammar);
  by_key_.emplace(std::move(key), entries_.begin());
  if (entries_.size() > kMaxGrammars) {
    by_key_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return grammar;
}

std::shared_ptr<engine::TokenConstraint> constraint_of(std::shared_ptr<grammar::TokenGrammar> grammar) {
  return std::make_shared<AnswerConstraint>(std::move(grammar));
}

}  // namespace cleave::server
