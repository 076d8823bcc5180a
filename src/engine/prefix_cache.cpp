#include "engine/prefix_cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/prefix_keys.h"

namespace cleave::engine {
namespace {

const PrefixKey& key_of(const Sequence& sequence, int64_t block) {
  return sequence.keys[static_cast<size_t>(block)];
}

}  // namespace

PrefixCache::PrefixCache(const StepLimits& steps, const SequenceLimits& limits)
    : limits_(limits),
      blocks_(steps.num_blocks, steps.block_size),
      snapshots_(steps.num_state_slots > 0 ? steps.num_snapshots : 0, 1),
      num_slots_(steps.num_state_slots) {
  for (int64_t slot = num_slots_; slot-- > 0;) free_slots_.push_back(slot);
}

int64_t PrefixCache::most_blocks(const Sequence& sequence) const {
  if (sequence.scores_prompt) return 0;  // cached tokens have no logits
  return std::min(std::ssize(sequence.keys), (sequence.length() - 1) / blocks_.block_size());
}

PrefixCache::Hit PrefixCache::look_up(const Sequence& sequence) const {
  Hit hit;
  const int64_t most = most_blocks(sequence);
  int64_t held = 0;
  for (; hit.kv_blocks < most; ++hit.kv_blocks) {
    const std::optional<int32_t> block = blocks_.find(key_of(sequence, hit.kv_blocks));
    if (!block) break;
    if (blocks_.num_holders(*block) > 0) ++held;
  }
  hit.blocks = hit.kv_blocks;
  if (keeps_states())
    while (hit.blocks > 0 && !snapshots_.find(key_of(sequence, hit.blocks - 1))) --hit.blocks;
  // Whoever holds a block holds those before it.
  hit.held = std::min(held, hit.blocks);
  return hit;
}

int64_t PrefixCache::estimate(Sequence& sequence) const {
  const int64_t most = most_blocks(sequence);
  int64_t& known = sequence.found_blocks;
  known = std::min(known, most);
  while (known > 0 && !blocks_.find(key_of(sequence, known - 1))) --known;
  while (known < most && blocks_.find(key_of(sequence, known))) ++known;
  return known;
}

bool PrefixCache::has_slot(const Sequence& sequence) const {
  return !keeps_states() || sequence.state_slot >= 0 || !free_slots_.empty();
}

bool PrefixCache::extend(Sequence& sequence) {
  if (sequence.computed == 0 && !sequence.blocks.empty() &&
      !blocks_.can_write(sequence.blocks, 0, std::ssize(sequence.blocks) * blocks_.block_size()))
    blocks_.release(sequence.blocks);
  if (!has_slot(sequence) || !blocks_.extend(sequence.blocks, sequence.length())) return false;
  if (!keeps_states() || sequence.state_slot >= 0) return true;
  sequence.state_slot = free_slots_.back();
  free_slots_.pop_back();
  return true;
}

void PrefixCache::take(Sequence& sequence, const Hit& hit) {
  CHECK(sequence.blocks.empty());
  CHECK_EQ(sequence.computed, 0);
  for (int64_t i = 0; i < hit.blocks; ++i) {
    const int32_t block = *blocks_.find(key_of(sequence, i));
    blocks_.share(sequence.blocks, {&block, 1});
  }
  sequence.named_blocks = hit.blocks;
  sequence.computed = hit.blocks * blocks_.block_size();
  if (!keeps_states()) return;
  if (hit.kv_blocks > hit.blocks) note_junction(sequence, hit.kv_blocks);
  if (hit.blocks == 0) return;
  const int32_t snapshot = *snapshots_.find(key_of(sequence, hit.blocks - 1));
  snapshots_.share(sequence.restored, {&snapshot, 1});
}

void PrefixCache::release(Sequence& sequence) {
  blocks_.release(sequence.blocks);
  snapshots_.release(sequence.restored);
  snapshots_.release(sequence.saved);
  if (sequence.state_slot >= 0) free_slots_.push_back(sequence.state_slot);
  sequence.state_slot = -1;
  sequence.computed = sequence.named_blocks = sequence.junction = 0;
}

void PrefixCache::note_junction(Sequence& sequence, int64_t blocks) const {
  const int64_t position = blocks * blocks_.block_size();
  if (position <= sequence.computed) return;
  if (sequence.junction <= sequence.computed || position < sequence.junction) sequence.junction = position;
}

std::optional<int64_t> PrefixCache::next_border(const Sequence& sequence) const {
  if (snapshots_.num_free() == 0 || !sequence.root) return std::nullopt;
  const int64_t size = blocks_.block_size(), after = sequence.computed;
  const int64_t prompt = (sequence.prompt_length - 1) / size * size;
  std::optional<int64_t> border;
  for (const int64_t position : {sequence.junction, prompt})
    if (position > after) border = std::min(border.value_or(position), position);
  if (!border && after >= sequence.prompt_length) border = (after / size + 1) * size;
  return border;
}

int64_t PrefixCache::begin_snapshot(Sequence& sequence, int64_t position) {
  if (!keeps_states() || next_border(sequence) != position) return -1;
  const auto block = static_cast<size_t>(position / blocks_.block_size() - 1);
  if (block < sequence.keys.size() && snapshots_.find(sequence.keys[block])) return -1;
  if (!snapshots_.extend(sequence.saved, 1)) return -1;
  return num_slots_ + sequence.saved[0];
}

void PrefixCache::note_computed(Sequence& sequence, int64_t before) {
  snapshots_.release(sequence.restored);
  if (!sequence.root) return;
  const int64_t full = sequence.computed / blocks_.block_size();
  for (int64_t& block = sequence.named_blocks; block < full; ++block) {
    complete_key(sequence, block, before, limits_);
    blocks_.name(sequence.blocks[static_cast<size_t>(block)], key_of(sequence, block));
  }
  note_turning(sequence, before, limits_);
  if (sequence.saved.empty()) return;
  const PrefixKey& key = key_of(sequence, full - 1);
  snapshots_.name(sequence.saved[0], key);
  snapshots_.release(sequence.saved);
  if (sequence.computed <= sequence.prompt_length) return;
  // Of an answer only the last one counts: what follows it will hold all of it, or nothing.
  if (sequence.answer_snapshot) snapshots_.forget(*sequence.answer_snapshot);
  sequence.answer_snapshot = key;
}

void PrefixCache::check(std::span<const Sequence* const> sequences) const {
  std::vector<const KvBlocks::Table*> tables, snapshots;
  int64_t slots = 0;
  for (const Sequence* sequence : sequences) {
    tables.push_back(&sequence->blocks);
    snapshots.push_back(&sequence->restored);
    snapshots.push_back(&sequence->saved);
    if (sequence->state_slot >= 0) ++slots;
  }
  blocks_.check(tables);
  snapshots_.check(snapshots);
  CHECK_EQ(slots + std::ssize(free_slots_), num_slots_);
}

}  // namespace cleave::engine
