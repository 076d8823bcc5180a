#include "engine/sequence.h"

#include <algorithm>

#include "base/error.h"
#include "engine/prefix_keys.h"
#include "graph/recompute_lengths.h"

namespace cleave::engine {
namespace {

void check_tokens(std::span<const int32_t> tokens, const SequenceLimits& limits) {
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] < 0 || tokens[i] >= limits.vocab_size)
      fail(ErrorKind::InvalidArgument, "token {} of the prompt has id {}, outside the model's vocabulary of {}", i,
           tokens[i], limits.vocab_size);
}

// A prompt that is only scored needs no room behind it.
void check_room(int64_t length, int64_t max_new_tokens, bool scores_prompt, const SequenceLimits& limits) {
  const bool only_scored = scores_prompt && max_new_tokens == 0;
  if (max_new_tokens < 1 && !only_scored)
    fail(ErrorKind::InvalidArgument, "asked for {} new tokens, wanted at least 1", max_new_tokens);
  if (length > limits.max_length - (only_scored ? 0 : 1))
    fail(ErrorKind::InvalidArgument,
         "the prompt has {} tokens, which leaves no room for an answer in a context of {}; shorten it or ask for a "
         "larger context",
         length, limits.max_length);
}

void check_logprobs(int count) {
  if (count < -1 || count > kMaxLogprobs)
    fail(ErrorKind::InvalidArgument, "log-probabilities of {} tokens, wanted 0 to {}, or -1 for none", count,
         kMaxLogprobs);
}

// REQUIRES: check_room().
void begin_answer(Sequence& sequence, int64_t max_new_tokens, const SequenceLimits& limits) {
  const int64_t room = limits.max_length - sequence.length();
  sequence.answering = true;
  sequence.prompt_length = sequence.length();
  sequence.cached.reset();
  sequence.length_limit = sequence.length() + std::min(max_new_tokens, room);
  sequence.limit_reason = max_new_tokens > room ? FinishReason::Context : FinishReason::Length;
  sequence.tokens.reserve(static_cast<size_t>(sequence.length_limit));
  const auto blocks = static_cast<size_t>((sequence.length_limit + limits.block_size - 1) / limits.block_size);
  sequence.blocks.reserve(blocks);
  if (limits.hasher) sequence.keys.reserve(blocks);
}

}  // namespace

std::unique_ptr<Sequence> make_sequence(Request request, const SequenceLimits& limits) {
  if (request.prompt.empty()) fail(ErrorKind::InvalidArgument, "the prompt has no tokens, wanted at least one");
  check_tokens(request.prompt, limits);
  check_room(static_cast<int64_t>(request.prompt.size()), request.max_new_tokens, request.prompt_logprobs, limits);
  check_logprobs(request.logprobs);
  check_ids(request.sampling, limits.vocab_size);
  auto sequence = std::make_unique<Sequence>(Sequence{.tokens = std::move(request.prompt),
                                                      .end_tokens = std::move(request.end_tokens),
                                                      .keep = request.keep,
                                                      .sampler = Sampler(request.sampling),
                                                      .priority = request.priority,
                                                      .deadline = request.deadline,
                                                      .logprobs = request.logprobs,
                                                      .scores_prompt = request.prompt_logprobs,
                                                      .constraint = std::move(request.constraint),
                                                      .cache_salt = std::move(request.cache_salt)});
  for (KvBlocks::Table* snapshot : {&sequence->restored, &sequence->saved}) snapshot->reserve(1);
  begin_answer(*sequence, request.max_new_tokens, limits);
  renew_keys(*sequence, limits);
  if (sequence->scores_prompt) sequence->prompt_logprobs.reserve(sequence->tokens.size() - 1);
  if (sequence->constraint != nullptr) sequence->allowed.resize(static_cast<size_t>((limits.vocab_size + 31) / 32));
  return sequence;
}

void append(Sequence& sequence, std::span<const int32_t> tokens, const SequenceLimits& limits) {
  const int64_t before = sequence.length();
  sequence.tokens.insert(sequence.tokens.end(), tokens.begin(), tokens.end());
  if (!graph::passes_any(limits.recompute_lengths, before, sequence.length())) return;
  sequence.computed = sequence.named_blocks = 0;
  renew_keys(sequence, limits);
}

void continue_sequence(Sequence& sequence, std::span<const int32_t> tokens, int64_t max_new_tokens,
                       const SequenceLimits& limits) {
  check_tokens(tokens, limits);
  check_room(sequence.length() + static_cast<int64_t>(tokens.size()), max_new_tokens, false, limits);
  append(sequence, tokens, limits);
  begin_answer(sequence, max_new_tokens, limits);
}

}  // namespace cleave::engine
