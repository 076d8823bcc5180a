#include "engine/kv_blocks.h"

#include "base/check.h"

namespace cleave::engine {

KvBlocks::KvBlocks(int64_t num_blocks, int64_t block_size) : block_size_(block_size) {
  CHECK_GE(num_blocks, 0);
  CHECK_GE(block_size, 1);
  holders_.resize(static_cast<size_t>(num_blocks), 0);
  free_.reserve(static_cast<size_t>(num_blocks));
  for (int64_t block = num_blocks; block-- > 0;) free_.push_back(static_cast<int32_t>(block));
}

bool KvBlocks::extend(Table& table, int64_t positions) {
  const int64_t missing = blocks_for(positions) - static_cast<int64_t>(table.size());
  if (missing > num_free()) return false;
  for (int64_t i = 0; i < missing; ++i) {
    const int32_t block = free_.back();
    free_.pop_back();
    holders_[static_cast<size_t>(block)] = 1;
    table.push_back(block);
  }
  return true;
}

void KvBlocks::share(Table& table, std::span<const int32_t> blocks) {
  for (const int32_t block : blocks) CHECK_GE(num_holders(block), 1);
  for (const int32_t block : blocks) {
    ++holders_[static_cast<size_t>(block)];
    table.push_back(block);
  }
}

void KvBlocks::release(Table& table) {
  for (; !table.empty(); table.pop_back()) {
    const int32_t block = table.back();
    CHECK_GE(num_holders(block), 1);
    if (--holders_[static_cast<size_t>(block)] == 0) free_.push_back(block);
  }
}

int64_t KvBlocks::num_holders(int32_t block) const {
  CHECK_GE(block, 0);
  CHECK_LT(block, static_cast<int64_t>(holders_.size()));
  return holders_[static_cast<size_t>(block)];
}

bool KvBlocks::can_write(const Table& table, int64_t begin, int64_t end) const {
  if (blocks_for(end) > static_cast<int64_t>(table.size())) return false;
  for (int64_t i = begin / block_size_; i < blocks_for(end); ++i)
    if (num_holders(table[static_cast<size_t>(i)]) != 1) return false;
  return true;
}

}  // namespace cleave::engine
