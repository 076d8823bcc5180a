#include "engine/prefix_keys.h"

#include "base/check.h"

namespace cleave::engine {
namespace {

void add_key(Sequence& sequence, std::array<int64_t, 2> turned, const SequenceLimits& limits) {
  const size_t block = sequence.keys.size(), size = static_cast<size_t>(limits.block_size);
  const PrefixKey& before = block == 0 ? *sequence.root : sequence.keys.back();
  sequence.keys.push_back(limits.hasher->next(before, std::span(sequence.tokens).subspan(block * size, size), turned));
}

}  // namespace

void renew_keys(Sequence& sequence, const SequenceLimits& limits) {
  if (!sequence.root) return;
  const int64_t turning = limits.turning.of(sequence.length());
  if (turning != sequence.keys_turning) sequence.keys.clear();
  sequence.keys_turning = turning;
  const auto full = static_cast<size_t>(sequence.length() / limits.block_size);
  while (sequence.keys.size() < full) add_key(sequence, {turning, turning}, limits);
}

void complete_key(Sequence& sequence, int64_t block, int64_t before, const SequenceLimits& limits) {
  if (std::ssize(sequence.keys) > block) return;
  CHECK_EQ(std::ssize(sequence.keys), block);
  const int64_t now = limits.turning.of(sequence.length());
  const bool is_whole = before <= block * limits.block_size;
  add_key(sequence, {is_whole ? now : sequence.block_turning, now}, limits);
}

void note_turning(Sequence& sequence, int64_t before, const SequenceLimits& limits) {
  if (before <= sequence.computed / limits.block_size * limits.block_size)
    sequence.block_turning = limits.turning.of(sequence.length());
}

}  // namespace cleave::engine
