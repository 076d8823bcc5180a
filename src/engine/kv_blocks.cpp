#include "engine/kv_blocks.h"

#include "base/check.h"

namespace cleave::engine {

KvBlocks::KvBlocks(int64_t num_blocks, int64_t block_size) : num_blocks_(num_blocks), block_size_(block_size) {
  CHECK_GE(num_blocks, 0);
  CHECK_GE(block_size, 1);
  free_.reserve(static_cast<size_t>(num_blocks));
  for (int64_t block = num_blocks; block-- > 0;) free_.push_back(static_cast<int32_t>(block));
}

bool KvBlocks::extend(Table& table, int64_t positions) {
  const int64_t missing = blocks_for(positions) - static_cast<int64_t>(table.size());
  if (missing > num_free()) return false;
  for (int64_t i = 0; i < missing; ++i) {
    table.push_back(free_.back());
    free_.pop_back();
  }
  return true;
}

void KvBlocks::release(Table& table) {
  for (; !table.empty(); table.pop_back()) free_.push_back(table.back());
  CHECK_LE(num_free(), num_blocks_);
}

}  // namespace cleave::engine
