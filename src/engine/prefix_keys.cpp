#include "engine/prefix_keys.h"

#include "base/check.h"
#include "kernels/params/sequence_span.h"

namespace cleave::engine {
namespace {

void add_key(Sequence& sequence, std::array<int64_t, 2> turned, const SequenceLimits& limits) {
  const size_t block = sequence.keys.size(), size = static_cast<size_t>(limits.block_size);
  const PrefixKey& before = block == 0 ? *sequence.root : sequence.keys.back();
  sequence.keys.push_back(limits.hasher->next(before, std::span(sequence.tokens).subspan(block * size, size), turned));
}

}  // namespace

void renew_keys(Sequence& sequence, const SequenceLimits& limits) {
  if (!limits.hasher) return;
  const int64_t turning = limits.turning.of(sequence.length());
  const kernels::RowKind kind = kernels::kind_of_prompt(sequence.prompt_length);
  if (turning != sequence.keys_turning || kind != sequence.keys_kind) sequence.keys.clear();
  // Short prompts are computed in another way than long ones, so that the two share no blocks.
  if (kind != sequence.keys_kind)
    sequence.root =
        limits.hasher->root((kind == kernels::RowKind::ShortPrompt ? "short " : "long ") + sequence.cache_salt);
  sequence.keys_turning = turning;
  sequence.keys_kind = kind;
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
