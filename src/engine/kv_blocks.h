#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cleave::engine {

/// The account of a key-value cache's blocks: which are free, and how many tables hold each of the others. A block may
/// be in several tables, so that sequences with the same beginning keep its keys and values once; it is free when the
/// last table lets go of it. The memory of the cache itself is not touched, and nothing is ever copied.
///
/// Invariant: a block in several tables is full and is never written again. For that, whoever shares a block sees to it
/// that all its positions are computed, and a sequence writes only to blocks that follow the shared ones, which
/// extend() takes from the free ones; can_write() tells. So sequences share a whole number of blocks, and of a prompt
/// that others have computed to the end, the last tokens are computed again.
///
/// Each function takes constant time for a block that it moves or asks about. Not thread-safe.
class KvBlocks {
 public:
  /// Blocks of a sequence: position p lives in table[p / block_size].
  using Table = std::vector<int32_t>;

  /// REQUIRES: num_blocks >= 0, block_size >= 1.
  KvBlocks(int64_t num_blocks, int64_t block_size);

  int64_t block_size() const { return block_size_; }
  int64_t num_free() const { return static_cast<int64_t>(free_.size()); }
  /// Positions of a sequence that has all blocks for itself.
  int64_t capacity() const { return static_cast<int64_t>(holders_.size()) * block_size_; }
  int64_t blocks_for(int64_t positions) const { return (positions + block_size_ - 1) / block_size_; }

  /// Grows the table by free blocks so that it covers `positions`. Gives false and changes nothing where too few blocks
  /// are free.
  bool extend(Table& table, int64_t positions);
  /// Appends blocks of another table, which both hold from now on. REQUIRES: every one is held and full, and the table
  /// holds nothing but full blocks.
  void share(Table& table, std::span<const int32_t> blocks);
  /// Lets go of all blocks of the table, the last one first; it is empty afterwards.
  void release(Table& table);

  /// Tables that hold the block; 0: it is free.
  int64_t num_holders(int32_t block) const;
  /// Whether the table covers positions [begin, end) by blocks that no other table holds. REQUIRES: begin < end.
  bool can_write(const Table& table, int64_t begin, int64_t end) const;

 private:
  int64_t block_size_;
  std::vector<int32_t> holders_;  // [num_blocks]: tables that hold the block
  std::vector<int32_t> free_;     // a stack, so that blocks used last, whose memory is warm, are used first
};

}  // namespace cleave::engine
