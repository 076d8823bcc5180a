#include <fmt/format.h>

#include <utility>
#include <vector>

#include "load/workload/random.h"
#include "load/workload/workload.h"

namespace cleave::load {
namespace {

constexpr uint64_t kToolStream = 5;  // of random numbers
// Indices of texts, apart from those of prompts.
constexpr uint64_t kHeadIndex = uint64_t{1} << 62, kToolIndex = uint64_t{1} << 61;

/// One agent, and the conversation that it has.
struct Agent {
  bool busy = false;
  int64_t turn = 0;  // that was asked last; 0: the conversation has not begun
  Job job;
};

class Agents final : public Workload {
 public:
  Agents(const Prompts& prompts, const MadeUpText& text, uint64_t seed, const AgentSettings& settings)
      : prompts_(prompts),
        text_(text),
        seed_(seed),
        settings_(settings),
        head_("You are an agent. " + text.of_tokens(settings.head_tokens, kHeadIndex)),
        agents_(static_cast<size_t>(settings.agents)) {}

  std::optional<Job> next(double) override {
    for (size_t i = 0; i < agents_.size(); ++i) {
      Agent& agent = agents_[i];
      if (agent.busy || (agent.turn == 0 && !may_begin())) continue;
      if (agent.turn == 0) agent.job = begin(i);
      agent.busy = true;
      agent.job.turn = ++agent.turn;
      return agent.job;
    }
    return std::nullopt;
  }

  void finished(const Job& job, const std::optional<std::string>& answer) override {
    Agent& agent = agents_[job.agent];
    agent.busy = false;
    if (answer && agent.turn < settings_.turns)
      go_on(agent, *answer);
    else
      agent.turn = 0;
  }

 private:
  bool may_begin() const {
    return !settings_.conversations || num_conversations_ < static_cast<uint64_t>(*settings_.conversations);
  }

  Job begin(size_t agent) {
    Job job = prompts_.job(num_conversations_++);
    job.agent = agent;
    if (settings_.api == Api::Completions) {
      job.fields["prompt"] = fmt::format("{}\n\n{}\n\n", head_, job.fields["prompt"].get<std::string>());
      return job;
    }
    Json messages = Json::array({{{"role", "system"}, {"content", head_}}});
    for (const Json& message : job.fields["messages"]) messages.push_back(message);
    job.fields["messages"] = std::move(messages);
    return job;
  }

  void go_on(Agent& agent, const std::string& answer) {
    const int64_t tokens =
        Random(seed_, kToolStream, num_tools_).between(settings_.tool_tokens.least, settings_.tool_tokens.most);
    const std::string tool = "The tool says: " + text_.of_tokens(tokens, kToolIndex + num_tools_++);
    if (settings_.api == Api::Completions) {
      agent.job.fields["prompt"] =
          fmt::format("{}{}\n\n{}\n\n", agent.job.fields["prompt"].get<std::string>(), answer, tool);
      return;
    }
    agent.job.fields["messages"].push_back({{"role", "assistant"}, {"content", answer}});
    agent.job.fields["messages"].push_back({{"role", "user"}, {"content", tool}});
  }

  const Prompts& prompts_;
  const MadeUpText text_;
  const uint64_t seed_;
  const AgentSettings settings_;
  const std::string head_;
  std::vector<Agent> agents_;
  uint64_t num_conversations_ = 0, num_tools_ = 0;
};

}  // namespace

std::unique_ptr<Workload> agents(const Prompts& prompts, const MadeUpText& text, uint64_t seed,
                                 const AgentSettings& settings) {
  return std::make_unique<Agents>(prompts, text, seed, settings);
}

}  // namespace cleave::load
