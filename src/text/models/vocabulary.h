#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cleave::text {

/// Tokens and their ids, which may have gaps. Filled once, then read by any thread.
class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;

  void reserve(size_t count);
  /// Adds a copy of a token. A token that is added twice keeps its later id, and an id its later token.
  void add(std::string_view token, int32_t id);

  /// The id of a token; nothing for a text that is no token.
  std::optional<int32_t> id(std::string_view token) const;
  /// The token of an id, for as long as the vocabulary lives; nothing for an unused id.
  std::optional<std::string_view> token(int32_t id) const;
  /// Calls visit(token, id) for each token, in no particular order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [token, id] : ids_) visit(token, id);
  }
  size_t size() const { return ids_.size(); }
  /// Largest id + 1; 0 for an empty vocabulary.
  int32_t id_end() const { return id_end_; }

 private:
  std::deque<std::string> texts_;  // the tokens; a deque, so that the views of them stay valid
  std::unordered_map<std::string_view, int32_t> ids_;
  std::unordered_map<int32_t, std::string_view> tokens_;
  int32_t id_end_ = 0;
};

}  // namespace cleave::text
