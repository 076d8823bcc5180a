#include "text/stages/added_tokens.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/error.h"
#include "text/models/token_id.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// The beginning of the last character before `position`, which is not 0.
size_t previous_character(std::string_view text, size_t position) {
  do --position;
  while (position > 0 && (static_cast<uint8_t>(text[position]) & 0xC0) == 0x80);
  return position;
}

bool stands_alone(std::string_view text, Range token) {
  if (token.begin > 0 && unicode::is_word(unicode::valid_utf8_at(text, previous_character(text, token.begin)).code))
    return false;
  return token.end == text.size() || !unicode::is_word(unicode::valid_utf8_at(text, token.end).code);
}

size_t skip_space_left(std::string_view text, size_t position, size_t limit) {
  while (position > limit) {
    const size_t previous = previous_character(text, position);
    if (!unicode::is_whitespace(unicode::valid_utf8_at(text, previous).code)) break;
    position = previous;
  }
  return std::max(position, limit);
}

size_t skip_space_right(std::string_view text, size_t position) {
  while (position < text.size()) {
    const unicode::Utf8Char c = unicode::valid_utf8_at(text, position);
    if (!unicode::is_whitespace(c.code)) break;
    position += c.size;
  }
  return position;
}

AddedToken read_added_token(const JsonField& field) {
  AddedToken token;
  token.content = field.at("content").string();
  token.single_word = field.boolean_or("single_word", false);
  token.lstrip = field.boolean_or("lstrip", false);
  token.rstrip = field.boolean_or("rstrip", false);
  token.normalized = field.boolean_or("normalized", true);
  token.special = field.boolean_or("special", false);
  return token;
}

// Added tokens as they come: the library's add_tokens().
class JoinedTokens {
 public:
  explicit JoinedTokens(const TokenModel& model) : model_(model) {}

  void join(AddedToken token, const std::string& where) {
    if (token.content.empty()) return;
    const int32_t id = id_of(token.content);
    if (id == std::numeric_limits<int32_t>::max()) fail(ErrorKind::Corrupt, "{}: no id is left for the token", where);
    ids_[token.content] = id;
    const auto [place, is_new] = tokens_.try_emplace(id, token);
    token.special = token.special || place->second.special;  // a token that was special once stays so
    place->second = std::move(token);
  }

  std::map<int32_t, AddedToken>& tokens() { return tokens_; }

 private:
  int32_t id_of(const std::string& content) const {
    if (const auto known = ids_.find(content); known != ids_.end()) return known->second;
    if (const auto id = model_.id(content)) return *id;
    return std::max(static_cast<int32_t>(model_.size()), tokens_.empty() ? 0 : tokens_.rbegin()->first + 1);
  }

  const TokenModel& model_;
  std::map<int32_t, AddedToken> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
};

}  // namespace

void AddedTokens::add(AddedToken token, int32_t id, const Normalizer* normalizer) {
  const std::string sought =
      token.normalized && normalizer != nullptr ? normalizer->apply(token.content) : token.content;
  if (!sought.empty()) (token.normalized ? normalized_ : plain_).insert(sought, id);
  ids_.insert_or_assign(token.content, id);
  tokens_.insert_or_assign(id, std::move(token));
  id_end_ = std::max(id_end_, id + 1);
}

void AddedTokens::split(std::string_view text, bool normalized, std::vector<Section>& sections) const {
  const TokenTrie& trie = normalized ? normalized_ : plain_;
  size_t done = 0;  // the end of the last section
  for (size_t at = 0; at < text.size() && !trie.empty();) {
    const TokenTrie::Match match = trie.begins(text[at]) ? trie.longest_at(text, at) : TokenTrie::Match{-1, 0};
    if (match.size == 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_.at(match.value);
    Range range{at, at + match.size};
    at = range.end;
    if (token.single_word && !stands_alone(text, range)) continue;
    if (token.lstrip) range.begin = skip_space_left(text, range.begin, done);
    if (token.rstrip) range.end = skip_space_right(text, range.end);
    if (done < range.begin) sections.push_back({std::nullopt, {done, range.begin}});
    sections.push_back({match.value, range});
    done = range.end;
  }
  if (done < text.size()) sections.push_back({std::nullopt, {done, text.size()}});
}

const AddedToken* AddedTokens::find(int32_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::optional<int32_t> AddedTokens::id(std::string_view content) const {
  const auto found = ids_.find(std::string(content));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

AddedTokens read_added_tokens(const std::optional<JsonField>& field, std::span<const AddedToken> more,
                              const TokenModel& model, const Normalizer* normalizer) {
  JoinedTokens joined(model);
  for (size_t i = 0; field && i < field->array().size(); ++i) {
    const JsonField entry = field->at(i);
    read_token_id(entry.at("id"));
    joined.join(read_added_token(entry), entry.path());
  }
  for (const AddedToken& token : more) joined.join(token, token.content);
  AddedTokens tokens;
  for (auto& [id, token] : joined.tokens()) tokens.add(std::move(token), id, normalizer);
  return tokens;
}

}  // namespace cleave::text
