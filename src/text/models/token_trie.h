#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cleave::text {

/// A set of strings with a value each, which finds those of them that stand at a place of a text. The edges of all
/// nodes are one hash table with open addressing, because a vocabulary makes a million nodes and each byte of a text
/// follows some edges. Filled once, then read by any thread.
class TokenTrie {
 public:
  struct Match {
    int32_t value;
    size_t size;  // of the string in bytes; 0 if no string stands there
  };

  TokenTrie();
  /// Adds a string; a later value of the same string replaces the earlier one. REQUIRES: the string is not empty and
  /// the value not negative.
  void insert(std::string_view token, int32_t value);
  /// The longest string that stands at `position`.
  Match longest_at(std::string_view text, size_t position) const;
  /// Calls visit(value, size) for each string that stands at `position`, the shortest first.
  template <class Visit>
  void for_each_at(std::string_view text, size_t position, Visit&& visit) const {
    uint32_t node = kRoot;
    for (size_t i = position; i < text.size(); ++i) {
      node = child(node, text[i]);
      if (node == kNone) return;
      if (values_[node] >= 0) visit(values_[node], i + 1 - position);
    }
  }
  /// Whether one of the strings begins with this byte.
  bool begins(char byte) const { return first_[static_cast<uint8_t>(byte)] != kNone; }
  bool empty() const { return values_.size() == 1; }

 private:
  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Slot {
    uint64_t key = 0;  // node << 8 | byte, plus one; 0 where the slot is free
    uint32_t child = kNone;
  };

  static uint64_t make_key(uint32_t node, char byte) { return (uint64_t{node} << 8 | static_cast<uint8_t>(byte)) + 1; }
  // Multiplication by 2^64 / golden ratio (Knuth): consecutive keys fall far apart.
  size_t slot_of(uint64_t key) const { return key * 0x9E3779B97F4A7C15u >> shift_; }
  uint32_t child(uint32_t node, char byte) const {
    if (node == kRoot) return first_[static_cast<uint8_t>(byte)];
    const uint64_t key = make_key(node, byte);
    for (size_t i = slot_of(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return slots_[i].child;
      if (slots_[i].key == 0) return kNone;
    }
  }
  void add_child(uint32_t node, char byte, uint32_t child);
  void grow();

  std::array<uint32_t, 256> first_;  // [byte]: children of the root
  std::vector<int32_t> values_;      // [node]; -1 where no string ends
  std::vector<Slot> slots_;          // a power of two, at most half of them taken
  int shift_;                        // 64 - log2 of the number of slots
  size_t taken_ = 0;
};

}  // namespace cleave::text
