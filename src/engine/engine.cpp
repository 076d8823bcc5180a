#include "engine/engine.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/check.h"

namespace cleave::engine {
namespace {

// Tokens of a chunk by which the time of a prompt's tokens is told.
constexpr int64_t kTypicalChunk = 512;

SequenceLimits limits_of(const StepLimits& steps, const EngineOptions& options) {
  const int64_t capacity = steps.num_blocks * steps.block_size;
  return {.vocab_size = steps.vocab_size,
          .max_length = std::min(options.max_length, capacity),
          .block_size = steps.block_size,
          .recompute_lengths = steps.recompute_lengths,
          .turning = steps.turning,
          .hasher = options.shares_prefixes ? std::optional<PrefixHasher>(std::in_place) : std::nullopt};
}

std::optional<FinishReason> finish_reason(const Sequence& sequence) {
  const auto& ends = sequence.end_tokens;
  if (std::find(ends.begin(), ends.end(), sequence.tokens.back()) != ends.end()) return FinishReason::EndToken;
  if (sequence.length() < sequence.length_limit) return std::nullopt;
  return sequence.limit_reason;
}

// What the prompt's tokens were worth, once they all are known; later null.
std::shared_ptr<const std::vector<TokenLogprobs>> prompt_logprobs_of(Sequence& sequence) {
  const bool known = static_cast<int64_t>(sequence.prompt_logprobs.size()) == sequence.prompt_length - 1;
  if (!known || !std::exchange(sequence.scores_prompt, false)) return nullptr;
  return std::make_shared<const std::vector<TokenLogprobs>>(std::move(sequence.prompt_logprobs));
}

// Room for all that a choice may want, so that none allocates. What is reserved and not written takes no memory.
void reserve(SamplingScratch& scratch, int64_t vocab_size) {
  const auto size = static_cast<size_t>(vocab_size);
  scratch.changed.reserve(size);
  scratch.counts.reserve(size);
  scratch.allowed.reserve(size);  // a bit, or a word of a candidate, for each
  scratch.places.reserve(size);
  scratch.candidates.reserve(size);
}

}  // namespace

Engine::Engine(StepModel& model, const EngineOptions& options)
    : model_(model),
      now_(options.now),
      limits_(limits_of(model.limits(), options)),
      scheduler_(model.limits(), limits_, cost_, options.max_gap),
      inbox_(limits_),
      scratch_(static_cast<size_t>(model.num_workers())) {
  for (SamplingScratch& scratch : scratch_) reserve(scratch, model.limits().vocab_size);
  tell();
}

SequenceId Engine::add(Request request) {
  std::unique_ptr<Sequence> sequence = make_sequence(std::move(request), limits_);
  const SequenceId id = sequence->id = inbox_.new_id();
  insert(std::move(sequence));
  return id;
}

void Engine::insert(std::unique_ptr<Sequence> sequence) {
  scheduler_.add(*sequence);
  const SequenceId id = sequence->id;
  counted_.newest = std::max(counted_.newest, id);
  sequences_.emplace(id, std::move(sequence));
}

void Engine::resume(SequenceId id, std::span<const int32_t> tokens, int64_t max_new_tokens) {
  Sequence* sequence = find(id);
  CHECK(sequence != nullptr);
  CHECK(!sequence->answering);
  continue_sequence(*sequence, tokens, max_new_tokens, limits_);
  scheduler_.add(*sequence);
}

void Engine::stop(SequenceId id) {
  Sequence* sequence = find(id);
  if (sequence == nullptr || !std::exchange(sequence->answering, false)) return;
  if (sequence->keep)
    scheduler_.park(*sequence);
  else
    release(id);
}

void Engine::release(SequenceId id) {
  Sequence* sequence = find(id);
  if (sequence == nullptr) return;
  scheduler_.remove(*sequence);
  sequences_.erase(id);
}

std::span<const int32_t> Engine::tokens(SequenceId id) const {
  const Sequence* sequence = find(id);
  CHECK(sequence != nullptr);
  return sequence->tokens;
}

Sequence* Engine::find(SequenceId id) const {
  const auto found = sequences_.find(id);
  return found == sequences_.end() ? nullptr : found->second.get();
}

bool Engine::step(FunctionRef<void(const NewToken&)> deliver) {
  new_tokens_.clear();
  inbox_.take(orders_);
  for (Inbox::Order& order : orders_) std::visit([this](auto& what) { carry_out(what); }, order);
  end_overdue();
  deliver_new(deliver);
  const std::span<const Scheduler::Chunk> chunks = scheduler_.form();
  if (chunks.empty()) return rest();
  new_tokens_.clear();
  const TimePoint begin = now_();
  board_.begin_step(begin);
  compute(chunks);
  cost_.learn(scheduler_.work(), seconds_since(begin));
  for (const NewToken& token : new_tokens_) {
    if (token.token) ++counted_.generated_tokens;
    if (token.finish) end(token);
  }
  deliver_new(deliver);
  counted_.step_seconds += seconds_since(begin);
  ++counted_.steps;
  counted_.step_ended = now_();
  tell();
  return true;
}

double Engine::seconds_since(TimePoint begin) const {
  return std::chrono::duration<double>(now_() - begin).count();
}

void Engine::tell() {
  const Scheduler::Totals& totals = scheduler_.totals();
  Statistics all = counted_;
  all.running = scheduler_.num_running();
  all.waiting = scheduler_.num_waiting();
  all.blocks = scheduler_.blocks().num_blocks();
  all.free_blocks = scheduler_.blocks().num_free();
  all.named_blocks = scheduler_.blocks().num_named();
  all.waiting_tokens = scheduler_.waiting_tokens();
  all.seconds_per_prompt_token = cost_.of(StepWork::chunk(kTypicalChunk, 0)) / static_cast<double>(kTypicalChunk);
  all.prompt_tokens = totals.prompt_tokens;
  all.cached_tokens = totals.cached_tokens;
  all.computed_prompt_tokens = totals.computed_tokens;
  all.preemptions = totals.preemptions;
  board_.write(all);
}

void Engine::end(const NewToken& token) {
  scheduler_.note_answer(token.usage.generated_tokens);
  stop(token.sequence);
}

// There is nothing to compute, and so time to look over the memory.
bool Engine::rest() {
  if (!std::exchange(checked_, true)) scheduler_.check();
  tell();
  return false;
}

void Engine::deliver_new(FunctionRef<void(const NewToken&)> deliver) {
  for (const NewToken& token : new_tokens_) deliver(token);
}

void Engine::carry_out(Inbox::Add& order) {
  insert(std::move(order.sequence));
}

void Engine::carry_out(Inbox::Resume& order) {
  try {
    const Sequence* sequence = find(order.id);
    if (sequence == nullptr || sequence->answering)
      fail(ErrorKind::InvalidArgument, "sequence {} cannot be continued: {}", order.id,
           sequence == nullptr ? "it is not there, or was not kept" : "its answer is not complete");
    resume(order.id, order.tokens, order.max_new_tokens);
    order.done.set_value();
  } catch (const Error&) {
    order.done.set_exception(std::current_exception());
  }
}

void Engine::carry_out(const Inbox::Stop& order) {
  note_cancelled(order.id);
  stop(order.id);
}

void Engine::carry_out(const Inbox::Release& order) {
  note_cancelled(order.id);
  release(order.id);
}

// Of an answer that ends in its midst, its reader hears in this step.
void Engine::note_cancelled(SequenceId id) {
  Sequence* sequence = find(id);
  if (sequence != nullptr && sequence->answering) note_end(*sequence, FinishReason::Cancelled);
}

void Engine::note_end(Sequence& sequence, FinishReason reason, std::shared_ptr<const Error> error) {
  new_tokens_.push_back({.sequence = sequence.id,
                         .finish = reason,
                         .usage = sequence.usage(),
                         .prompt_logprobs = prompt_logprobs_of(sequence),
                         .error = std::move(error)});
}

void Engine::end_overdue() {
  const TimePoint now = now_();
  const size_t before = new_tokens_.size();
  for (const auto& [id, sequence] : sequences_)
    if (sequence->answering && sequence->deadline && *sequence->deadline <= now)
      note_end(*sequence, FinishReason::Deadline);
  for (size_t i = before; i < new_tokens_.size(); ++i) stop(new_tokens_[i].sequence);
}

void Engine::compute(std::span<const Scheduler::Chunk> chunks) {
  lay_out(chunks);
  const TimePoint begin = now_();
  const double exchanged = model_.exchange_seconds();
  const runtime::StepOutput output = model_.step({step_tokens_, step_sequences_, output_rows_, wishes_});
  note_model_time(begin, exchanged);
  list_tasks(chunks, output.rows);
  checked_ = false;
  scheduler_.finish();
  for (RowTask& task : tasks_) mask(task);
  open_tasks_.clear();
  for (RowTask& task : tasks_)
    if (task.error == nullptr) open_tasks_.push_back(&task);
  carry_out_tasks();
  carry_out_with_all_logits();
  auto task = tasks_.begin();
  for (const Scheduler::Chunk& chunk : chunks) {
    const auto first = task;
    while (task != tasks_.end() && task->sequence == chunk.sequence) ++task;
    if (auto error = take(*chunk.sequence, {first, task}))
      note_end(*chunk.sequence, FinishReason::Failed, std::move(error));
    else if (chunk.sequence->pending() == 0)  // only scored: a choice would be pending
      note_end(*chunk.sequence, chunk.sequence->limit_reason);
  }
}

// What the model did since `begin`, when it had exchanged for so many seconds.
void Engine::note_model_time(TimePoint begin, double exchanged) {
  counted_.model_seconds += seconds_since(begin);
  counted_.exchange_seconds += model_.exchange_seconds() - exchanged;
}

void Engine::carry_out_tasks() {
  model_.share_out(std::ssize(open_tasks_), [this](int64_t index, int worker) {
    engine::carry_out(*open_tasks_[static_cast<size_t>(index)], scratch_[static_cast<size_t>(worker)]);
  });
}

// Again those for which the largest logits did not suffice.
void Engine::carry_out_with_all_logits() {
  std::erase_if(open_tasks_, [](const RowTask* task) { return !task->needs_all; });
  if (open_tasks_.empty()) return;
  whole_rows_.clear();
  for (const RowTask* task : open_tasks_) whole_rows_.push_back(task->index);
  const TimePoint begin = now_();
  const double exchanged = model_.exchange_seconds();
  const std::span<const runtime::RowLogits> rows = model_.logits(whole_rows_);
  note_model_time(begin, exchanged);
  for (size_t i = 0; i < rows.size(); ++i) open_tasks_[i]->row = rows[i];
  carry_out_tasks();
}

// Lays the chunks side by side.
void Engine::lay_out(std::span<const Scheduler::Chunk> chunks) {
  step_tokens_.clear();
  step_sequences_.clear();
  output_rows_.clear();
  wishes_.clear();
  for (const Scheduler::Chunk& chunk : chunks) {
    const Sequence& sequence = *chunk.sequence;
    const int64_t first_row = static_cast<int64_t>(step_tokens_.size()) - sequence.computed;  // of position 0
    const auto first = sequence.tokens.begin() + static_cast<std::ptrdiff_t>(sequence.computed);
    step_tokens_.insert(step_tokens_.end(), first, first + static_cast<std::ptrdiff_t>(chunk.count));
    // All tokens known so far: the whole prompt while it is in chunks, later up to the token of this step.
    step_sequences_.push_back(
        {.num_tokens = chunk.count,
         .start_position = sequence.computed,
         .rope_length = sequence.length(),
         .blocks = sequence.blocks,
         .state_slot = std::max<int64_t>(0, sequence.state_slot),
         .restored_slot = scheduler_.restored_slot(sequence),
         .saved_slot = chunk.saved_slot,
         .kind = chunk.is_prompt() ? kernels::kind_of_prompt(sequence.prompt_length) : kernels::RowKind::Answer});
    for (int64_t position = chunk.first_scored(); position < chunk.end_scored(); ++position)
      output_rows_.push_back(static_cast<int32_t>(first_row + position));
    wishes_.resize(output_rows_.size());  // all of these
    if (!chunk.samples()) continue;
    output_rows_.push_back(static_cast<int32_t>(step_tokens_.size()) - 1);
    wishes_.push_back(wish_of(sequence));
  }
}

// What is to be done with each row of logits, in the order of output_rows_.
void Engine::list_tasks(std::span<const Scheduler::Chunk> chunks, std::span<const runtime::RowLogits> rows) {
  CHECK_EQ(rows.size(), wishes_.size());
  tasks_.clear();
  const auto add = [&](Sequence* sequence, std::optional<int32_t> scored) {
    const size_t index = tasks_.size();
    tasks_.push_back({sequence, static_cast<int32_t>(index), rows[index], scored});
  };
  for (const Scheduler::Chunk& chunk : chunks) {
    for (int64_t position = chunk.first_scored(); position < chunk.end_scored(); ++position)
      add(chunk.sequence, chunk.sequence->tokens[static_cast<size_t>(position) + 1]);
    if (chunk.samples()) add(chunk.sequence, std::nullopt);
  }
}

// Asks the sequence's constraint what may come next.
void Engine::mask(RowTask& task) {
  Sequence& sequence = *task.sequence;
  if (sequence.constraint == nullptr || task.scored) return;
  std::ranges::fill(sequence.allowed, ~0u);
  task.error = error_from([&] { sequence.constraint->mask(sequence.allowed); });
}

// Takes over what came of a sequence's rows, up to the first error, which it gives.
std::shared_ptr<const Error> Engine::take(Sequence& sequence, std::span<const RowTask> tasks) {
  for (const RowTask& task : tasks) {
    if (task.error != nullptr) return task.error;
    if (task.scored)
      sequence.prompt_logprobs.push_back(*task.logprobs);
    else if (auto error = error_from([&] { take_choice(sequence, task); }))
      return error;
  }
  return nullptr;
}

void Engine::take_choice(Sequence& sequence, const RowTask& task) {
  if (sequence.constraint != nullptr) sequence.constraint->accept(task.token);
  append(sequence, {&task.token, 1}, limits_);
  new_tokens_.push_back({.sequence = sequence.id,
                         .token = task.token,
                         .finish = finish_reason(sequence),
                         .usage = sequence.usage(),
                         .logprobs = task.logprobs,
                         .prompt_logprobs = prompt_logprobs_of(sequence)});
}

}  // namespace cleave::engine
