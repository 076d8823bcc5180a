#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/prefix_key.h"

namespace cleave::engine {

/// A table from keys to numbers that holds a fixed count of entries at most and takes no memory after its construction.
/// Entries lie at the first free place from the one that their key names (linear probing); where one goes, those behind
/// it move up. Not thread-safe.
class KeyTable {
 public:
  explicit KeyTable(int64_t most_entries);

  /// The number of a key; nothing where there is none.
  std::optional<int32_t> find(const PrefixKey& key) const;
  /// REQUIRES: the key is not there, and there is room.
  void insert(const PrefixKey& key, int32_t number);
  /// REQUIRES: the key is there.
  void erase(const PrefixKey& key);
  int64_t size() const { return size_; }

 private:
  struct Entry {
    PrefixKey key;
    int32_t number = -1;  // -1: the place is free
  };
  size_t place_of(const PrefixKey& key) const { return key[0] & (entries_.size() - 1); }
  size_t after(size_t place) const { return (place + 1) & (entries_.size() - 1); }
  size_t search(const PrefixKey& key) const;

  std::vector<Entry> entries_;  // a power of two of them, at least twice as many as are used
  int64_t most_;
  int64_t size_ = 0;
};

}  // namespace cleave::engine
