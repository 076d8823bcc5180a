#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cleave::text {

/// The merge of two neighbouring tokens.
struct Merge {
  uint32_t rank;  // merges of lower rank come first
  int32_t id;     // the token that the two form
};

/// The merges of a byte-pair encoding, found by their pair of tokens. A hash table with open addressing, because every
/// piece of text asks for several merges per byte. Filled once, then read by any thread.
class MergeTable {
 public:
  explicit MergeTable(size_t expected = 0);
  /// Adds a merge; a later merge of the same pair replaces the earlier one.
  void insert(int32_t left, int32_t right, Merge merge);
  /// The merge of a pair; null if the two do not merge.
  const Merge* find(int32_t left, int32_t right) const {
    const uint64_t key = make_key(left, right);
    for (size_t i = slot_of(key);; i = (i + 1) & mask_) {
      if (slots_[i].key == key) return &slots_[i].merge;
      if (slots_[i].key == kEmpty) return nullptr;
    }
  }

 private:
  // No pair has this key: ids are not negative.
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  struct Slot {
    uint64_t key = kEmpty;
    Merge merge{};
  };

  static uint64_t make_key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  // The finalizer of MurmurHash3: every bit of the key moves every bit of the slot.
  size_t slot_of(uint64_t key) const {
    key = (key ^ key >> 33) * 0xFF51AFD7ED558CCDu;
    key = (key ^ key >> 33) * 0xC4CEB9FE1A85EC53u;
    return (key ^ key >> 33) & mask_;
  }
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half of them taken
  size_t mask_;
  size_t count_ = 0;
};

}  // namespace cleave::text
