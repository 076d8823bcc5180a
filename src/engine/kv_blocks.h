#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/key_table.h"
#include "engine/prefix_key.h"

namespace cleave::engine {

/// The account of a key-value cache's blocks: which are free, and how many tables hold each of the others. A block may
/// be in several tables, so that sequences with the same beginning keep its keys and values once; it is free when the
/// last table lets go of it. The memory of the cache itself is not touched, and nothing is ever copied.
///
/// A block with a name keeps what it holds when it is free, until its memory is needed: those free for longest give
/// theirs first, and blocks without a name before all others. So what was computed once can be found again.
///
/// Invariant: a block with a name or in several tables is full and is never written again. For that, whoever names or
/// shares a block sees to it that all its positions are computed, and a sequence writes only to blocks that follow such
/// ones, which extend() takes from the free ones; can_write() tells. So sequences share a whole number of blocks, and
/// of a prompt that others have computed to the end, the last tokens are computed again.
///
/// Each function but check() takes constant time for a block that it moves or asks about. Not thread-safe.
class KvBlocks {
 public:
  /// Blocks of a sequence: position p lives in table[p / block_size].
  using Table = std::vector<int32_t>;

  /// REQUIRES: num_blocks >= 0, block_size >= 1.
  KvBlocks(int64_t num_blocks, int64_t block_size);

  int64_t block_size() const { return block_size_; }
  int64_t num_blocks() const { return static_cast<int64_t>(holders_.size()); }
  int64_t num_free() const { return num_free_; }  // those with a name among them
  int64_t num_named() const { return names_.size(); }
  /// Positions of a sequence that has all blocks for itself.
  int64_t capacity() const { return num_blocks() * block_size_; }
  int64_t blocks_for(int64_t positions) const { return (positions + block_size_ - 1) / block_size_; }

  /// Grows the table by free blocks so that it covers `positions`. Gives false and changes nothing where too few blocks
  /// are free. What was found in free blocks before may be lost.
  bool extend(Table& table, int64_t positions);
  /// Appends blocks, which this table holds, too, from now on. REQUIRES: every one is held and full or has a name, and
  /// the table holds nothing but full blocks.
  void share(Table& table, std::span<const int32_t> blocks);
  /// Lets go of all blocks of the table, the last one first, so that of free blocks with names the ends of texts go
  /// before the beginnings; it is empty afterwards.
  void release(Table& table);

  /// Names a full block; does nothing where it has a name, or another block has this one.
  void name(int32_t block, const PrefixKey& key);
  /// The block with that name.
  std::optional<int32_t> find(const PrefixKey& key) const { return names_.find(key); }
  /// Takes the name from whatever block has it.
  void forget(const PrefixKey& key);

  /// Tables that hold the block; 0: it is free.
  int64_t num_holders(int32_t block) const;
  /// Whether the table covers positions [begin, end) by blocks without names that no other table holds. REQUIRES:
  /// begin < end.
  bool can_write(const Table& table, int64_t begin, int64_t end) const;

  /// Throws Error(Internal) unless every block is free, or held as often as `tables` hold it, and names fit.
  void check(std::span<const Table* const> tables) const;

 private:
  // Free blocks form a ring with a place in front of the first, which has number num_blocks().
  void insert_free(int32_t block, int32_t before);
  void remove_free(int32_t block);
  int32_t take_free();
  int32_t ring() const { return static_cast<int32_t>(holders_.size()); }

  int64_t block_size_;
  std::vector<int32_t> holders_;      // [num_blocks]: tables that hold the block
  std::vector<int32_t> next_, prev_;  // [num_blocks + 1]: of free blocks, in the order in which they are taken
  std::vector<PrefixKey> keys_;       // [num_blocks]: names
  std::vector<uint8_t> named_;        // [num_blocks]
  KeyTable names_;
  int64_t num_free_ = 0;
};

}  // namespace cleave::engine
