#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "load/workload/job.h"
#include "load/workload/made_up_text.h"
#include "load/workload/prompts.h"

namespace cleave::load {

/// Decides which request is made when. Knows no network and no clock: times are seconds since the run began, and are
/// told. Not thread-safe.
class Workload {
 public:
  virtual ~Workload() = default;

  /// A request to be made now; nothing where none is due. Where none is under way, and next_time() says nothing, there
  /// will be no more.
  virtual std::optional<Job> next(double now) = 0;
  /// When the next one is due whatever becomes of those under way; nothing where it depends on them. Never goes back.
  virtual std::optional<double> next_time() const { return std::nullopt; }
  /// A request is over. `answer`: its text, where it went well.
  virtual void finished(const Job& job, const std::optional<std::string>& answer) = 0;
};

/// As many requests at a time, a new one where one has ended. Prompts must outlive it.
std::unique_ptr<Workload> closed_loop(const Prompts& prompts, int64_t concurrency);

/// Requests that come by chance, `rate` in a second on average, whether others have ended or not (a Poisson process).
/// Each says when it was due: one that is sent late has waited, as a user would have. (Where times count from when a
/// request is sent, a server that stalls the sender looks fast: "coordinated omission".)
/// Prompts must outlive it.
std::unique_ptr<Workload> open_loop(const Prompts& prompts, double rate, uint64_t seed);

/// What a conversation of an agent is like.
struct AgentSettings {
  Api api = Api::Chat;
  int64_t agents = 1;
  int64_t turns = 10;
  std::optional<int64_t> conversations = {};       // that are begun, of all agents together; absent: any number
  int64_t head_tokens = 1000;                      // of the instructions that all conversations begin with
  Range tool_tokens = {.least = 50, .most = 200};  // of what a tool says
};

/// Agents that work at the same time, each with one conversation after another. Prompts give how a conversation begins,
/// and how long answers are. Each turn sends the whole conversation with the answer before and what a tool made of it,
/// as a message of the user, which every chat template takes. A turn that fails ends its conversation. Prompts must
/// outlive it.
std::unique_ptr<Workload> agents(const Prompts& prompts, const MadeUpText& text, uint64_t seed,
                                 const AgentSettings& settings);

}  // namespace cleave::load
