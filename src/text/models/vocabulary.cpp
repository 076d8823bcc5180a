#include "text/models/vocabulary.h"

#include <algorithm>

namespace cleave::text {

void Vocabulary::reserve(size_t count) {
  ids_.reserve(count);
  tokens_.reserve(count);
}

void Vocabulary::add(std::string_view token, int32_t id) {
  const std::string_view stored = texts_.emplace_back(token);
  ids_.insert_or_assign(stored, id);
  tokens_.insert_or_assign(id, stored);
  id_end_ = std::max(id_end_, id + 1);
}

std::optional<int32_t> Vocabulary::id(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> Vocabulary::token(int32_t id) const {
  const auto found = tokens_.find(id);
  if (found == tokens_.end()) return std::nullopt;
  return found->second;
}

}  // namespace cleave::text
