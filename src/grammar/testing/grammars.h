#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ordered_json.h"
#include "grammar/grammar.h"
#include "grammar/matching/matcher.h"

namespace cleave::grammar {

/// Limits under which what compiles at all does so on a busy machine with sanitizers, too.
inline const Limits kPatient = {.time = std::chrono::minutes(10)};

/// A vocabulary of every byte (ids 0 to 255), some longer tokens, and an end token, which comes last.
inline std::shared_ptr<const Vocabulary> vocabulary_of(const std::vector<std::string>& tokens) {
  std::vector<std::string> all;
  for (int byte = 0; byte < 256; ++byte) all.emplace_back(1, static_cast<char>(byte));
  all.insert(all.end(), tokens.begin(), tokens.end());
  all.emplace_back("");
  const std::vector<int32_t> end_tokens{static_cast<int32_t>(all.size() - 1)};
  return std::make_shared<const Vocabulary>(all, end_tokens);
}

/// A program over bytes alone.
inline std::shared_ptr<TokenGrammar> over_bytes(std::shared_ptr<const Program> program) {
  return std::make_shared<TokenGrammar>(std::move(program), vocabulary_of({}));
}

/// Whether a text follows the grammar from beginning to end.
inline bool accepts(const std::shared_ptr<TokenGrammar>& grammar, std::string_view text) {
  Matcher matcher(grammar);
  return matcher.accept_bytes(text) && matcher.complete();
}

/// The same for one text only.
inline bool accepts(std::shared_ptr<const Program> program, std::string_view text) {
  return accepts(over_bytes(std::move(program)), text);
}

inline std::shared_ptr<TokenGrammar> schema(std::string_view text) {
  return over_bytes(compile_json_schema(parse_ordered_json(text, "schema"), kPatient));
}

}  // namespace cleave::grammar
