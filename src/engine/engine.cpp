#include "engine/engine.h"

#include <algorithm>

#include "base/check.h"

namespace cleave::engine {
Engine::Engine(StepModel& model, int64_t max_length)
    : model_(model),
      limits_(model.limits()),
      scheduler_(limits_),
      max_length_(std::min(max_length, scheduler_.capacity())) {}

void Engine::check_tokens(std::span<const int32_t> tokens) const {
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] < 0 || tokens[i] >= limits_.vocab_size)
      fail(ErrorKind::InvalidArgument, "token {} of the prompt has id {}, outside the model's vocabulary of {}", i,
           tokens[i], limits_.vocab_size);
}

void Engine::check_room(int64_t length, int64_t max_new_tokens) const {
  if (max_new_tokens < 1)
    fail(ErrorKind::InvalidArgument, "asked for {} new tokens, wanted at least 1", max_new_tokens);
  if (length >= max_length_)
    fail(ErrorKind::InvalidArgument,
         "the prompt has {} tokens, which leaves no room for an answer in a context of {}; shorten it or ask for a "
         "larger context",
         length, max_length_);
}

// Takes the memory that the answer may need, so that steps need not. REQUIRES: the sequence is shorter than
// max_length_.
void Engine::set_limit(Sequence& sequence, int64_t max_new_tokens) const {
  const int64_t room = max_length_ - sequence.length();
  sequence.length_limit = sequence.length() + std::min(max_new_tokens, room);
  sequence.limit_reason = max_new_tokens > room ? FinishReason::Context : FinishReason::Length;
  sequence.tokens.reserve(static_cast<size_t>(sequence.length_limit));
  sequence.blocks.reserve(static_cast<size_t>((sequence.length_limit + limits_.block_size - 1) / limits_.block_size));
}

SequenceId Engine::add(Request request) {
  if (request.prompt.empty()) fail(ErrorKind::InvalidArgument, "the prompt has no tokens, wanted at least one");
  check_tokens(request.prompt);
  check_room(static_cast<int64_t>(request.prompt.size()), request.max_new_tokens);
  const SequenceId id = next_id_;
  auto sequence = std::make_unique<Sequence>(Sequence{.id = id,
                                                      .tokens = std::move(request.prompt),
                                                      .end_tokens = std::move(request.end_tokens),
                                                      .keep = request.keep,
                                                      .sampler = Sampler(request.sampling)});
  set_limit(*sequence, request.max_new_tokens);
  scheduler_.add(*sequence);
  sequences_.emplace(id, std::move(sequence));
  answering_.push_back(id);
  ++next_id_;
  return id;
}

void Engine::resume(SequenceId id, std::span<const int32_t> tokens, int64_t max_new_tokens) {
  Sequence* sequence = find(id);
  CHECK(sequence != nullptr);
  CHECK(std::find(answering_.begin(), answering_.end(), id) == answering_.end());
  check_tokens(tokens);
  check_room(sequence->length() + static_cast<int64_t>(tokens.size()), max_new_tokens);
  sequence->tokens.insert(sequence->tokens.end(), tokens.begin(), tokens.end());
  set_limit(*sequence, max_new_tokens);
  scheduler_.add(*sequence);
  answering_.push_back(id);
}

void Engine::stop(SequenceId id) {
  Sequence* sequence = find(id);
  if (sequence == nullptr || std::erase(answering_, id) == 0) return;
  if (sequence->keep)
    scheduler_.park(*sequence);
  else
    release(id);
}

void Engine::release(SequenceId id) {
  Sequence* sequence = find(id);
  if (sequence == nullptr) return;
  std::erase(answering_, id);
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
  const std::span<const Scheduler::Chunk> chunks = scheduler_.form();
  if (chunks.empty()) return false;
  new_tokens_.clear();
  compute(chunks);
  for (const NewToken& token : new_tokens_)
    if (token.finish) stop(token.sequence);
  for (const NewToken& token : new_tokens_) deliver(token);
  return true;
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
  const int32_t token = sequence.sampler.sample(logits, sequence.tokens);
  sequence.tokens.push_back(token);
  new_tokens_.push_back({sequence.id, token, finish_reason(sequence)});
}

std::optional<FinishReason> Engine::finish_reason(const Sequence& sequence) const {
  const auto& ends = sequence.end_tokens;
  if (std::find(ends.begin(), ends.end(), sequence.tokens.back()) != ends.end()) return FinishReason::EndToken;
  if (sequence.length() < sequence.length_limit) return std::nullopt;
  return sequence.limit_reason;
}

}  // namespace cleave::engine
