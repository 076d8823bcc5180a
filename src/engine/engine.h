#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/choice.h"
#include "engine/inbox.h"
#include "engine/request.h"
#include "engine/row_task.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "engine/statistics.h"
#include "engine/step_model.h"

namespace cleave::engine {

/// How an engine works.
struct EngineOptions {
  int64_t max_length = 0;  // tokens of a sequence
  /// Whether sequences share what is computed of equal beginnings, while the memory is not needed otherwise.
  bool shares_prefixes = false;
  /// Seconds that may pass between two tokens of an answer while prompts are computed beside it.
  double max_gap = 0.15;
  /// Tells the time: deadlines, and how long steps take.
  std::function<TimePoint()> now = std::chrono::steady_clock::now;
};

/// A queue of requests and the loop over one model that answers many of them at once: each call of step() advances all
/// by one step. It delivers tokens; who wants text decodes them.
///
/// Belongs to one thread, which calls step(); other threads reach it through inbox(). Neither copied nor moved.
class Engine {
 public:
  /// No sequence gets longer than options.max_length tokens, nor than the model's key-value cache. The model must
  /// outlive the engine.
  Engine(StepModel& model, const EngineOptions& options);
  Engine(StepModel& model, int64_t max_length) : Engine(model, EngineOptions{.max_length = max_length}) {}

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
  /// answer that ended without one. From there, all functions but step() may be called. Gives false where there was
  /// nothing to compute. An Error of the model leaves the engine unusable; what goes wrong where a token is chosen ends
  /// its own answer alone.
  bool step(FunctionRef<void(const NewToken&)> deliver);

  /// Sequences under way and waiting, blocks, and what has been done so far.
  const Scheduler& scheduler() const { return scheduler_; }
  /// The same and more for other threads: any may call it at any time.
  Statistics statistics() const { return board_.read(); }

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
  void note_end(Sequence& sequence, FinishReason reason, std::shared_ptr<const Error> error = {});
  void end_overdue();
  void deliver_new(FunctionRef<void(const NewToken&)> deliver);
  void end(const NewToken& token);
  void tell();
  double seconds_since(TimePoint begin) const;
  bool rest();
  void compute(std::span<const Scheduler::Chunk> chunks);
  void lay_out(std::span<const Scheduler::Chunk> chunks);
  void list_tasks(std::span<const Scheduler::Chunk> chunks, std::span<const runtime::RowLogits> rows);
  void note_model_time(TimePoint begin, double exchanged);
  void carry_out_tasks();
  void carry_out_with_all_logits();
  void mask(RowTask& task);
  std::shared_ptr<const Error> take(Sequence& sequence, std::span<const RowTask> tasks);
  void take_choice(Sequence& sequence, const RowTask& task);

  StepModel& model_;
  const std::function<TimePoint()> now_;
  const SequenceLimits limits_;
  StepCost cost_;
  Scheduler scheduler_;
  Statistics counted_;  // what is counted here of the statistics
  StatisticsBoard board_;
  bool checked_ = true;  // whether memory was looked over since the last step
  Inbox inbox_;
  std::map<SequenceId, std::unique_ptr<Sequence>> sequences_;

  // Of the step at hand; members so that their memory is used again.
  std::vector<Inbox::Order> orders_;
  std::vector<int32_t> step_tokens_, output_rows_, whole_rows_;
  std::vector<runtime::LogitsWish> wishes_;
  std::vector<runtime::SequenceStep> step_sequences_;
  std::vector<RowTask> tasks_;
  std::vector<RowTask*> open_tasks_;
  std::vector<NewToken> new_tokens_;
  std::vector<SamplingScratch> scratch_;  // of each worker
};

}  // namespace cleave::engine
