#include "engine/engine.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/check.h"

namespace cleave::engine {
namespace {

std::optional<FinishReason> finish_reason(const Sequence& sequence) {
  const auto& ends = sequence.end_tokens;
  if (std::find(ends.begin(), ends.end(), sequence.tokens.back()) != ends.end()) return FinishReason::EndToken;
  if (sequence.length() < sequence.length_limit) return std::nullopt;
  return sequence.limit_reason;
}

}  // namespace

Engine::Engine(StepModel& model, int64_t max_length)
    : model_(model),
      scheduler_(model.limits()),
      limits_{model.limits().vocab_size, std::min(max_length, scheduler_.capacity()), model.limits().block_size,
              model.limits().recompute_lengths},
      inbox_(limits_) {}

SequenceId Engine::add(Request request) {
  std::unique_ptr<Sequence> sequence = make_sequence(std::move(request), limits_);
  const SequenceId id = sequence->id = inbox_.new_id();
  insert(std::move(sequence));
  return id;
}

void Engine::insert(std::unique_ptr<Sequence> sequence) {
  scheduler_.add(*sequence);
  const SequenceId id = sequence->id;
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
  deliver_new(deliver);
  const std::span<const Scheduler::Chunk> chunks = scheduler_.form();
  if (chunks.empty()) return false;
  new_tokens_.clear();
  compute(chunks);
  for (const NewToken& token : new_tokens_)
    if (token.finish) stop(token.sequence);
  deliver_new(deliver);
  return true;
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
  const Sequence* sequence = find(id);
  if (sequence != nullptr && sequence->answering)
    new_tokens_.push_back({id, std::nullopt, FinishReason::Cancelled, sequence->usage()});
}

// Lays the chunks side by side, runs the model and samples where a sequence has no token left to compute.
void Engine::compute(std::span<const Scheduler::Chunk> chunks) {
  step_tokens_.clear();
  step_sequences_.clear();
  output_rows_.clear();
  for (const Scheduler::Chunk& chunk : chunks) {
    const Sequence& sequence = *chunk.sequence;
    const auto first = sequence.tokens.begin() + static_cast<std::ptrdiff_t>(sequence.computed);
    step_tokens_.insert(step_tokens_.end(), first, first + static_cast<std::ptrdiff_t>(chunk.count));
    // All tokens known so far: the whole prompt while it is in chunks, later up to the token of this step.
    step_sequences_.push_back({chunk.count, sequence.computed, sequence.length(), sequence.blocks,
                               std::max<int64_t>(0, sequence.state_slot)});
    if (chunk.samples()) output_rows_.push_back(static_cast<int32_t>(step_tokens_.size()) - 1);
  }
  const std::span<const float> logits = model_.step({step_tokens_, step_sequences_, output_rows_});
  const auto width = static_cast<size_t>(limits_.vocab_size);
  CHECK_EQ(logits.size(), output_rows_.size() * width);
  size_t row = 0;
  for (const Scheduler::Chunk& chunk : chunks) {
    const bool samples = chunk.samples();
    chunk.sequence->computed += chunk.count;
    if (samples) sample(*chunk.sequence, logits.subspan(row++ * width, width));
  }
}

void Engine::sample(Sequence& sequence, std::span<const float> logits) {
  const int32_t token = sequence.sampler.sample(
      logits, {sequence.tokens, sequence.prompt_length, sequence.length_limit, sequence.end_tokens});
  append(sequence, {&token, 1}, limits_);
  new_tokens_.push_back({sequence.id, token, finish_reason(sequence), sequence.usage()});
}

}  // namespace cleave::engine
