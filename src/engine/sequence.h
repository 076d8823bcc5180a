#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/choice.h"
#include "engine/kv_blocks.h"
#include "engine/prefix_key.h"
#include "engine/request.h"
#include "engine/sampler.h"
#include "graph/turning.h"
#include "kernels/params/sequence_span.h"

namespace cleave::engine {

/// A sequence of tokens on its way through the model. Prompt and generated tokens are treated alike: those not yet
/// computed are processed, in one or several steps, and when none is left the next one is sampled.
struct Sequence {
  SequenceId id = 0;
  std::vector<int32_t> tokens = {};                  // the prompt and what was generated
  int64_t computed = 0;                              // of them, those whose keys and values are in the blocks
  int64_t prompt_length = 0;                         // tokens that precede the answer
  int64_t length_limit = 0;                          // the answer ends where there are that many tokens
  FinishReason limit_reason = FinishReason::Length;  // why it ends there
  std::vector<int32_t> end_tokens = {};
  bool keep = false;
  bool answering = false;              // its answer is not complete
  std::optional<int64_t> cached = {};  // what was computed of the prompt when the answer's first step was formed
  KvBlocks::Table blocks = {};
  int64_t state_slot = -1;  // where the model keeps recurrent states; taken and lost together with the blocks
  Sampler sampler;
  int64_t priority = 0;
  std::optional<TimePoint> deadline = {};
  int logprobs = -1;                                 // as Request has it
  bool scores_prompt = false;                        // until what it has found is delivered
  std::vector<TokenLogprobs> prompt_logprobs = {};   // of tokens [1, 1 + size) of the prompt
  std::shared_ptr<TokenConstraint> constraint = {};  // null: none
  std::vector<uint32_t> allowed = {};                // what it leaves for the next token; empty without one

  // What others can share of it (prefix_cache.h).
  std::string cache_salt = {};         // as Request has it
  std::optional<PrefixKey> root = {};  // what keys are made from; nothing: it shares nothing
  std::vector<PrefixKey> keys = {};    // of full blocks, as far as they were wanted
  kernels::RowKind keys_kind = {};     // how its prompt is computed, as the keys say; ByCount: there is no root yet
  int64_t keys_turning = 0;            // how the model turns what is computed, as the keys say (graph/turning.h)
  int64_t block_turning = 0;           // the same when the first token of the block at hand was computed
  int64_t named_blocks = 0;            // of `blocks`, those that have names or could not get one
  int64_t found_blocks = 0;            // that others were last known to have, while it waits
  KvBlocks::Table restored = {};       // the snapshot that its next chunk begins with, if any
  KvBlocks::Table saved = {};          // the one that the chunk at hand ends with, if any
  int64_t junction = 0;                // a position up to which others have the same tokens
  std::optional<PrefixKey> answer_snapshot = {};  // the last one within its answer

  // While it waits (scheduler.h).
  int64_t arrival_work = 0;  // prompt tokens that had been computed before it came

  int64_t length() const { return static_cast<int64_t>(tokens.size()); }
  int64_t pending() const { return length() - computed; }
  /// What is known when the next token is chosen; borrowed.
  History history() const { return {tokens, prompt_length, length_limit, end_tokens, allowed}; }
  /// Of the answer at hand, or of the last one.
  Usage usage() const { return {prompt_length, cached.value_or(0), length() - prompt_length}; }
};

/// What bounds every sequence of an engine. The numbers never change, so that any thread may check a request with them.
struct SequenceLimits {
  int64_t vocab_size = 0;
  int64_t max_length = 0;                       // tokens of a sequence
  int64_t block_size = 1;                       // positions of a key-value block
  std::vector<int64_t> recompute_lengths = {};  // as StepLimits has them
  graph::Turning turning = {};                  // the same
  std::optional<PrefixHasher> hasher = {};      // of what sequences share; nothing: they share nothing
};

/// A new sequence, without an id, whose answer is to be computed. It has all memory that the answer may need, so that
/// steps take none, but for log-probabilities. Throws Error(InvalidArgument) for an empty prompt, a token outside the
/// vocabulary, parameters out of range, or a prompt that leaves no room for an answer.
std::unique_ptr<Sequence> make_sequence(Request request, const SequenceLimits& limits);

/// Appends tokens. Where the sequence passes a length beyond which all is computed anew, nothing of it counts as
/// computed any more; its blocks and its slot stay, and it has other keys.
void append(Sequence& sequence, std::span<const int32_t> tokens, const SequenceLimits& limits);

/// Begins the next answer of a sequence: appends tokens, with memory for all that may follow. Throws as make_sequence()
/// does, and then changes nothing.
void continue_sequence(Sequence& sequence, std::span<const int32_t> tokens, int64_t max_new_tokens,
                       const SequenceLimits& limits);

}  // namespace cleave::engine
