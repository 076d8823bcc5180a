#pragma once

#include <cstdint>
#include <vector>

namespace cleave::engine {

/// Keeps account of the key-value blocks of a model: which are free, and which blocks a sequence holds. It touches no
/// memory of the cache itself. Not thread-safe.
class KvBlocks {
 public:
  /// Blocks of a sequence: position p lives in table[p / block_size].
  using Table = std::vector<int32_t>;

  /// REQUIRES: num_blocks >= 0, block_size >= 1.
  KvBlocks(int64_t num_blocks, int64_t block_size);

  int64_t block_size() const { return block_size_; }
  int64_t num_free() const { return static_cast<int64_t>(free_.size()); }
  /// Positions of a sequence that has all blocks for itself.
  int64_t capacity() const { return num_blocks_ * block_size_; }
  int64_t blocks_for(int64_t positions) const { return (positions + block_size_ - 1) / block_size_; }

  /// Grows the table so that it covers `positions`. Gives false and changes nothing where too few blocks are free.
  bool extend(Table& table, int64_t positions);
  /// Takes all blocks back; the table is empty afterwards.
  void release(Table& table);

 private:
  int64_t num_blocks_;
  int64_t block_size_;
  std::vector<int32_t> free_;  // a stack, so that blocks used last, whose memory is warm, are used first
};

}  // namespace cleave::engine
