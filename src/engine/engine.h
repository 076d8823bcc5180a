#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/request.h"
#include "engine/scheduler.h"
#include "engine/step_model.h"

namespace cleave::engine {

/// Answers many requests at once with one model. Each call of step() advances all of them by one step; who wants text
/// decodes the tokens that it delivers. Used by one thread.
class Engine {
 public:
  /// No sequence gets longer than `max_length` tokens, nor than the model's key-value cache. The model must outlive the
  /// engine.
  Engine(StepModel& model, int64_t max_length);

  /// Queues a request. Throws Error(InvalidArgument) for an empty prompt, a token outside the vocabulary, parameters
  /// out of range, or a prompt that leaves no room for an answer.
  SequenceId add(Request request);

  /// Continues a sequence that was kept, with further tokens of the user, and queues it again; what is cached of it
  /// need not be computed again. REQUIRES: its answer is complete. Throws as add() does, and then changes nothing.
  void resume(SequenceId id, std::span<const int32_t> tokens, int64_t max_new_tokens);

  /// Ends a running answer. A kept sequence stays and can be resumed; another one is forgotten. Does nothing where
  /// there is no such sequence or answer.
  void stop(SequenceId id);

  /// Forgets a sequence, whatever it is doing. Does nothing where there is no such sequence.
  void release(SequenceId id);

  /// Tokens of a sequence so far, prompt and answers; borrowed until the next call. REQUIRES: it is there.
  std::span<const int32_t> tokens(SequenceId id) const;

  /// Runs one step and calls `deliver` for each token that it generated. From there, all functions but step() may be
  /// called. Gives false where there is nothing to do. An Error of the model leaves the engine unusable.
  bool step(FunctionRef<void(const NewToken&)> deliver);

  /// Most tokens of a sequence.
  int64_t max_length() const { return max_length_; }

 private:
  void check_tokens(std::span<const int32_t> tokens) const;
  void check_room(int64_t length, int64_t max_new_tokens) const;
  void set_limit(Sequence& sequence, int64_t max_new_tokens) const;
  Sequence* find(SequenceId id) const;
  void compute(std::span<const Scheduler::Chunk> chunks);
  void sample(Sequence& sequence, std::span<const float> logits);
  std::optional<FinishReason> finish_reason(const Sequence& sequence) const;

  StepModel& model_;
  StepLimits limits_;
  Scheduler scheduler_;
  int64_t max_length_;
  SequenceId next_id_ = 1;
  std::map<SequenceId, std::unique_ptr<Sequence>> sequences_;
  std::vector<SequenceId> answering_;  // sequences whose answer is not complete

  // Of the step at hand; members so that their memory is used again.
  std::vector<int32_t> step_tokens_, output_rows_;
  std::vector<runtime::SequenceStep> step_sequences_;
  std::vector<NewToken> new_tokens_;
};

}  // namespace cleave::engine
