#include "server/live/constraints.h"

#include <vector>

#include "base/error.h"
#include "server/api/failure.h"
#include "server/api/field.h"

namespace cleave::server {
namespace {

constexpr size_t kMaxGrammars = 64;  // that are kept

std::shared_ptr<const grammar::Vocabulary> vocabulary_of(const text::Tokenizer& tokenizer,
                                                         std::span<const int32_t> end_tokens, int64_t vocab_size) {
  std::vector<std::string> tokens(static_cast<size_t>(vocab_size));
  for (int32_t id = 0; id < std::min<int64_t>(vocab_size, tokenizer.vocab_size()); ++id)
    if (!tokenizer.is_special(id)) tokens[static_cast<size_t>(id)] = tokenizer.token_bytes(id);
  return std::make_shared<const grammar::Vocabulary>(tokens, end_tokens);
}

std::shared_ptr<const grammar::Program> compile(const api::Format& format) {
  const api::Field value(format.value, format.field);
  switch (format.kind) {
    case api::Format::Kind::JsonSchema:
      return grammar::compile_json_schema(format.value);
    case api::Format::Kind::Regex:
      return grammar::compile_regex(value.string());
    case api::Format::Kind::Grammar:
      return grammar::compile_gbnf(value.string());
    case api::Format::Kind::Choice: {
      std::vector<std::string> texts;
      for (const api::Field& text : value.elements()) texts.push_back(text.string());
      return grammar::compile_choice(texts);
    }
    case api::Format::Kind::JsonObject:
    case api::Format::Kind::Text:
      break;
  }
  return grammar::compile_json_object();
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

Constraints::Constraints(const text::Tokenizer& tokenizer, std::span<const int32_t> end_tokens, int64_t vocab_size)
    : vocabulary_(vocabulary_of(tokenizer, end_tokens, vocab_size)) {}

std::shared_ptr<grammar::TokenGrammar> Constraints::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

std::shared_ptr<grammar::TokenGrammar> Constraints::grammar_of(const api::Format& format) {
  const bool has_value = format.kind != api::Format::Kind::JsonObject;
  std::string key = fmt::format("{} {}", static_cast<int>(format.kind), has_value ? api::dump(format.value) : "");
  if (auto known = find(key)) return known;
  std::shared_ptr<grammar::TokenGrammar> compiled;
  try {
    compiled = std::make_shared<grammar::TokenGrammar>(compile(format), vocabulary_);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::InvalidArgument && error.kind() != ErrorKind::Unsupported) throw;
    api::refuse(format.field, "{}: {}", format.field, error.what());
  }
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return compiled;  // another thread was faster
  entries_.emplace_front(key, compiled);
  by_key_.emplace(std::move(key), entries_.begin());
  if (entries_.size() > kMaxGrammars) {
    by_key_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return compiled;
}

std::shared_ptr<engine::TokenConstraint> constraint_of(std::shared_ptr<grammar::TokenGrammar> grammar) {
  return std::make_shared<AnswerConstraint>(std::move(grammar));
}

}  // namespace cleave::server
