#include "engine/key_table.h"

#include <bit>

#include "base/check.h"

namespace cleave::engine {

KeyTable::KeyTable(int64_t most_entries)
    : entries_(std::bit_ceil(static_cast<size_t>(2 * most_entries + 1))), most_(most_entries) {}

// Where the key is, or the free place where it would be.
size_t KeyTable::search(const PrefixKey& key) const {
  size_t place = place_of(key);
  while (entries_[place].number >= 0 && entries_[place].key != key) place = after(place);
  return place;
}

std::optional<int32_t> KeyTable::find(const PrefixKey& key) const {
  const Entry& entry = entries_[search(key)];
  return entry.number < 0 ? std::nullopt : std::optional(entry.number);
}

void KeyTable::insert(const PrefixKey& key, int32_t number) {
  CHECK_LT(size_, most_);
  CHECK_GE(number, 0);
  Entry& entry = entries_[search(key)];
  CHECK_LT(entry.number, 0);
  entry = {key, number};
  ++size_;
}

void KeyTable::erase(const PrefixKey& key) {
  size_t hole = search(key);
  CHECK_GE(entries_[hole].number, 0);
  --size_;
  for (size_t place = after(hole); entries_[place].number >= 0; place = after(place)) {
    // An entry moves up unless its own place lies behind the hole.
    const size_t mask = entries_.size() - 1, own = place_of(entries_[place].key);
    if (((place - own) & mask) < ((place - hole) & mask)) continue;
    entries_[hole] = entries_[place];
    hole = place;
  }
  entries_[hole].number = -1;
}

}  // namespace cleave::engine
