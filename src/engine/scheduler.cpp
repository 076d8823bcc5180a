#include "engine/scheduler.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "engine/prefix_keys.h"

namespace cleave::engine {
namespace {

// Tokens of a prompt that a step takes however long they may last, so that prompts get on beside any number of answers.
constexpr int64_t kLeastChunk = 32;

// Tokens of an answer that is expected while nothing is known; how much the next one changes what is expected.
constexpr double kFirstExpectation = 64, kExpectationRate = 0.125;

// Where a sequence has lost its memory to others, longer answers are expected for a while.
constexpr double kMoreCaution = 1.5, kMostCaution = 8, kLessCaution = 0.97;

bool contains(const std::vector<Sequence*>& queue, const Sequence* sequence) {
  return std::ranges::find(queue, sequence) != queue.end();
}

// Blocks in which both have the same tokens. REQUIRES: they are not known to differ in the first `first` ones.
int64_t common_blocks(const Sequence& a, const Sequence& b, int64_t first) {
  const int64_t most = std::min(std::ssize(a.keys), std::ssize(b.keys));
  int64_t common = first;
  // Keys are made of those before, so that one tells of all of them.
  while (common < most && a.keys[static_cast<size_t>(common)] == b.keys[static_cast<size_t>(common)]) ++common;
  return common;
}

// Whether its next step is a single token of its answer.
bool answers(const Sequence& sequence) {
  return sequence.pending() == 1 && sequence.computed >= sequence.prompt_length;
}

}  // namespace

int64_t Scheduler::Chunk::first_scored() const {
  return std::max(sequence->computed, std::ssize(sequence->prompt_logprobs));
}

int64_t Scheduler::Chunk::end_scored() const {
  if (!sequence->scores_prompt) return first_scored();
  return std::max(first_scored(), std::min(sequence->computed + count, sequence->prompt_length - 1));
}

Scheduler::Scheduler(const StepLimits& steps, const SequenceLimits& limits, const StepCost& cost, double max_gap)
    : steps_(steps),
      limits_(limits),
      cost_(cost),
      max_gap_(max_gap),
      cache_(steps, limits),
      expected_answer_(kFirstExpectation) {
  CHECK_GE(steps.max_tokens, 1);
  CHECK_GE(steps.max_output_rows, 1);
}

void Scheduler::add(Sequence& sequence) {
  CHECK_GE(sequence.pending(), 1);
  CHECK_LE(sequence.length(), capacity());
  std::erase(parked_, &sequence);
  if (sequence.computed == 0) renew_keys(sequence, limits_);
  sequence.arrival_work = totals_.computed_tokens;
  waiting_.push_back(&sequence);
}

void Scheduler::park(Sequence& sequence) {
  std::erase(running_, &sequence);
  std::erase(waiting_, &sequence);
  parked_.push_back(&sequence);
}

void Scheduler::remove(Sequence& sequence) {
  for (Queue* queue : {&waiting_, &running_, &parked_}) std::erase(*queue, &sequence);
  cache_.release(sequence);
}

std::span<const Scheduler::Chunk> Scheduler::form() {
  chunks_.clear();
  work_ = {};
  budget_ = steps_.max_tokens;
  row_budget_ = steps_.max_output_rows;
  // Making room for one sequence may evict younger ones, so the loop goes over a copy and asks whether each is still
  // there. Afterwards no sequence that loses its blocks is part of the step.
  considered_.assign(running_.begin(), running_.end());
  for (Sequence* sequence : considered_)
    if (contains(running_, sequence)) make_room(*sequence);
  answer();
  take_prompts();
  std::ranges::partition(chunks_, [](const Chunk& chunk) { return !chunk.is_prompt(); });
  return chunks_;
}

void Scheduler::answer() {
  for (Sequence* sequence : running_)
    if (answers(*sequence)) schedule(*sequence, 1);
  work_.decode_rows = std::ssize(chunks_);
}

// Fills the step with chunks, as far as tokens, rows of logits and, beside answers, time allow.
void Scheduler::take_prompts() {
  order_candidates();
  const bool is_timed = work_.decode_rows > 0;
  double seconds = max_gap_ - cost_.of(work_);
  bool has_room = true;
  int64_t least = kLeastChunk;
  for (Sequence* sequence : candidates_) {
    if (budget_ == 0) return;
    if (!contains(running_, sequence)) {
      if (!has_room) continue;
      const Admission admission = admit(*sequence);
      has_room = admission != Admission::NoRoom;
      if (admission != Admission::Admitted) continue;
    }
    int64_t count = sequence->pending();
    if (is_timed) count = std::min(count, std::max(least, cost_.affordable(seconds, sequence->computed)));
    const size_t before = chunks_.size();
    schedule(*sequence, count);
    if (chunks_.size() == before) continue;
    const StepWork work = StepWork::chunk(chunks_.back().count, sequence->computed);
    work_ += work;
    seconds -= cost_.of(work) - cost_.of({});
    least = 0;
  }
}

// All that have tokens to compute but no single one of an answer, in the order in which they get on.
void Scheduler::order_candidates() {
  candidates_.clear();
  std::ranges::copy_if(running_, std::back_inserter(candidates_),
                       [](const Sequence* sequence) { return !answers(*sequence); });
  if (num_running() < std::min(steps_.max_output_rows, steps_.max_tokens) && budget_ > 0) {
    for (Sequence* sequence : waiting_)
      if (sequence->computed == 0) cache_.estimate(*sequence);
    candidates_.insert(candidates_.end(), waiting_.begin(), waiting_.end());
  }
  const int64_t size = steps_.block_size;
  std::ranges::sort(candidates_, {}, [size](const Sequence* s) {
    const int64_t cached = s->computed > 0 ? s->computed : s->found_blocks * size;
    return std::tuple(s->priority, s->length() - cached + s->arrival_work, s->id);
  });
}

// Adds a chunk of at most `count` tokens. REQUIRES: blocks for all tokens of the sequence.
void Scheduler::schedule(Sequence& sequence, int64_t count) {
  count = std::min(count, budget_);
  // What is of the prompt and what is of answers is computed in different ways.
  if (sequence.computed < sequence.prompt_length) count = std::min(count, sequence.prompt_length - sequence.computed);
  if (cache_.keeps_states()) {
    if (sequence.computed < sequence.prompt_length) find_junctions(sequence);
    if (const auto border = cache_.next_border(sequence)) count = std::min(count, *border - sequence.computed);
  }
  // A token more takes a row more at most, and the last one may take none.
  for (int64_t rows = 0; count > 0 && (rows = Chunk{&sequence, count}.num_rows()) > row_budget_;)
    count -= rows - row_budget_;
  if (count <= 0) return;
  CHECK(cache_.blocks().can_write(sequence.blocks, sequence.computed, sequence.computed + count));
  chunks_.push_back({&sequence, count, cache_.begin_snapshot(sequence, sequence.computed + count)});
  budget_ -= count;
  row_budget_ -= chunks_.back().num_rows();
}

Scheduler::Admission Scheduler::admit(Sequence& sequence) {
  // Each running sequence may want a token and a row of logits of every step.
  if (num_running() >= std::min(steps_.max_output_rows, steps_.max_tokens)) return Admission::NoRoom;
  const bool is_new = sequence.blocks.empty();
  if (is_new && is_held_back(sequence)) return Admission::HeldBack;
  PrefixCache::Hit hit;
  for (;;) {
    if (is_new) hit = cache_.look_up(sequence);
    if (has_room(sequence, hit)) break;
    if (!evict_idle(sequence)) return Admission::NoRoom;
  }
  if (is_new) cache_.take(sequence, hit);
  CHECK(cache_.extend(sequence));
  std::erase(waiting_, &sequence);
  running_.push_back(&sequence);
  if (!sequence.cached) {
    sequence.cached = sequence.computed;
    totals_.prompt_tokens += sequence.prompt_length;
    totals_.cached_tokens += sequence.computed;
  }
  return Admission::Admitted;
}

// Whether a sequence under way is about to compute the next block that this one wants.
bool Scheduler::is_held_back(Sequence& sequence) const {
  const int64_t next = cache_.estimate(sequence);
  if (next >= cache_.most_blocks(sequence)) return false;
  return std::ranges::any_of(running_, [&](const Sequence* other) {
    return other->computed < (next + 1) * steps_.block_size && common_blocks(sequence, *other, next) > next;
  });
}

// Where others wait that have the same tokens for a while, and the model keeps states, a snapshot is wanted where they
// part.
void Scheduler::find_junctions(Sequence& sequence) {
  const int64_t next = sequence.computed / steps_.block_size;
  for (const Sequence* other : waiting_) {
    const int64_t common = common_blocks(*other, sequence, next);
    if (common > next) cache_.note_junction(sequence, std::min(common, cache_.most_blocks(*other)));
  }
}

// Blocks that a sequence will hold when its answer is as long as expected.
int64_t Scheduler::expected_blocks(const Sequence& sequence) const {
  const auto answer = static_cast<int64_t>(expected_answer_ * caution_) + 1;
  const int64_t length = std::max(sequence.length(), sequence.prompt_length + answer);
  return cache_.blocks().blocks_for(std::min(length, sequence.length_limit));
}

// Blocks that the sequences under way are expected to take yet.
int64_t Scheduler::reserved_blocks() const {
  int64_t blocks = 0;
  for (const Sequence* sequence : running_)
    blocks += std::max<int64_t>(0, expected_blocks(*sequence) - std::ssize(sequence->blocks));
  return blocks;
}

bool Scheduler::has_room(const Sequence& sequence, const PrefixCache::Hit& hit) const {
  if (!cache_.has_slot(sequence)) return false;
  const int64_t free = cache_.blocks().num_free(), there = std::ssize(sequence.blocks) + hit.held;
  if (cache_.blocks().blocks_for(sequence.length()) - there > free) return false;
  return running_.empty() || expected_blocks(sequence) - there + reserved_blocks() <= free;
}

// A block for the next token of a running sequence, which stops running itself where it is the youngest of the largest
// priority number and there is none.
void Scheduler::make_room(Sequence& sequence) {
  while (!cache_.extend(sequence)) {
    if (evict_idle(sequence)) continue;
    auto last = running_.begin();
    for (auto it = running_.begin(); it != running_.end(); ++it)
      if ((*it)->priority >= (*last)->priority) last = it;
    const bool is_own = *last == &sequence;
    preempt(last);
    if (is_own) return;
  }
}

void Scheduler::preempt(Queue::iterator running) {
  Sequence& sequence = **running;
  running_.erase(running);
  cache_.release(sequence);
  renew_keys(sequence, limits_);
  waiting_.push_back(&sequence);
  ++totals_.preemptions;
  caution_ = std::min(kMostCaution, caution_ * kMoreCaution);
}

// Takes the blocks of a sequence that computes nothing now: the one parked first, or the last one of the queue that
// came with blocks of an earlier answer.
bool Scheduler::evict_idle(const Sequence& in_favour_of) {
  const auto holds_blocks = [&](const Sequence* s) {
    return s != &in_favour_of && (!s->blocks.empty() || s->state_slot >= 0);
  };
  const auto parked = std::ranges::find_if(parked_, holds_blocks);
  const auto waiting = std::find_if(waiting_.rbegin(), waiting_.rend(), holds_blocks);
  if (parked == parked_.end() && waiting == waiting_.rend()) return false;
  Sequence& idle = parked != parked_.end() ? **parked : **waiting;
  cache_.release(idle);
  renew_keys(idle, limits_);
  return true;
}

void Scheduler::finish() {
  for (const Chunk& chunk : chunks_) {
    Sequence& sequence = *chunk.sequence;
    if (chunk.is_prompt()) totals_.computed_tokens += chunk.count;
    const int64_t before = sequence.computed;
    sequence.computed += chunk.count;
    cache_.note_computed(sequence, before);
  }
}

void Scheduler::note_answer(int64_t tokens) {
  expected_answer_ += kExpectationRate * (static_cast<double>(tokens) - expected_answer_);
  caution_ = std::max(1.0, caution_ * kLessCaution);
}

int64_t Scheduler::waiting_tokens() const {
  int64_t tokens = 0;
  for (const Sequence* sequence : waiting_)
    tokens += sequence->pending() - (sequence->computed > 0 ? 0 : sequence->found_blocks * steps_.block_size);
  for (const Sequence* sequence : running_)
    tokens += std::max<int64_t>(0, sequence->prompt_length - sequence->computed);
  return tokens;
}

void Scheduler::check() const {
  std::vector<const Sequence*> all;
  for (const Queue* queue : {&waiting_, &running_, &parked_}) all.insert(all.end(), queue->begin(), queue->end());
  cache_.check(all);
}

}  // namespace cleave::engine
