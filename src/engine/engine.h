#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/choice.h"
#include "engine/inbox.h"
#include "engine/request.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "engine/step_model.h"

namespace cleave::engine {

/// A queue of requests and the loop over one model that answers many of them at once: each call of step() advances all
/// by one step. It delivers tokens; who wants text decodes them.
///
/// Belongs to one thread, which calls step(); other threads reach it through inbox(). Neither copied nor moved.
class Engine {
 public:
  /// No sequence gets longer than `max_length` tokens, nor than the model's key-value cache. The model must outlive the
  /// engine.
  Engine(StepModel& model, int64_t max_length);

  /// The way in for other threads.
  Inbox& inbox() { return inbox_; }

  /// Queues a request. Throws Error(InvalidArgument) for an empty prompt, a token outside the vocabulary, parameters
  /// out of range, or a prompt that leaves no room for an answer.
  SequenceId add(Request request);

  /// Continues a sequence that was kept, with further tokens of the user, and queues it again; what is cached of it
  /// need not be computed again. REQUIRES: its answer is complete. Throws as add() does, and then changes nothing.
  void resume(SequenceId id, std::span<const int32_t> tokens, int64_t max_new_tokens);

  /// Ends a running answer, of which nothing is delivered any more. A kept sequence stays and can be resumed; another
  /// one is forgotten. Does nothing where there is no such sequence or answer.
  void stop(SequenceId id);

  /// Forgets a sequence, whatever it is doing. Does nothing where there is no such sequence.
  void release(SequenceId id);

  /// Tokens of a sequence so far, prompt and answers; borrowed until the next call. REQUIRES: it is there.
  std::span<const int32_t> tokens(SequenceId id) const;

  /// Carries out what is in the inbox, runs one step and calls `deliver` for each token that it generated and for each
  /// answer that the inbox cancelled. From there, all functions but step() may be called. Gives false where there was
  /// nothing to compute. An Error of the model leaves the engine unusable.
  bool step(FunctionRef<void(const NewToken&)> deliver);

  /// Most tokens of a sequence.
  int64_t max_length() const { return limits_.max_length; }

 private:
  void insert(std::unique_ptr<Sequence> sequence);
  Sequence* find(SequenceId id) const;
  void carry_out(Inbox::Add& order);
  void carry_out(Inbox::Resume& order);
  void carry_out(const Inbox::Stop& order);
  void carry_out(const Inbox::Release& order);
  void note_cancelled(SequenceId id);
  void deliver_new(FunctionRef<void(const NewToken&)> deliver);
  void compute(std::span<const Scheduler::Chunk> chunks);
  void sample(Sequence& sequence, std::span<const float> logits);

  StepModel& model_;
  Scheduler scheduler_;
  const SequenceLimits limits_;
  Inbox inbox_;
  std::map<SequenceId, std::unique_ptr<Sequence>> sequences_;

  // Of the step at hand; members so that their memory is used again.
  std::vector<Inbox::Order> orders_;
  std::vector<int32_t> step_tokens_, output_rows_;
  std::vector<runtime::SequenceStep> step_sequences_;
  std::vector<NewToken> new_tokens_;
};

}  // namespace cleave::engine
