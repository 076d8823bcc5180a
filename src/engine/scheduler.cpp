#include "engine/scheduler.h"

#include <algorithm>

#include "base/check.h"

namespace cleave::engine {

int64_t Scheduler::Chunk::first_scored() const {
  return std::max(sequence->computed, static_cast<int64_t>(sequence->prompt_logprobs.size()));
}

int64_t Scheduler::Chunk::end_scored() const {
  if (!sequence->scores_prompt) return first_scored();
  return std::max(first_scored(), std::min(sequence->computed + count, sequence->prompt_length - 1));
}

Scheduler::Scheduler(const StepLimits& limits) : limits_(limits), blocks_(limits.num_blocks, limits.block_size) {
  CHECK_GE(limits.max_tokens, 1);
  CHECK_GE(limits.max_output_rows, 1);
  for (int64_t slot = limits.num_state_slots; slot-- > 0;) free_slots_.push_back(slot);
}

void Scheduler::add(Sequence& sequence) {
  CHECK_GE(sequence.pending(), 1);
  CHECK_LE(sequence.length(), capacity());
  parked_.remove(&sequence);
  waiting_.insert(std::ranges::find_if(waiting_, [&](const Sequence* s) { return s->priority > sequence.priority; }),
                  &sequence);
}

void Scheduler::park(Sequence& sequence) {
  running_.remove(&sequence);
  waiting_.remove(&sequence);
  parked_.push_back(&sequence);
}

void Scheduler::remove(Sequence& sequence) {
  for (Queue* queue : {&waiting_, &running_, &parked_}) queue->remove(&sequence);
  take_blocks(sequence);
}

// What was computed is lost with the blocks.
void Scheduler::take_blocks(Sequence& sequence) {
  blocks_.release(sequence.blocks);
  if (sequence.state_slot >= 0) free_slots_.push_back(sequence.state_slot);
  sequence.state_slot = -1;
  sequence.computed = 0;
}

// Room for all tokens of the sequence, and for its states; false where either is lacking.
bool Scheduler::extend(Sequence& sequence) {
  if (limits_.num_state_slots > 0 && sequence.state_slot < 0) {
    if (free_slots_.empty()) return false;
    sequence.state_slot = free_slots_.back();
    free_slots_.pop_back();
  }
  return blocks_.extend(sequence.blocks, sequence.length());
}

std::span<const Scheduler::Chunk> Scheduler::form() {
  chunks_.clear();
  budget_ = limits_.max_tokens;
  row_budget_ = limits_.max_output_rows;
  // Making room for one sequence may evict younger ones, so the loops go over a copy and ask whether each is still
  // there.
  considered_.assign(running_.begin(), running_.end());
  const auto still_runs = [&](const Sequence* sequence) {
    return std::find(running_.begin(), running_.end(), sequence) != running_.end();
  };
  for (Sequence* sequence : considered_)
    if (still_runs(sequence)) make_room(*sequence);
  for (Sequence* sequence : considered_)
    if (sequence->pending() == 1 && still_runs(sequence)) schedule(*sequence);
  for (Sequence* sequence : considered_)
    if (sequence->pending() > 1 && still_runs(sequence)) schedule(*sequence);
  admit();
  return chunks_;
}

// REQUIRES: blocks for all tokens of the sequence.
void Scheduler::schedule(Sequence& sequence) {
  int64_t count = std::min(budget_, sequence.pending());
  // A token more takes a row more at most, and the last one may take none.
  for (int64_t rows = 0; count > 0 && (rows = Chunk{&sequence, count}.num_rows()) > row_budget_;)
    count -= rows - row_budget_;
  if (count <= 0) return;
  CHECK(blocks_.can_write(sequence.blocks, sequence.computed, sequence.computed + count));
  chunks_.push_back({&sequence, count});
  budget_ -= count;
  row_budget_ -= chunks_.back().num_rows();
}

// Lets sequences in from the queue while the step has room. Each running sequence may want a token and a row of logits
// of every step, so there are never more of them than a step has.
void Scheduler::admit() {
  const int64_t max_running = std::min(limits_.max_output_rows, limits_.max_tokens);
  while (!waiting_.empty() && budget_ > 0 && num_running() < max_running) {
    Sequence& next = *waiting_.front();
    while (!extend(next))
      if (!evict_idle(next)) return;
    waiting_.pop_front();
    running_.push_back(&next);
    if (!next.cached) next.cached = next.computed;
    schedule(next);
  }
}

// A block for the next token of a running sequence, which stops running itself where it is the youngest of the largest
// priority number and there is none. To be called before anything is scheduled: no sequence that loses its blocks is
// part of the step.
void Scheduler::make_room(Sequence& sequence) {
  while (!extend(sequence)) {
    if (evict_idle(sequence)) continue;
    auto last = running_.begin();
    for (auto it = running_.begin(); it != running_.end(); ++it)
      if ((*it)->priority >= (*last)->priority) last = it;
    const bool is_own = *last == &sequence;
    evict_running(last);
    if (is_own) return;
  }
}

void Scheduler::evict_running(Queue::iterator running) {
  Sequence& sequence = **running;
  running_.erase(running);
  take_blocks(sequence);
  waiting_.insert(std::ranges::find_if(waiting_, [&](const Sequence* s) { return s->priority >= sequence.priority; }),
                  &sequence);
}

// Takes the blocks of a sequence that computes nothing now: the one parked first, or the last one of the queue that
// came with blocks of an earlier answer.
bool Scheduler::evict_idle(const Sequence& in_favour_of) {
  const auto holds_blocks = [&](const Sequence* s) {
    return s != &in_favour_of && (!s->blocks.empty() || s->state_slot >= 0);
  };
  const auto parked = std::find_if(parked_.begin(), parked_.end(), holds_blocks);
  const auto waiting = std::find_if(waiting_.rbegin(), waiting_.rend(), holds_blocks);
  if (parked == parked_.end() && waiting == waiting_.rend()) return false;
  take_blocks(parked != parked_.end() ? **parked : **waiting);
  return true;
}

}  // namespace cleave::engine
