#include "engine/kv_blocks.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace cleave::engine {
namespace {

// What a list has to hold, checked before it is made.
size_t checked(int64_t num_blocks) {
  CHECK_GE(num_blocks, 0);
  return static_cast<size_t>(num_blocks);
}

size_t at(int32_t block) {
  return static_cast<size_t>(block);
}

}  // namespace

KvBlocks::KvBlocks(int64_t num_blocks, int64_t block_size)
    : block_size_(block_size),
      holders_(checked(num_blocks), 0),
      next_(holders_.size() + 1),
      prev_(holders_.size() + 1),
      keys_(holders_.size()),
      named_(holders_.size(), 0),
      names_(num_blocks) {
  CHECK_GE(block_size, 1);
  next_[at(ring())] = prev_[at(ring())] = ring();
  for (int32_t block = 0; block < ring(); ++block) insert_free(block, ring());
}

void KvBlocks::insert_free(int32_t block, int32_t before) {
  const int32_t after = std::exchange(prev_[at(before)], block);
  next_[at(after)] = block;
  prev_[at(block)] = after;
  next_[at(block)] = before;
  ++num_free_;
}

void KvBlocks::remove_free(int32_t block) {
  next_[at(prev_[at(block)])] = next_[at(block)];
  prev_[at(next_[at(block)])] = prev_[at(block)];
  --num_free_;
}

// The free block whose content is missed least. REQUIRES: there is one.
int32_t KvBlocks::take_free() {
  const int32_t block = next_[at(ring())];
  remove_free(block);
  if (std::exchange(named_[at(block)], uint8_t{0}) != 0) names_.erase(keys_[at(block)]);
  return block;
}

bool KvBlocks::extend(Table& table, int64_t positions) {
  const int64_t missing = blocks_for(positions) - static_cast<int64_t>(table.size());
  if (missing > num_free()) return false;
  for (int64_t i = 0; i < missing; ++i) {
    table.push_back(take_free());
    holders_[at(table.back())] = 1;
  }
  return true;
}

void KvBlocks::share(Table& table, std::span<const int32_t> blocks) {
  for (const int32_t block : blocks)
    if (num_holders(block) == 0 && named_[at(block)] == 0) CHECK_GE(num_holders(block), 1);
  for (const int32_t block : blocks) {
    if (holders_[at(block)]++ == 0) remove_free(block);
    table.push_back(block);
  }
}

// Blocks without names are taken first, the one used last first, since its memory is warm.
void KvBlocks::release(Table& table) {
  for (; !table.empty(); table.pop_back()) {
    const int32_t block = table.back();
    CHECK_GE(num_holders(block), 1);
    if (--holders_[at(block)] == 0) insert_free(block, named_[at(block)] != 0 ? ring() : next_[at(ring())]);
  }
}

void KvBlocks::name(int32_t block, const PrefixKey& key) {
  CHECK_GE(num_holders(block), 1);
  if (named_[at(block)] != 0 || names_.find(key)) return;
  named_[at(block)] = 1;
  keys_[at(block)] = key;
  names_.insert(key, block);
}

void KvBlocks::forget(const PrefixKey& key) {
  const std::optional<int32_t> block = names_.find(key);
  if (!block) return;
  names_.erase(key);
  named_[at(*block)] = 0;
  if (num_holders(*block) > 0) return;
  remove_free(*block);
  insert_free(*block, next_[at(ring())]);
}

int64_t KvBlocks::num_holders(int32_t block) const {
  CHECK_GE(block, 0);
  CHECK_LT(block, static_cast<int64_t>(holders_.size()));
  return holders_[at(block)];
}

bool KvBlocks::can_write(const Table& table, int64_t begin, int64_t end) const {
  if (blocks_for(end) > static_cast<int64_t>(table.size())) return false;
  for (int64_t i = begin / block_size_; i < blocks_for(end); ++i) {
    const int32_t block = table[static_cast<size_t>(i)];
    if (num_holders(block) != 1 || named_[at(block)] != 0) return false;
  }
  return true;
}

void KvBlocks::check(std::span<const Table* const> tables) const {
  std::vector<int32_t> held(holders_.size(), 0);
  for (const Table* table : tables)
    for (const int32_t block : *table) ++held.at(at(block));
  CHECK(held == holders_);
  int64_t free = 0, named = 0;
  for (int32_t block = next_[at(ring())]; block != ring(); block = next_[at(block)], ++free)
    CHECK_EQ(holders_[at(block)], 0);
  CHECK_EQ(free, num_free_);
  CHECK_EQ(free, std::ranges::count(holders_, 0));
  for (int32_t block = 0; block < ring(); ++block) {
    if (named_[at(block)] == 0) continue;
    ++named;
    CHECK(names_.find(keys_[at(block)]) == block);
  }
  CHECK_EQ(named, names_.size());
}

}  // namespace cleave::engine
