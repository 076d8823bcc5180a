#include "text/token_trie.h"

namespace cleave::text {

void TokenTrie::insert(std::string_view token, int32_t value) {
  uint32_t node = 0;
  for (const char c : token) {
    const auto [child, is_new] = nodes_[node].children.try_emplace(c, static_cast<uint32_t>(nodes_.size()));
    node = child->second;
    if (is_new) nodes_.emplace_back();
  }
  nodes_[node].value = value;
}

TokenTrie::Match TokenTrie::longest_at(std::string_view text, size_t position) const {
  Match longest{-1, 0};
  uint32_t node = 0;
  for (size_t i = position; i < text.size(); ++i) {
    const auto child = nodes_[node].children.find(text[i]);
    if (child == nodes_[node].children.end()) break;
    node = child->second;
    if (nodes_[node].value >= 0) longest = {nodes_[node].value, i + 1 - position};
  }
  return longest;
}

}  // namespace cleave::text
