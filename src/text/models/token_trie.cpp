#include "text/models/token_trie.h"

#include <utility>

namespace cleave::text {

TokenTrie::TokenTrie() : values_(1, -1), slots_(16), shift_(60) {
  first_.fill(kNone);
}

void TokenTrie::insert(std::string_view token, int32_t value) {
  uint32_t node = kRoot;
  for (const char byte : token) {
    uint32_t next = child(node, byte);
    if (next == kNone) {
      next = static_cast<uint32_t>(values_.size());
      values_.push_back(-1);
      add_child(node, byte, next);
    }
    node = next;
  }
  values_[node] = value;
}

TokenTrie::Match TokenTrie::longest_at(std::string_view text, size_t position) const {
  Match longest{-1, 0};
  for_each_at(text, position, [&](int32_t value, size_t size) { longest = {value, size}; });
  return longest;
}

void TokenTrie::add_child(uint32_t node, char byte, uint32_t child) {
  if (node == kRoot) {
    first_[static_cast<uint8_t>(byte)] = child;
    return;
  }
  if (++taken_ * 2 > slots_.size()) grow();
  const uint64_t key = make_key(node, byte);
  size_t i = slot_of(key);
  while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = {key, child};
}

void TokenTrie::grow() {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  --shift_;
  for (const Slot& slot : old) {
    if (slot.key == 0) continue;
    size_t i = slot_of(slot.key);
    while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

}  // namespace cleave::text
